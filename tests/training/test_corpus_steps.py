"""From installed packages to a corpus: what is kept, on which side of the split, and what stops it."""

import json
from collections import Counter

import pytest

from fimserver.errors import FimError
from training.cleaning import normalised, why_unwanted
from training.corpus import Source, Split, read_corpus, write_corpus
from training.duplicates import line_hashes, share_seen
from training.prepare import prepare, split_of, without_leaks
from training.sources import Package, installed


def code(name: str, lines: int = 12) -> str:
    """Return a file whose long lines no other name's file has."""
    return "".join(
        f"{name}_value_number_{number} = compute_the_value('{name}', step)\n"
        for number in map(chr, range(97, 97 + lines))
    )


def write_package(site, name: str, licence: str, files: dict[str, str]) -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
    )
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        pytest.param("a\r\nb\rc\n", "a\nb\nc\n", id="line feeds only"),
        pytest.param("a  \nb\t\n", "a\nb\n", id="no blanks at line ends"),
        pytest.param("if a:\n\tb\n", "if a:\n    b\n", id="spaces for tabs"),
        pytest.param("\n\na\n\n\n\n\nb", "a\n\n\nb\n", id="at most two empty lines in a row"),
    ],
)
def test_normalised(text, clean):
    assert normalised(text) == clean


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        pytest.param("a/b.py", code("plain"), "", id="ordinary code is kept"),
        pytest.param("pip/_vendor/b.py", code("plain"), "path", id="a copy of another project"),
        pytest.param("a/b_pb2.py", code("plain"), "path", id="written by a compiler"),
        pytest.param("a.py", "x = 1\n", "length", id="too short"),
        pytest.param("a.py", "x = '" + "y" * 500 + "'\n", "long lines", id="a line too long"),
        pytest.param("a.py", "x = [\n" + "    12345, 67890, 12345,\n" * 20 + "]\n", "table", id="numbers"),
        pytest.param("a.py", code("plain") + "print 'x'\n", "not Python 3", id="Python 2"),
    ],
)
def test_why_unwanted(path, text, why):
    assert why_unwanted(path, text) == why


@pytest.mark.parametrize(
    ("lines", "share"),
    [
        pytest.param(code("known"), 1.0, id="the same file"),
        pytest.param(code("new"), 0.0, id="another file"),
        pytest.param(code("known", 3) + code("new", 9), 0.25, id="a quarter of it"),
        pytest.param("import os\n", 0.0, id="short lines are everybody's"),
    ],
)
def test_share_seen(lines, share):
    assert share_seen(lines, line_hashes([code("known")])) == share


def test_the_split_follows_from_the_name_alone():
    sides = Counter(split_of("package", f"module_{number}.py") for number in range(5000))
    assert 0.01 < sides[Split.HELDOUT] / 5000 < 0.03
    assert split_of("flask", "app.py") is Split.UNSEEN


@pytest.mark.parametrize(
    ("train", "heldout", "kept"),
    [
        pytest.param(code("a"), code("b"), {"train", "heldout"}, id="different files stay"),
        pytest.param(
            code("a") + code("b"), code("b"), {"heldout"}, id="a training file that gives the other away goes"
        ),
        pytest.param(code("a", 26), code("a", 3) + code("b", 2), {"train"}, id="a held-out file that is known goes"),
    ],
)
def test_nothing_held_out_is_given_away(train, heldout, kept):
    sources = [Source("p", "1", "t.py", Split.TRAIN, train), Source("p", "1", "h.py", Split.HELDOUT, heldout)]
    assert {source.split.value for source in without_leaks(sources, Counter())} == kept


def test_another_version_of_a_training_file_goes():
    sources = [Source("p", "1", f"{number}.py", Split.TRAIN, code("a") + code(str(number), 1)) for number in range(3)]
    left_out = Counter()
    assert len(without_leaks(sources, left_out)) == 1
    assert left_out["repetition"] == 2


def test_only_permissive_packages_are_learnt_from(tmp_path):
    write_package(tmp_path, "free", "MIT", {"free/a.py": code("free")})
    write_package(tmp_path, "bound", "GPL-3.0-only", {"bound/a.py": code("bound")})
    packages, refused = installed([tmp_path])
    assert [(package.name, package.licence, list(package.files)) for package in packages] == [
        ("free", "MIT", ["free/a.py"])
    ]
    assert refused == {"bound": "GPL-3.0-only"}


def test_the_manifest_names_every_package_with_version_licence_and_hash(tmp_path):
    write_package(tmp_path / "site", "free", "MIT", {f"free/{name}.py": code(name) for name in "abcd"})
    packages, refused = installed([tmp_path / "site"])
    prepare(tmp_path / "out", packages, refused)
    (row,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["packages"]
    assert (row["package"], row["version"], row["licence"], row["files"], len(row["sha256"])) == (
        "free",
        "1.0",
        "MIT",
        4,
        64,
    )
    assert {source.path for source in read_corpus(tmp_path / "out", Split.TRAIN)} == {
        f"free/{name}.py" for name in "abcd"
    }


def test_without_a_permissive_file_it_stops_and_writes_nothing(tmp_path):
    with pytest.raises(FimError, match="No file may be learnt from"):
        prepare(tmp_path / "out", [Package("empty", "1", "MIT", {})], {})
    assert not (tmp_path / "out").exists()


def test_a_limit_takes_training_files_only(tmp_path):
    write_package(tmp_path / "site", "free", "MIT", {f"free/{name}.py": code(name) for name in "abcd"})
    write_package(tmp_path / "site", "flask", "MIT", {"flask/app.py": code("app")})
    packages, refused = installed([tmp_path / "site"])
    prepare(tmp_path / "out", packages, refused, most_characters=2 * len(code("a")))
    assert len(read_corpus(tmp_path / "out", Split.TRAIN)) == 2
    assert len(read_corpus(tmp_path / "out", Split.UNSEEN)) == 1


@pytest.mark.parametrize(
    "content",
    [pytest.param(None, id="no corpus"), pytest.param(b"half", id="no archive"), pytest.param(b"cut", id="cut off")],
)
def test_half_a_corpus_is_refused_with_the_command_that_makes_one(tmp_path, content):
    write_corpus(tmp_path, [Source("p", "1", "a.py", Split.TRAIN, code("a"))], {})
    archive = tmp_path / "corpus.jsonl.xz"
    whole = archive.read_bytes()
    archive.unlink() if content is None else archive.write_bytes(whole[:-20] if content == b"cut" else content)
    with pytest.raises(FimError, match=r"python -m training\.prepare"):
        read_corpus(tmp_path, Split.TRAIN)
