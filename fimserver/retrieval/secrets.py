"""Turn a text into the same text with its secrets masked, for engines that stand on other machines.

Three kinds are found: blocks that say they are private keys, tokens whose issuers gave them a shape, and values that
look random or stand behind a name such as `password`. What is no secret by these rules is left as it is, and masking
a masked text changes nothing.
"""

import math
import re
from collections import Counter
from collections.abc import Callable

# Always as long, so that the mask does not say how long the secret was.
MASK = "********"

# The end may be missing where the text was cut out of a longer one.
_KEY_BLOCK = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)"
    r".*?(-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_KEY_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_LINE = re.compile(r"[\s\"'`+\\A-Za-z0-9/=:,-]*")

# Issuers' own shapes. The first group, where there is one, is kept: it says what stood there.
_TOKENS = re.compile(
    r"\b(?:"
    + "|".join(
        (
            r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",  # Amazon
            r"gh[pousr]_[A-Za-z0-9]{36,}",  # GitHub
            r"github_pat_[A-Za-z0-9_]{22,}",
            r"gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_.-]{20,}",  # GitLab
            r"xox[abeprs]-[A-Za-z0-9-]{10,}",  # Slack
            r"xapp-[A-Za-z0-9-]{10,}",
            r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
            r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
            r"whsec_[A-Za-z0-9+/=]{16,}",
            r"AIza[0-9A-Za-z_-]{35}",  # Google
            r"GOCSPX-[0-9A-Za-z_-]{20,}",
            r"ya29\.[0-9A-Za-z_-]{20,}",
            r"sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, OpenRouter
            r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
            r"npm_[A-Za-z0-9]{36}",
            r"pypi-[A-Za-z0-9_-]{32,}",
            r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
            r"key-[0-9a-f]{32}\b",  # Mailgun
            r"(?:SK|AC)[0-9a-f]{32}\b",  # Twilio
            r"do[opr]_v1_[0-9a-f]{64}",  # DigitalOcean
            r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",  # Shopify
            r"hv[sbr]\.[A-Za-z0-9_-]{20,}",  # Vault
            r"dapi[0-9a-f]{32}",  # Databricks
            r"dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9.]{20,}",  # Doppler
            r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}",  # Linear
            r"sntr(?:ys|yu)_[A-Za-z0-9+/=_-]{32,}",  # Sentry
            r"glsa_[A-Za-z0-9_]{32,}",  # Grafana
            r"ATATT3[A-Za-z0-9_=-]{40,}",  # Atlassian
            r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
            r"\d{8,10}:AA[A-Za-z0-9_-]{33}",  # Telegram
            r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",  # Discord
            r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",  # a signed JSON web token
        )
    )
    + ")"
)

_NAMED_VALUES = (
    re.compile(r"(AccountKey=|SharedAccessKey=|SharedAccessSignature=|[?&]sig=)[A-Za-z0-9+/=%_-]{16,}"),
    re.compile(r"(://[^\s:/@'\"]{0,100}:)[^\s:/@'\"]{1,200}(?=@)"),  # a password in an address
    re.compile(
        r"(authorization['\"]?\s?[:=,]\s?f?['\"]?(?:basic|bearer|token)\s)[A-Za-z0-9+/=_.~-]{8,}", re.IGNORECASE
    ),
)

# The end of a name that says that its value is a secret, and what may stand between it and the value.
_TELLING_NAME = (
    r"(?i:secret|passw(?:or)?d|passphrase|pwd|token|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key"
    r"|encryption[_-]?key|signing[_-]?key|client[_-]?key|credential|connection[_-]?string)[\w-]{0,40}"
)
_QUOTED = re.compile(
    _TELLING_NAME
    + r"""['"]?\]?\s{0,8}(?::=|=>|[:=])\s{0,8}[bfru]{0,2}(?P<quote>['"`])(?P<value>[^'"`\n]{6,400})(?=(?P=quote))"""
)
_BARE = re.compile(
    _TELLING_NAME + r"[ \t]{0,8}[:=][ \t]{0,8}(?P<value>[A-Za-z0-9+/=_.~!@#$%^&*-]{8,400})[ \t]{0,8}$", re.MULTILINE
)
_RANDOM_LOOKING = re.compile(r"(?<=['\"`])[A-Za-z0-9+/=_-]{24,}(?=['\"`])")

