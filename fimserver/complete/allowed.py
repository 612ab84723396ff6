"""Say in which documents nothing is ever suggested, and why."""

from fimserver.complete.other_files import OtherFiles
from fimserver.settings import CompletionSettings
from fimserver.syntax.languages import language_id
from fimserver.uris import path_of
from fimserver.values import Document, Reason, Rejection

# A generated file or a data set: nobody types in it, and its length makes every step slow. Where each line begins is
# kept, too, so that many short lines cost as much as long ones.
LARGEST_FILE_CHARACTERS = 2_000_000
LARGEST_FILE_LINES = 100_000
TOO_LARGE = f"longer than {LARGEST_FILE_CHARACTERS:,} characters or {LARGEST_FILE_LINES:,} lines"

# No text has a zero character, and binary files have one early.
_LOOKED_AT_CHARACTERS = 8_000


def is_too_large(characters: int, lines: int) -> bool:
    """Tell whether nothing is suggested in a text because of its size."""
    return characters > LARGEST_FILE_CHARACTERS or lines > LARGEST_FILE_LINES


def forbidden(document: Document, completion: CompletionSettings, files: OtherFiles | None) -> Rejection | None:
    """Return why nothing is suggested in a document; `files` know the rules that exclude some."""
    if not completion.enabled or document.language in map(language_id, completion.disabled_languages):
        return Rejection(reason=Reason.DISABLED, detail="Switched off by completion.enabled or disabled_languages.")
    if is_too_large(len(document.text), len(document.starts)) or "\0" in document.text[:_LOOKED_AT_CHARACTERS]:
        return Rejection(reason=Reason.UNSUITABLE_FILE, detail=f"The file is binary, or {TOO_LARGE}.")
    path = path_of(document.uri)
    if files and path and (rule := files.rule_against_completion(path)):
        return Rejection(reason=Reason.EXCLUDED, detail=f"The file is excluded by {rule}.")
    return None
