"""Servers over real pipes: `raw` for bytes of any kind, `server` for a well-behaved editor (pytest-lsp)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.raw_client import RawClient


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[RawClient]:
    """A server that nobody has initialized yet."""
    with RawClient(tmp_path) as client:
        yield client


@pytest.fixture
def session(raw: RawClient) -> RawClient:
    """A server that is initialized."""
    raw.initialize()
    return raw


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """One initialized server for a whole table of messages: what one row does must not harm the next."""
    with RawClient(tmp_path_factory.mktemp("shared")) as client:
        client.initialize()
        client.open("abc\n")
        yield client
