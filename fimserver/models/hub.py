"""Turn the name of a hub's file into its commit, size and SHA-256, and its bytes into a stream.

The only module that imports huggingface_hub, and it does so when a model was asked for. Mirrors, proxies and offline
mode are chosen by that library's own environment variables (HF_ENDPOINT, HF_HUB_OFFLINE …). Its telemetry is off.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import TypeVar

from fimserver.errors import ModelBroken, ModelError, ModelMissing

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository. `revision` is a branch, a tag or a commit; `name` may hold `*` until it is looked up."""

    repository: str
    name: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Located:
    """Where a file's bytes lie, and how to know that they are the right ones."""

    file: HubFile
    url: str  # names one commit, so its bytes never change
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes on their way: those of the file from `start` on, or none where the server has no such range."""

    start: int | None
    pieces: Iterator[bytes]


# Seconds to wait before each new attempt that follows a failure; bytes that came set the count back.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)

_LONGEST_RETRY_AFTER_S = 60.0
_RANGE_REFUSED = 416
_CONNECT_TIMEOUT_S = 15.0
_SILENCE_TIMEOUT_S = 30.0


class Hub:
    """A model hub. With `token=True` it is told the login of `hf auth login`, with a text that; else nobody's."""

    def __init__(
        self,
        token: bool | str = False,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        # Read when the library is imported. Its telemetry would ask the hub which programs to look for here.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
        self._token = token
        self._pauses_s = pauses_s
        self._cancelled = cancelled

    def named(self, file: HubFile) -> HubFile:
        """Return the file with its real name, looked up in the repository's listing where only a pattern is known."""
        if "*" not in file.name:
            return file
        from huggingface_hub import HfApi

        listing = HfApi(endpoint=_endpoint()).list_repo_files
        names = self.trying(file, lambda: listing(file.repository, revision=file.revision, token=self._token))
        found = sorted(name for name in names if fnmatch(name.lower(), file.name.lower()))
        if not found:
            raise ModelMissing(
                f"{file.repository} has no file like {file.name}. "
                f"Choose one of it: fimserver pull hf:{file.repository}/FILE"
            )
        return replace(file, name=found[0])

    def locate(self, file: HubFile) -> Located:
        """Ask for a file's commit, hash and size. Raises ModelError."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        address = hf_hub_url(file.repository, file.name, revision=file.revision, endpoint=_endpoint())
        found = self.trying(file, lambda: get_hf_file_metadata(address, token=self._token))
        if not re.fullmatch(r"[0-9a-f]{64}", found.etag or "") or not found.size or not found.commit_hash:
            raise ModelError(
                f"{address} was not answered as a hub answers: it names no commit, SHA-256 or size. Check HF_ENDPOINT."
            )
        url = hf_hub_url(file.repository, file.name, revision=found.commit_hash, endpoint=_endpoint())
        return Located(file, url, str(found.etag), found.size)

    @contextmanager
    def stream(self, url: str, start: int) -> Iterator["Stream"]:
        """Open a file's bytes, from `start` on if the server can. Raises ModelBroken for a web page.

        No If-Range is sent: the address names one commit, so the bytes cannot have changed, and the storage behind the
        hub has entity tags of its own that the hub does not tell.
        """
        import httpx2
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        headers = {"Range": f"bytes={start}-"} if start else {}
        headers |= build_hf_headers(token=self._token) | {"Accept-Encoding": "identity"}
        timeout = httpx2.Timeout(_SILENCE_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        with get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
            if response.status_code == _RANGE_REFUSED and start:
                yield Stream(None, iter(()))
                return
            response.raise_for_status()
            if "text/html" in response.headers.get("Content-Type", ""):
                raise ModelBroken(f"{url} was answered with a web page. Check HF_ENDPOINT and your proxy.")
            # Pieces as they come: larger ones would be lost when the connection breaks before they are full.
            goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            yield Stream(start if goes_on else 0, response.iter_raw())

    def trying(
        self, file: HubFile, action: Callable[[], Answer], progressed: Callable[[], bool] = lambda: False
    ) -> Answer:
        """Return what an action returns, tried again while it fails in ways that pass. Raises ModelError."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

        attempt = 0
        while True:
            try:
                return action()
            except OfflineModeIsEnabled as error:
                raise ModelError(
                    "HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it to pull a model."
                ) from error
            except (HfHubHTTPError, httpx2.HTTPError) as error:
                attempt = 0 if progressed() else attempt
                if attempt >= len(self._pauses_s) or not _may_pass(error):
                    raise ModelError(_sentence(file, error)) from error
                self._wait(max(self._pauses_s[attempt], _retry_after_s(error)))
                attempt += 1

    def _wait(self, seconds: float) -> None:
        """Wait, but not once the user has cancelled."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._cancelled():
            time.sleep(min(0.1, seconds))


def _endpoint() -> str | None:
    """Return the mirror to ask. The library reads this when it is imported, which may have been before it was set."""
    return os.environ.get("HF_ENDPOINT")


# What a later attempt may find mended: overload, a broken server, and every failure of the connection itself.
_PASSING_STATUS = frozenset({0, 408, 425, 429, 500, 502, 503, 504})


def _status(error: Exception) -> int:
    """Return the answer's status, 0 where there was no answer."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def _may_pass(error: Exception) -> bool:
    return _status(error) in _PASSING_STATUS


def _retry_after_s(error: Exception) -> float:
    """Return how long the server asks to wait, in bounds."""
    response = getattr(error, "response", None)
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(asked), _LONGEST_RETRY_AFTER_S) if re.fullmatch(r"\d{1,6}", asked) else 0.0


def _sentence(file: HubFile, error: Exception) -> str:
    """Say what went wrong with a file, and what mends it."""
    known = _SENTENCES.get(type(error).__name__) or _STATUS_SENTENCES.get(_status(error))
    if known:
        return known.format(repository=file.repository, name=file.name, revision=file.revision)
    if _status(error):
        return (
            f"The hub answers {_status(error)} for {file.repository}/{file.name}. Try again later; what came is kept."
        )
    reason = str(error) or type(error).__name__
    return f"The hub cannot be reached ({reason}). Check your connection and HF_ENDPOINT; what came is kept."


_REPOSITORY_UNKNOWN = (
    "There is no repository {repository} on the hub, or it is private. Check the name; for a private one log in with "
    "`hf auth login` and pull with --login."
)
_REFUSED = "The hub refuses {repository}/{name}. Log in with `hf auth login` and pull with --login."
_GATED = (
    "{repository} gives its files only to people who have accepted its terms. Accept them at "
    "https://huggingface.co/{repository}, log in with `hf auth login` and pull with --login."
)
_FILE_UNKNOWN = "{repository} has no file {name}. Look at https://huggingface.co/{repository}/tree/{revision}"

# By the name of huggingface_hub's error, then by the status where it has no error of its own.
_SENTENCES = {
    "RepositoryNotFoundError": _REPOSITORY_UNKNOWN,
    "GatedRepoError": _GATED,
    "RemoteEntryNotFoundError": _FILE_UNKNOWN,
    "RevisionNotFoundError": "{repository} has no revision {revision}.",
}
_STATUS_SENTENCES = {401: _REFUSED, 403: _REFUSED, 404: _FILE_UNKNOWN}
