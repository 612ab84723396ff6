"""Find the chunks of other files that are most like what stands around the cursor."""

from collections.abc import Iterator, Mapping
from itertools import islice

from fimserver.retrieval.candidate import Candidate
from fimserver.retrieval.project import Project, are_related
from fimserver.retrieval.query import Query
from fimserver.retrieval.terms import terms_of_word

# The most like chunk is worth as much as a definition that is imported by name, the others less by their score.
_BEST = 0.6

_MOST_CHUNKS = 8
_MOST_WORDS = 60


def similar(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield the chunks of other files most like what stands around the cursor."""
    hits = [
        hit
        for hit in project.similar(_term_weights(query), 3 * _MOST_CHUNKS)
        if are_related(query.path, query.language, hit.path)
    ]
    for hit in hits[:_MOST_CHUNKS]:
        facts = project.facts(hit.path)
        if facts is not None and hit.chunk < len(facts.chunks):
            yield Candidate(hit.path, facts, -1, facts.chunks[hit.chunk], _BEST * hit.score / hits[0].score, "similar")


def _term_weights(query: Query) -> Mapping[int, float]:
    weights: dict[int, float] = {}
    nearest = sorted(query.closeness.items(), key=lambda item: -item[1])
    for word, near in islice(nearest, _MOST_WORDS):
        for term in terms_of_word(word):
            weights[term] = max(weights.get(term, 0.0), near)
    return weights
