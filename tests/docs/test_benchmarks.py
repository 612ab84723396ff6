"""What benchmarks print is put below their commands, and nothing else is touched."""

import runpy
from types import SimpleNamespace

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


def test_what_the_host_took_is_a_share_of_the_time_in_which_there_was_work() -> None:
    before = SimpleNamespace(user=10.0, nice=1.0, system=2.0, idle=50.0, steal=3.0)
    after = SimpleNamespace(user=15.0, nice=2.0, system=4.0, idle=90.0, steal=5.0)
    assert SCRIPT["_taken"](before, after) == 0.2
    assert SCRIPT["_taken"](SimpleNamespace(user=1.0, system=1.0), SimpleNamespace(user=1.0, system=1.0)) == 0
