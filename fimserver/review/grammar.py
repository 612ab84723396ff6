"""The form in which a review is answered, as a GBNF grammar: JSON lines, one for each finding, or `{}` for none.

With it even a model that has little to say can say nothing that does not parse. Everything in it is bounded, so an
answer ends: the fewest tokens that any useful finding needs, times the most findings that anybody reads of one part.
"""

from collections.abc import Iterable

from fimserver.review.findings import Category, Severity

MOST_FINDINGS = 6
_LONGEST_QUOTE = 160
_LONGEST_MESSAGE = 240
_LONGEST_REPLACEMENT = 320


def _one_of(names: Iterable[str]) -> str:
    return " | ".join(f'"\\"{name}\\""' for name in names)


def _text(longest: int) -> str:
    return f'"\\"" character{{1,{longest}}} "\\""'


# What `json.dumps` writes, blanks included: models write JSON so.
FINDINGS_GRAMMAR = rf"""
root ::= "{{}}" | finding{{1,{MOST_FINDINGS}}}
finding ::= "{{\"line\": " line ", \"quote\": " quote ", \"category\": " category ", \"severity\": " severity ", \"message\": " message replacement "}}\n"
line ::= [1-9] [0-9]{{0,5}}
quote ::= {_text(_LONGEST_QUOTE)}
category ::= {_one_of(Category)}
severity ::= {_one_of(Severity)}
message ::= {_text(_LONGEST_MESSAGE)}
replacement ::= (", \"replacement\": " {_text(_LONGEST_REPLACEMENT)})?
character ::= [^"\\\x00-\x1f\x7f] | "\\" ["\\/bfnrt]
""".strip()  # noqa: E501 - a rule of the grammar is one line
