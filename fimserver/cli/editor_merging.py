"""Turn a user's file and a block into the file with the block in it, or into None where that is not safe.

What stands in the file stays as it is, to the byte: a block is put behind it.
"""

import json
import tomllib
from collections.abc import Callable

# A file's text, or none where there is no file, and a block: the text with the block. None where a user should do it.
Merging = Callable[[str | None, str], str | None]


def new_file(text: str | None, block: str) -> str | None:
    """Make a file of the block alone; one that is there is the user's."""
    return block if text is None else None


def behind(text: str | None, block: str) -> str:
    r"""Put the block behind all else.

    >>> behind("(setq a 1)", "(setq b 2)\n")
    '(setq a 1)\n\n(setq b 2)\n'
    """
    if not text or not text.strip():
        return (text or "") + block
    line_end = "\r\n" if "\r\n" in text else "\n"
    joint = line_end if text.endswith("\n") else 2 * line_end
    return text + joint + block.replace("\n", line_end)


def helix_languages(text: str | None, block: str) -> str | None:
    """Put behind a languages.toml the server, and the languages that it does not configure itself.

    A language that it does configure is the user's: two tables of one name would be an error of Helix's.
    """
    try:
        configured = {language["name"] for language in tomllib.loads(text or "").get("language", [])}
        head, *languages = block.split("[[language]]\n")
        wanted = [one for one in languages if tomllib.loads(one)["name"] not in configured]
        merged = behind(text, "[[language]]\n".join([head, *wanted]).rstrip() + "\n")
        tomllib.loads(merged)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        return None
    return merged


def lists_without_us(text: str) -> list[str]:
    """Return the languages of a languages.toml for which the server is not to be started."""
    languages = tomllib.loads(text)["language"]
    return [language["name"] for language in languages if "fimserver" not in language.get("language-servers", ())]


def json_object(text: str | None, block: str) -> str | None:
    """Make a file of the block; into one that is there and holds more than `{}` it goes by hand.

    Editors allow comments in their settings, and writing JSON anew would lose them.
    """
    return block if text is None or _is_empty(text) else None


def _is_empty(text: str) -> bool:
    try:
        return bool(json.loads(text or "{}") == {})
    except ValueError:
        return False
