"""Take out of a model's answer what is no code: control texts, characters nobody sees, chat, fences, boilerplate."""

import re

from fimserver.syntax.languages import language_named
from fimserver.values import CursorContext, Reason, Rejection

# Control texts of every family we know; the engine stops at its own model's, but a prompt of the wrong family, or a
# file that quotes them, can bring another's. What may be somebody's own text (`<s>` of HTML, `<filename>` of a usage
# line) counts only where it stands alone on a line.
_CONTROL_TEXT = re.compile(
    r"<\|[a-z][a-z_\d]*\|>"
    r"|<[｜|](?:fim|end|begin)▁[\w▁]+[｜|]>|<｜(?:User|Assistant|tool\S*?)｜>"  # noqa: RUF001 - DeepSeek's bars are wide
    r"|<(?:fim|commit)_(?:prefix|suffix|middle|pad|before|msg|after)>|<(?:start|end)_of_turn>|</?(?:think|tool_call)>"
    r"|(?m:^)[ \t]*(?:</?s>|<(?:file_sep|filename|reponame|repo_name|eos|bos|unk|pad|EOT|EOS)>)"
    r"|<(?:file_sep|repo_name|jupyter_\w+|issue_start|empty_output)>|</s>\s*\Z"
    r"|(?:[ ▁]|(?m:^))<(?:PRE|SUF|MID|EOT)>|\[(?:PREFIX|SUFFIX|MIDDLE)\]|\[/?INST\]"
    r"|<\[(?:fim-\w+|(?:end|begin)▁of▁sentence)\]>"
)

# Languages of which prose, fences and tags are part.
_PROSE_LANGUAGES = frozenset(
    {"markdown", "mdx", "rmd", "quarto", "plaintext", "text", "asciidoc", "restructuredtext", "latex", "tex"}
)
_TAGS = frozenset({"html", "xml", "vue", "svelte", "php", "javascriptreact", "typescriptreact", "markdown", "mdx"})


def control_text_in(text: str, context: CursorContext) -> re.Match[str] | None:
    """Return the first control token's text, unless the document itself writes such texts."""
    for found in _CONTROL_TEXT.finditer(text) if "<" in text or "[" in text else ():
        is_tag = found.group().strip() in ("<s>", "</s>") and context.document.language in _TAGS
        if not is_tag and found.group().strip() not in context.document.text:
            return found
    return None


def cut_at_control_text(text: str, context: CursorContext) -> str | Rejection:
    """Cut where a control token's text leaks."""
    found = control_text_in(text, context)
    kept = text[: found.start()] if found else text
    if found is None or kept.strip():
        return kept
    return Rejection(reason=Reason.LEAKED_CONTROL_TEXT, detail=f"It wrote {found.group().strip()}.")


# Colours and the like of a terminal, whole; then C0 but tab, line ends and form feed, DEL and C1.
_STEERING = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")

# What ends lines elsewhere, bidirectional controls, zero-width and invisible characters, tags and variation selectors,
# surrogates, byte-order mark, and the format characters of scripts. Trojan Source (CVE-2021-42574) hides code from the
# reader with some of these.
_INVISIBLE = re.compile(
    "[\x0c\r\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff"
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3]"
)


def drop_invisible_characters(text: str, context: CursorContext) -> str:
    """Drop what steers a terminal, and characters that hide or reorder text unless this very document uses them."""
    if text.isascii() and text.isprintable():
        return text
    text = _STEERING.sub("", text)
    return _INVISIBLE.sub(lambda found: found.group() if found.group() in context.document.text else "", text)


def cut_at_broken_characters(text: str, context: CursorContext) -> str:
    """Cut at the mark for bytes that were no character: the model ended, or lost itself, in the middle of one."""
    begin = text.find("\ufffd")
    return text if begin < 0 or "\ufffd" in context.document.text else text[:begin]


_FENCE = re.compile(r"\s*```")
_PROSE = re.compile(
    r"\s*(?:(?:sure|certainly|of course|okay)[,!.]|here(?:'s| is| are)\b|i(?:'m| am) (?:sorry|an ai)|as an ai\b|"
    r"(?:the|this) (?:following|code|above|function)\b|below is\b|let me\b|you can\b|to (?:complete|fix|solve) )"
    r"[^=(){}\[\]\n]*\s[^=\n]*",
    re.IGNORECASE,
)


def strip_fences_and_prose(text: str, context: CursorContext) -> str | Rejection:
    """Unwrap code in a Markdown fence, refuse an answer that talks to the user; a chat model does both."""
    if writes_prose(context):
        return text
    if _FENCE.match(text) and "```" not in context.document.text:
        text = text.partition("\n")[2].partition("\n```")[0].removesuffix("```")
        if not text.strip():
            return Rejection(reason=Reason.JUNK, detail="It wrote an empty code fence.")
    first = text.lstrip("\n").split("\n", 1)[0]
    if _PROSE.fullmatch(first) and len(first.split()) >= _FEWEST_WORDS:
        return Rejection(reason=Reason.JUNK, detail="It talked instead of writing code.")
    return text


# Fewer words than this may be code in some language.
_FEWEST_WORDS = 4


def writes_prose(context: CursorContext) -> bool:
    """Say whether prose is what is written at the cursor: in a comment, a string or a text."""
    return context.in_comment or context.in_string or context.document.language in _PROSE_LANGUAGES


def refuse_emptiness(text: str, context: CursorContext) -> str | Rejection:  # noqa: ARG001
    """Refuse nothing and white space."""
    if not text:
        return Rejection(reason=Reason.EMPTY, detail="The model wrote nothing.")
    return text if text.strip() else Rejection(reason=Reason.ONLY_WHITE_SPACE, detail="It wrote white space only.")


_LICENCE = re.compile(
    r"copyright\b|licen[sc]ed? under|spdx-license|all rights reserved|permission is hereby", re.IGNORECASE
)
_PATH_COMMENT = re.compile(
    r"\s*(?:#|//|/\*|--)\s*(?:(?:path|file(?:name)?):\s*\S+\.\w+|(?!\S*://)(?:\.{0,2}/)?[\w.-]+(?:[/\\][\w.-]+)+\.\w{1,5})"
    r"\s*(?:\*/)?\s*",
    re.IGNORECASE,
)


def refuse_boilerplate(text: str, context: CursorContext) -> str | Rejection:
    """Refuse licence headers and comments that name a path: corpora begin files with them, users do not want them."""
    first = text.lstrip().split("\n", 1)[0]
    written = context.line_prefix + first
    begun = any(character.isalnum() for character in context.line_prefix)
    licence = not begun and _LICENCE.search(first) and not _LICENCE.search(context.document.text[:_HEADER_CHARACTERS])
    if licence and _is_comment(written):
        return Rejection(reason=Reason.JUNK, detail="It wrote a licence header.")
    if context.blank_prefix and language_named(context.document.language) and _PATH_COMMENT.fullmatch(first):
        return Rejection(reason=Reason.JUNK, detail="It wrote a comment that names a file.")
    return text


# A licence stands within so many characters from the beginning.
_HEADER_CHARACTERS = 4_000


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//", "/*", "*", '"""', "--", ";", "%", "<!--"))
