"""What the tests of the engine's worker share: the embedded model, prompts in its order, and somebody who listens."""

import threading
from collections.abc import Callable
from pathlib import Path

import fimserver
from fimserver.engine.answer import Answer
from fimserver.engine.interface import Chunk, Finish, GenerateRequest, Keep, Prompt, Segment, Usage
from fimserver.engine.loaded import Loaded
from fimserver.engine.wire import EngineOptions
from fimserver.engine.worker import Job, Worker
from fimserver.errors import FimError

MODEL = Path(fimserver.__file__).parent / "models" / "embedded" / "tiny-fim.gguf"
OPTIONS = EngineOptions(model_path=str(MODEL), context_tokens=4096, threads=1)

# Text that goes on in an obvious way, so that small differences of arithmetic do not change what is likeliest.
PREFIX = "".join(f"    def test_{word}(self):\n        self.assertEqual(1, 1)\n\n" for word in ("one", "two", "three"))
LONG = 1_000  # tokens of a prompt that takes many batches
SUFFIX = "\n\nif __name__ == '__main__':\n    unittest.main()\n"


def fim(prefix: str = PREFIX, suffix: str = SUFFIX, *, before: str = "", keep: Keep = Keep.TAIL) -> Prompt:
    """Return a prompt in the embedded model's order."""
    return Prompt(
        (
            *((Segment(before),) if before else ()),
            Segment("<|fim_prefix|>", control=True),
            Segment("<|fim_suffix|>", control=True),
            Segment(suffix, keep=Keep.HEAD),
            Segment("<|fim_middle|>", control=True),
            Segment(prefix, keep=keep),
        )
    )


class Listener:
    """Hears what a job delivers, and may do something at a chunk, in the worker's thread."""

    def __init__(self, at_chunk: Callable[[Chunk], None] = lambda _: None) -> None:
        self.chunks: list[Chunk] = []
        self.error: FimError | None = None
        self._at_chunk = at_chunk
        self._over = threading.Event()

    def __call__(self, result: Chunk | FimError) -> None:
        if isinstance(result, FimError):
            self.error = result
        else:
            self.chunks.append(result)
            self._at_chunk(result)
        if self.error or self.finish:
            self._over.set()

    def wait(self) -> "Listener":
        assert self._over.wait(200), "no last chunk came"
        return self

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def finish(self) -> Finish | None:
        return self.chunks[-1].finish if self.chunks else None

    @property
    def usage(self) -> Usage:
        return self.chunks[-1].usage


def ask(worker: Worker, request: GenerateRequest) -> Listener:
    """Return all that comes of a request."""
    listener = Listener()
    worker.submit(Job(request, listener))
    return listener.wait()


def run(answer: Answer) -> None:
    """Carry an answer to its end without a worker."""
    for _ in answer.steps():
        pass


def answered(loaded: Loaded, request: GenerateRequest) -> Listener:
    """Return all that comes of a request, computed in this thread."""
    listener = Listener()
    run(Answer(request, 0.0, loaded, listener))
    return listener
