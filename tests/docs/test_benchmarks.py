"""What benchmarks print is put below their commands, and nothing else is touched."""

import runpy

from tests.docs.blocks import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "benchmarks.py"))

TEXT = """Before.

```sh
fimserver bench first
```

<!-- printed: first -->
old
<!-- end -->

```sh
fimserver bench second
```

<!-- printed: second -->
kept
<!-- end -->
"""


def test_an_output_takes_the_place_of_the_one_before() -> None:
    assert SCRIPT["with_output"](TEXT, "first", "new \\1\n") == TEXT.replace("old\n", "new \\1\n")


def test_every_place_of_the_document_stands_below_its_command() -> None:
    document = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    names = [found["name"] for found in SCRIPT["_PLACE"].finditer(document)]
    assert len(names) == len(set(names)) == document.count("<!-- printed: ") > 0
