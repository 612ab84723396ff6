"""A download ends in the right file, or in a sentence and no file; what came once is not fetched again."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from fimserver.bench.gguf_file import TensorToWrite, write_gguf
from fimserver.errors import ModelBroken, ModelError
from fimserver.models.download import Progress, parts_of, pull, source_of
from fimserver.models.hub import Hub, HubFile
from fimserver.models.partial import PartialFile, remove_forgotten
from tests.unit.models.hub_server import (
    COMMIT,
    Fault,
    Handler,
    HubServer,
    cut_after,
    other_bytes,
    short_but_whole,
    status,
    too_many_bytes,
    web_page,
    whole_file,
)

NAME = "hf:o/r/m.gguf"
NO_PAUSES = (0.0,) * 5


def model_bytes(folder: Path, numbers: int) -> bytes:
    content = random.Random(numbers).randbytes(4 * numbers)
    path = folder / "made.gguf"
    write_gguf(path, {"general.architecture": "qwen2"}, [TensorToWrite("t", (numbers,), "F32", lambda: [content])])
    return path.read_bytes()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    with HubServer({"o/r/m.gguf": model_bytes(tmp_path, 500_000)}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        huggingface_hub.close_session()  # it remembers proxies
        yield server
        huggingface_hub.close_session()


def fetch(name: str = NAME, **options: object) -> Path:
    path = pull(name, pauses_s=NO_PAUSES, **options)
    assert path is not None
    return path


def refusal(name: str = NAME, kind: type[ModelError] = ModelError, **options: object) -> str:
    with pytest.raises(kind) as caught:
        fetch(name, **options)
    return str(caught.value)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("**/*") if path.suffix in {".part", ".lock"})


class TestOrdinarily:
    def test_the_file_lands_where_use_finds_it(self, hub: HubServer, tmp_path: Path) -> None:
        path = fetch()
        assert path == tmp_path / "models" / "o" / "r" / "m.gguf"
        assert path.read_bytes() == hub.files["o/r/m.gguf"]
        assert leftovers(tmp_path) == []

    def test_the_bytes_are_those_of_one_commit(self, hub: HubServer) -> None:
        fetch()
        assert next(path for method, path, _ in hub.requests if method == "GET") == f"/o/r/resolve/{COMMIT}/m.gguf"

    def test_another_folder(self, hub: HubServer, tmp_path: Path) -> None:
        assert fetch(to=tmp_path / "elsewhere") == tmp_path / "elsewhere" / "m.gguf"

    def test_what_is_there_is_not_fetched_again(self, hub: HubServer) -> None:
        fetch()
        before = hub.served_bytes
        fetch()
        assert hub.served_bytes == before

    def test_all_parts_of_a_split_model(self, hub: HubServer, tmp_path: Path) -> None:
        for number in (1, 2, 3):
            hub.files[f"o/r/big-0000{number}-of-00003.gguf"] = model_bytes(tmp_path, 100 + number)
        path = fetch("hf:o/r/big-00001-of-00003.gguf")
        assert path.name == "big-00001-of-00003.gguf"
        assert len(list(path.parent.glob("big-*.gguf"))) == 3

    def test_progress_ends_with_all_bytes(self, hub: HubServer) -> None:
        seen: list[Progress] = []
        fetch(on_progress=seen.append)
        size = len(hub.files["o/r/m.gguf"])
        assert (seen[-1].name, seen[-1].done_bytes, seen[-1].total_bytes, seen[-1].left_s) == (
            "m.gguf",
            size,
            size,
            0.0,
        )
        assert [step.done_bytes for step in seen] == sorted(step.done_bytes for step in seen)

    def test_nobodys_login_is_sent_unasked(self, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        fetch()
        assert not any("authorization" in headers for _, _, headers in hub.requests)

    def test_a_login_goes_to_the_hub_and_not_to_its_storage(self, hub: HubServer) -> None:
        fetch(token="hf_secret")
        sent = {
            path.split("/")[1]
            for _, path, headers in hub.requests
            if headers.get("authorization") == "Bearer hf_secret"
        }
        assert sent == {"o"}


RECOVERED: dict[str, list[Fault]] = {
    "a cut connection": [cut_after(300_000)],
    "five cuts": [cut_after(300_000)] * 5,
    "more cuts than attempts, each after some bytes": [cut_after(100_000)] * 12,
    "an overloaded server": [status(503), status(429, Retry_After="0")],
    "a broken server": [status(500), cut_after(1_000_000), status(502)],
    "a server that ignores the range": [cut_after(300_000), whole_file],
    "a server that has no such range": [cut_after(300_000), status(416)],
}


REFUSED: dict[str, tuple[list[Fault], str]] = {
    "bytes with another hash": ([other_bytes], "are not those that were published"),
    "a web page instead of bytes": ([web_page], "was answered with a web page"),
    "more bytes than the file has": ([too_many_bytes], "More bytes came for m.gguf than it has"),
    "fewer bytes than the file has": ([short_but_whole], "ends 10 bytes early"),
    "a file that went away": ([status(404)], "o/r has no file m.gguf"),
    "storage that refuses": ([status(403)], "The hub refuses o/r/m.gguf"),
    "a server that never has the range": ([cut_after(1000), status(416), status(416)], "answers 416"),
}


UNKNOWN = {
    "no such repository": ("hf:o/none/m.gguf", "There is no repository o/none on the hub, or it is private"),
    "no such file": ("hf:o/r/none.gguf", "o/r has no file none.gguf"),
    "no such revision": ("hf:o/r/m.gguf@v9", "o/r has no revision v9"),
}


class TestMishaps:
    @pytest.mark.parametrize("faults", RECOVERED.values(), ids=RECOVERED)
    def test_survives(self, hub: HubServer, faults: list[Fault]) -> None:
        hub.faults += faults
        assert fetch().read_bytes() == hub.files["o/r/m.gguf"]
        assert hub.faults == []

    def test_a_cut_costs_no_byte_twice(self, hub: HubServer) -> None:
        hub.faults += [cut_after(700_000), cut_after(700_000)]
        fetch()
        assert hub.served_bytes == len(hub.files["o/r/m.gguf"])

    def test_a_question_that_failed_is_asked_again(self, hub: HubServer) -> None:
        hub.heads += [status(503), status(500)]
        assert fetch().exists()

    def test_a_later_run_goes_on_where_an_earlier_one_gave_up(self, hub: HubServer, tmp_path: Path) -> None:
        hub.faults += [cut_after(1_500_000)] + [status(503)] * 6
        assert "The hub answers 503 for o/r/m.gguf. Try again later" in refusal()
        assert leftovers(tmp_path) == [f"{hashlib.sha256(hub.files['o/r/m.gguf']).hexdigest()}.part"]
        fetch()
        assert hub.served_bytes == len(hub.files["o/r/m.gguf"])

    @pytest.mark.parametrize(("faults", "sentence"), REFUSED.values(), ids=REFUSED)
    def test_refuses(self, hub: HubServer, tmp_path: Path, faults: list[Fault], sentence: str) -> None:
        hub.faults += faults
        assert sentence in refusal()
        assert not (tmp_path / "models/o/r/m.gguf").exists()
        assert fetch().read_bytes() == hub.files["o/r/m.gguf"]

    def test_wrong_bytes_do_not_stay(self, hub: HubServer, tmp_path: Path) -> None:
        hub.faults += [other_bytes]
        refusal(kind=ModelBroken)
        (part,) = tmp_path.glob("models/**/*.part")
        assert part.stat().st_size == 0

    @pytest.mark.parametrize(("name", "sentence"), UNKNOWN.values(), ids=UNKNOWN)
    def test_unknown(self, hub: HubServer, name: str, sentence: str) -> None:
        assert sentence in refusal(name)

    def test_terms_to_accept(self, hub: HubServer) -> None:
        hub.heads += [status(403, X_Error_Code="GatedRepo")]
        assert "accepted its terms" in refusal()

    @pytest.mark.parametrize("head", [web_page, status(200, ETag='"abc"')], ids=["a web page", "a file without hash"])
    def test_an_address_that_is_no_hub(self, hub: HubServer, head: Fault) -> None:
        hub.heads += [head]
        assert "was not answered as a hub answers" in refusal()

    def test_nobody_listens(self, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        assert "The hub cannot be reached" in refusal()

    def test_a_published_file_that_is_no_model(self, hub: HubServer) -> None:
        hub.files["o/r/m.gguf"] = b"GGUF nonsense"
        assert "is no sound GGUF file" in refusal(kind=ModelBroken)


class TestDisk:
    def test_a_file_that_does_not_fit_is_not_begun(self, hub: HubServer, tmp_path: Path) -> None:
        hub.claims["X-Linked-Size"] = str(10**15)
        assert "m.gguf needs 1000000.00 GB more" in refusal()
        assert "--to" in refusal()
        assert hub.served_bytes == 0

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    def test_a_disk_that_is_full_midway_says_how_to_go_on(self, hub: HubServer, tmp_path: Path) -> None:
        sha256 = hashlib.sha256(hub.files["o/r/m.gguf"]).hexdigest()
        folder = tmp_path / "models" / "o" / "r"
        folder.mkdir(parents=True)
        (folder / f"{sha256}.part").symlink_to("/dev/full")
        assert "is full. Free 2.0 MB and run the same command again" in refusal()

    def test_a_folder_that_is_a_file(self, hub: HubServer, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("")
        assert "cannot be written to" in refusal(to=tmp_path / "taken" / "below")

    def test_two_downloads_of_one_file_do_not_meet(self, hub: HubServer, tmp_path: Path) -> None:
        content = hub.files["o/r/m.gguf"]
        target = tmp_path / "models" / "o" / "r" / "m.gguf"
        with PartialFile(target, hashlib.sha256(content).hexdigest(), len(content)):
            assert "is being downloaded by another process" in refusal()
        assert fetch() == target

    def test_a_part_longer_than_the_file_is_begun_again(self, hub: HubServer, tmp_path: Path) -> None:
        content = hub.files["o/r/m.gguf"]
        folder = tmp_path / "models" / "o" / "r"
        folder.mkdir(parents=True)
        (folder / f"{hashlib.sha256(content).hexdigest()}.part").write_bytes(content + b"more")
        assert fetch().read_bytes() == content

    def test_forgotten_parts_are_removed_after_two_weeks(self, tmp_path: Path) -> None:
        old, young = tmp_path / "old.part", tmp_path / "young.part"
        for path, age_days in ((old, 15), (young, 13)):
            path.write_bytes(b"x")
            os.utime(path, (0, 1_000_000_000 - age_days * 86_400))
        assert remove_forgotten(tmp_path, now_s=1_000_000_000) == [old]
        assert young.exists()


class TestStopping:
    def test_cancelling_keeps_what_came(self, hub: HubServer, tmp_path: Path) -> None:
        answers = iter([False] * 3)  # then true: cancelled before the fourth piece
        assert pull(NAME, cancelled=lambda: next(answers, True), pauses_s=NO_PAUSES) is None
        (part,) = tmp_path.glob("models/**/*.part")
        kept = part.stat().st_size
        assert 0 < kept < len(hub.files["o/r/m.gguf"])
        fetch()
        assert hub.requests[-1][2]["range"] == f"bytes={kept}-"

    def test_a_killed_download_goes_on(self, hub: HubServer, tmp_path: Path) -> None:
        content = hub.files["o/r/m.gguf"]
        for stop in (300_000, 900_000, 1_400_000):
            killed_download(hub, stop)
        assert fetch().read_bytes() == content
        assert hub.served_bytes <= 1.05 * len(content)
        assert leftovers(tmp_path) == []

    @pytest.mark.soak
    @pytest.mark.timeout(1200)
    def test_fifty_kills_of_a_large_download(self, hub: HubServer, tmp_path: Path) -> None:
        content = hub.files["o/r/m.gguf"] = model_bytes(tmp_path, 50_000_000)
        for stop in sorted(random.Random(1).sample(range(len(content)), 50)):
            killed_download(hub, stop)
        assert fetch().read_bytes() == content
        twice = hub.served_bytes / len(content) - 1
        print(f"{len(content):,} bytes, 50 kills: {twice:.2%} fetched twice")
        assert twice <= 0.05
        assert leftovers(tmp_path) == []


def killed_download(hub: HubServer, stop: int) -> None:
    """Run a download in a process of its own, and kill it once it has the file's first `stop` bytes."""
    sha256 = hashlib.sha256(hub.files["o/r/m.gguf"]).hexdigest()
    part = Path(os.environ["FIMSERVER_HOME"]) / "models" / "o" / "r" / f"{sha256}.part"
    reached, released = threading.Event(), threading.Event()

    def send_and_hold(handler: Handler, whole: bytes, start: int) -> None:
        handler.start(
            206 if start else 200,
            {
                "Content-Length": str(len(whole) - start),
                "Content-Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}",
            },
        )
        handler.hub.served_bytes += max(0, stop - start)
        handler.wfile.write(whole[start:stop])
        reached.set()
        released.wait(200)
        handler.close_connection = True

    hub.faults.append(send_and_hold)
    code = f"from fimserver.models.download import pull; pull({NAME!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        assert reached.wait(200)
        while (
            process.poll() is None and (part.stat().st_size if part.exists() else 0) < stop // (256 * 1024) * 256 * 1024
        ):
            released.wait(0.005)
        process.send_signal(signal.SIGKILL)
    released.set()


