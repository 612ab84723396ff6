"""A diff is turned into the lines of each file that changed."""

from pathlib import Path

import pytest

from fimserver.review.diff import FileChange, conflict_line, parse_diff

HEAD = "diff --git a/till.py b/till.py\nindex 1..2 100644\n--- a/till.py\n+++ b/till.py\n"

FIXTURES = Path(__file__).parents[3] / "fixtures" / "diffs"

CONFLICT = "has unresolved merge conflicts"

DIFFS = {
    "a line that changed": (
        HEAD + "@@ -3 +3 @@ def total():\n-    old\n+    new\n",
        FileChange("till.py", (range(2, 3),), {2: ("    old",)}),
    ),
    "lines that were added": (HEAD + "@@ -3,0 +4,2 @@\n+a\n+b\n", FileChange("till.py", (range(3, 5),))),
    "lines that were removed": (HEAD + "@@ -3,2 +2,0 @@\n-a\n-b\n", FileChange("till.py", (), {2: ("a", "b")})),
    "the first line removed": (HEAD + "@@ -1 +0,0 @@\n-a\n", FileChange("till.py", (), {0: ("a",)})),
    "two hunks": (
        HEAD + "@@ -1 +1 @@\n-a\n+b\n@@ -9,0 +10 @@\n+c\n",
        FileChange("till.py", (range(1), range(9, 10)), {0: ("a",)}),
    ),
    "a changed line that looks like a header": (
        HEAD + "@@ -1 +1 @@\n--- a/x\n+++ b/x\n",
        FileChange("till.py", (range(1),), {0: ("-- a/x",)}),
    ),
    "no line end at the end": (
        HEAD + "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n",
        FileChange("till.py", (range(1),), {0: ("a",)}),
    ),
    "a new file": (
        "diff --git a/n.py b/n.py\nnew file mode 100644\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,2 @@\n+a\n+b\n",
        FileChange("n.py", (range(2),)),
    ),
    "a deleted file": (
        "diff --git a/o.py b/o.py\ndeleted file mode 100644\n--- a/o.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
        FileChange("o.py", why_not="was deleted"),
    ),
    "a renamed file": (
        "diff --git a/a b.py b/c d.py\nsimilarity index 90%\nrename from a b.py\nrename to c d.py\n",
        FileChange("c d.py", why_not="has no changed lines"),
    ),
    "a mode that changed": (
        "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n",
        FileChange("run", why_not="has no changed lines"),
    ),
    "a binary file": (
        "diff --git a/logo.png b/logo.png\nindex 1..2\nBinary files a/logo.png and b/logo.png differ\n",
        FileChange("logo.png", why_not="is binary"),
    ),
    "a binary patch": (
        "diff --git a/x.bin b/x.bin\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZQ\n",
        FileChange("x.bin", why_not="is binary"),
    ),
    "a merge in conflict": (
        "diff --cc till.py\n--- a/till.py\n+++ b/till.py\n@@@ -1 -1 +1,5 @@@\n++<<<<<<< HEAD\n",
        FileChange("till.py", why_not=CONFLICT),
    ),
    "a path that is not merged": ("* Unmerged path a.py\n", FileChange("a.py", why_not=CONFLICT)),
    "a submodule": (
        "diff --git a/lib b/lib\nindex 1..2 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n-Subproject 1\n+Subproject 2\n",
        FileChange("lib", why_not="is a submodule"),
    ),
    "a name with blanks, which git ends with a tab": (
        "diff --git a/a b.py b/a b.py\n--- a/a b.py\t\n+++ b/a b.py\t\n@@ -0,0 +1 @@\n+a\n",
        FileChange("a b.py", (range(1),)),
    ),
    "a name in quotes": (
        'diff --git "a/\\303\\244\\t.py" "b/\\303\\244\\t.py"\n+++ "b/\\303\\244\\t.py"\n@@ -0,0 +1 @@\n+a\n',
        FileChange("ä\t.py", (range(1),)),
    ),
    "a binary file whose name is in quotes": (
        'diff --git "a/\\344.bin" "b/\\344.bin"\nBinary files differ differ\n',
        FileChange("\udce4.bin", why_not="is binary"),
    ),
}


@pytest.mark.parametrize(("text", "change"), DIFFS.values(), ids=DIFFS)
def test_a_diff_becomes_lines(text: str, change: FileChange) -> None:
    assert parse_diff(text) == [change]


def test_what_git_writes_of_every_kind_of_change_is_read() -> None:
    assert parse_diff((FIXTURES / "every-kind.diff").read_bytes().decode()) == [
        FileChange("dos.py", (range(1, 2),), {1: ("b = 2",)}),
        FileChange("gone.py", why_not="was deleted"),
        FileChange("käse brot.py", (range(1),), {0: ("x = 1",)}),
        FileChange("logo.png", why_not="is binary"),
        FileChange("new.py", (range(1),)),
        FileChange("new_name.py", (range(2, 3),), {2: ("most = 3",)}),
        FileChange(
            "till.py",
            (range(1, 3), range(6, 7)),
            {1: ("    return sum(prices)",), 6: ("    return total(prices) / len(prices)",)},
        ),
    ]


@pytest.mark.parametrize("text", ["", "no diff\n", "@@ -1 +1 @@\n-a\n+b\n"], ids=["nothing", "prose", "no file"])
def test_what_is_no_diff_has_no_files(text: str) -> None:
    assert parse_diff(text) == []


def test_files_come_in_their_order() -> None:
    assert [change.path for change in parse_diff(HEAD + "".join(DIFFS[name][0] for name in ("a new file",)))] == [
        "till.py",
        "n.py",
    ]


def test_fifty_thousand_lines_are_read() -> None:
    text = HEAD + "@@ -0,0 +1,50000 @@\n" + "+x = 1\n" * 50_000
    [change] = parse_diff(text)
    assert (change.asked, change.count) == ((range(50_000),), 50_000)


ASKED = {
    "added lines": (FileChange("a", (range(3, 5),)), (range(3, 5),)),
    "beside lines that were only removed": (FileChange("a", (), {4: ("x",)}), (range(3, 5),)),
    "removed at the top": (FileChange("a", (), {0: ("x",)}), (range(1),)),
    "a replaced line once": (FileChange("a", (range(3, 4),), {3: ("x",)}), (range(3, 4),)),
}


@pytest.mark.parametrize(("change", "asked"), ASKED.values(), ids=ASKED)
def test_a_review_asks_about_what_changed(change: FileChange, asked: tuple[range, ...]) -> None:
    assert change.asked == asked


CONFLICTS = {
    "two sides": ("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\n", 1),
    "with their base": ("<<<<<<< HEAD\nb\n||||||| 12\nd\n=======\nc\n>>>>>>> main\n", 0),
    "a heading of equal signs": ("Title\n=======\n", None),
    "a marker in a text": ("print('<<<<<<< HEAD')\n", None),
}


@pytest.mark.parametrize(("text", "line"), CONFLICTS.values(), ids=CONFLICTS)
def test_conflicts_that_were_left_are_seen(text: str, line: int | None) -> None:
    assert conflict_line(text) == line