# Words of a language carry about 3.2 bits a character at this length, random base64 above 4.3, hexadecimal 3.6.
_RANDOM_BITS = 4.2
_RANDOM_BITS_OF_HEXADECIMAL = 3.3

# What stands behind a secret's name and is no secret: a word of the language, a call, a look-up, a placeholder.
_HARMLESS = re.compile(
    r"(?i:none|null|nil|true|false|undefined|optional|required|string|<[^>]*>|\$\{?[\w.]+\}?|\{+[\w.]+\}+|%\w*%|x+|\*+"
    r"|\.+|your[-_ ].*|changeme|placeholder|example|dummy)\Z"
)


def mask_secrets(text: str) -> str:
    """Return the text with its secrets replaced by asterisks.

    >>> mask_secrets('password = "hunter2!", user = "me"')
    'password = "********", user = "me"'
    """
    for mask in _MASKS:
        text = mask(text)
    return text


def bits_per_character(text: str) -> float:
    """Return the Shannon entropy of a text's characters.

    >>> bits_per_character("abab")
    1.0
    """
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _mask_key_blocks(text: str) -> str:
    return _mask_headless_block(_KEY_BLOCK.sub(rf"\1{MASK}\2", text))


def _mask_headless_block(text: str) -> str:
    """Mask the lines before the first end of a block whose beginning was cut away."""
    end = _KEY_BLOCK_END.search(text)
    start = end.start() if end else 0
    if end is None or "-----BEGIN" in text[:start] or text.endswith(MASK, 0, start):
        return text
    while start > 0 and _KEY_LINE.fullmatch(text, line := text.rfind("\n", 0, start - 1) + 1, start):
        start = line
    return text[:start] + MASK + text[end.start() :]


def _mask_tokens(text: str) -> str:
    return _TOKENS.sub(MASK, text)


def _mask_named_values(text: str) -> str:
    for expression in _NAMED_VALUES:
        text = expression.sub(rf"\1{MASK}", text)
    return text


def _mask_assigned(text: str) -> str:
    text = _QUOTED.sub(lambda found: found[0] if _harmless(found["value"]) else _without_value(found), text)
    return _BARE.sub(lambda found: found[0] if _harmless_bare(found["value"]) else _without_value(found), text)


def _without_value(found: re.Match[str]) -> str:
    start, end = found.span("value")
    return found[0][: start - found.start()] + MASK + found[0][end - found.start() :]


def _mask_random(text: str) -> str:
    return _RANDOM_LOOKING.sub(lambda found: MASK if looks_random(found[0]) else found[0], text)


def looks_random(text: str) -> bool:
    """Tell a key from a word: enough entropy, and digits among its letters."""
    if not (any(character.isdigit() for character in text) and any(character.isalpha() for character in text)):
        return False
    hexadecimal = re.fullmatch(r"[0-9a-fA-F]+", text) is not None
    return bits_per_character(text) >= (_RANDOM_BITS_OF_HEXADECIMAL if hexadecimal else _RANDOM_BITS)


def _harmless(value: str) -> bool:
    return _HARMLESS.match(value) is not None or " " in value.strip()


def _harmless_bare(value: str) -> bool:
    """Without quotes most values are code: only what looks like a key is taken for one."""
    return _harmless(value) or not any(character.isdigit() for character in value) or "." in value


_MASKS: tuple[Callable[[str], str], ...] = (
    _mask_key_blocks,
    _mask_tokens,
    _mask_named_values,
    _mask_assigned,
    _mask_random,
)