NAMED = {
    "hf:o/r/m.gguf": HubFile("o/r", "m.gguf"),
    "hf:o/r/sub/m.gguf": HubFile("o/r", "sub/m.gguf"),
    "hf:o/r/m.gguf@v1.0": HubFile("o/r", "m.gguf", "v1.0"),
    "qwen2.5-coder-1.5b": HubFile("ggml-org/Qwen2.5-Coder-1.5B-Q8_0-GGUF", "qwen2.5-coder-1.5b-q8_0.gguf"),
}


@pytest.mark.parametrize(("name", "expected"), NAMED.items(), ids=NAMED)
def test_source(name: str, expected: HubFile) -> None:
    assert source_of(name) == expected


UNFIT = {
    "hf:o/r": "names no file of the hub",
    "hf:m.gguf": "names no file of the hub",
    "hf:o/r/../../../etc/m.gguf": "names no file of the hub",
    "hf:o/r/..\\m.gguf": "names no file of the hub",
    "hf:o/r/m.gguf?download=true": "names no file of the hub",
    "hf:o/r/model.safetensors": "is no GGUF file",
    "hf:o/r/pytorch_model.bin": "is no GGUF file",
    "unknown-model": "There is no model 'unknown-model'",
}


@pytest.mark.parametrize(("name", "sentence"), UNFIT.items(), ids=UNFIT)
def test_source_refuses(name: str, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        source_of(name)


def test_parts_of_a_whole_file() -> None:
    assert parts_of(HubFile("o/r", "m.gguf")) == [HubFile("o/r", "m.gguf")]


def test_a_pattern_is_looked_up_in_the_listing(hub: HubServer) -> None:
    hub.files |= {"o/r/M-Q8_0.gguf": b"", "o/r/README.md": b""}
    assert Hub().named(HubFile("o/r", "*q8_0.gguf")) == HubFile("o/r", "M-Q8_0.gguf")
    with pytest.raises(ModelError, match=r"o/r has no file like \*q4_k_m\.gguf"):
        Hub().named(HubFile("o/r", "*q4_k_m.gguf"))
