"""Texts of any kind, for hypothesis to draw from."""

from hypothesis import strategies as st

# Every character but halves of surrogate pairs: what `st.text()` draws too, which first asks of each of a million
# characters whether UTF-8 can hold it. In a fresh clone that takes seconds, in every process that runs tests.
ANY_CHARACTER = st.characters(exclude_categories=("Cs",))

ANY_TEXT = st.text(ANY_CHARACTER)
