"""Turn an anchor, what was typed since, and snippets into the prompt of a model's profile.

Text that changes least stands first, and typed text is a segment of its own at the end: while the user types, no token
before it changes. Only the profile's own control texts become control tokens; what comes from files stays text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from fimserver.engine.interface import Keep, Prompt, Segment
from fimserver.prompt.profile import LAYOUTS, Order, Profile
from fimserver.text import with_line_ending
from fimserver.values import Anchor, Snippet


def fim_prompt(
    anchor: Anchor,
    typed: str,
    snippets: Sequence[Snippet],
    profile: Profile,
    *,
    path: str,
    repository: str,
) -> Prompt:
    r"""Return the prompt that asks for what follows `typed`.

    `path` (relative to the workspace) and `repository` (its name) may be empty: what names them is left out then.
    Snippets stand in the order given; those that change least should come first.

    >>> anchor = Anchor("untitled:1", 2, 0, prefix="a\n", suffix="\nb", suffix_length=2)
    >>> prompt = fim_prompt(anchor, "x", [], all_profiles()["qwen2.5-coder"], path="", repository="")
    >>> [segment.text for segment in prompt.segments]
    ['<|fim_prefix|>', 'a\n', '<|fim_suffix|>', '\nb', '<|fim_middle|>', 'x']
    """
    layout = profile.layout or LAYOUTS[_order(profile, anchor.prefix)]
    names = {"repository": repository, "path": path}
    parts: Mapping[str, Sequence[Segment]] = {
        "bos": _control(profile.bos),
        "PRE": _control(profile.prefix),
        "SUF": _control(profile.suffix),
        "MID": _control(profile.middle),
        "repository": _filled(profile.repository, profile, names) if repository else [],
        "files": [segment for snippet in snippets for segment in _file(snippet, profile)],
        "header": _filled(profile.header, profile, names) if path else [],
        "prefix": (Segment(anchor.prefix, keep=Keep.TAIL, leading_space=profile.prefix_leading_space),),
        "suffix": (Segment(anchor.suffix, keep=Keep.HEAD),),
        "typed": (Segment(typed),),
    }
    laid_out = [
        segment
        for name, literal in _pieces(layout)
        for segment in (parts[name] if name else _split_controls(literal, profile.controls))
    ]
    return Prompt(tuple(_whole(laid_out, profile)), stop_controls=profile.stop_controls)


def _order(profile: Profile, prefix: str) -> Order:
    """Return the order for a split after this prefix.

    The split, not the cursor, decides: it stays where it is while the user types, so the order does too.
    """
    cuts_a_word = prefix[-1:].isalnum() or prefix[-1:] == "_"
    return (profile.order_inside_token or profile.order) if cuts_a_word else profile.order


def _control(text: str) -> Sequence[Segment]:
    return (Segment(text, control=True),) if text else ()


def _file(snippet: Snippet, profile: Profile) -> Iterator[Segment]:
    """Write another file. It ends as the profile's files end: with one line feed, where theirs do."""
    content = snippet.text.rstrip("\n") if "{content}\n" in profile.file else snippet.text
    for segment in _filled(profile.file, profile, {"path": snippet.path, "content": content}):
        yield replace(segment, keep=Keep.DROP)


def _filled(template: str, profile: Profile, values: Mapping[str, str]) -> list[Segment]:
    """Fill a template. Neighbouring plain texts join, as the model has read them in one piece."""
    segments: list[Segment] = []
    for name, literal in _pieces(template):
        for segment in (Segment(values[name]),) if name else _split_controls(literal, profile.controls):
            if segments and not segments[-1].control and not segment.control:
                segments[-1] = Segment(segments[-1].text + segment.text)
            else:
                segments.append(segment)
    return segments


@cache
def _pieces(template: str) -> tuple[tuple[str, str], ...]:
    """Split a template into (placeholder, "") and ("", literal) pairs.

    >>> _pieces("#{path};")
    (('', '#'), ('path', ''), ('', ';'))
    """
    parts = re.split(r"\{(\w+)\}", template)
    pairs = (("", part) if index % 2 == 0 else (part, "") for index, part in enumerate(parts))
    return tuple(pair for pair in pairs if pair != ("", ""))


@cache
def _split_controls(literal: str, controls: frozenset[str]) -> tuple[Segment, ...]:
    """Split a literal of a template, which is ours and not the user's, into control tokens and plain text."""
    either = "|".join(re.escape(text) for text in sorted(controls, key=len, reverse=True))
    parts = re.split(f"({either})", literal)
    return tuple(Segment(part, control=index % 2 == 1) for index, part in enumerate(parts) if part)


def _whole(segments: Sequence[Segment], profile: Profile) -> Iterator[Segment]:
    """Leave out empty segments, and carriage returns where the profile's model cannot read them."""
    for segment in segments:
        if segment.text:
            clean = profile.only_line_feeds and not segment.control
            yield replace(segment, text=with_line_ending(segment.text, "\n")) if clean else segment
