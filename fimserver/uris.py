"""Turn the editor's document names into paths, where they are files of this machine."""

import sys
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit


# Asked for several times at every key.
@lru_cache(maxsize=256)
def path_of(uri: str) -> Path | None:
    """Return the path of a `file:` document; None for untitled texts, notebook cells, remote files and the like.

    >>> path_of("file:///a%20b/c.py")
    PosixPath('/a b/c.py')
    >>> path_of("untitled:Untitled-1") is None
    True
    """
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = unquote(parts.path)
    if "\0" in path:
        return None
    return Path(path.lstrip("/") if sys.platform == "win32" else path)


def shown_path(uri: str, roots: tuple[Path, ...]) -> tuple[str, str]:
    """Return a document's path as a prompt names it, and the name of the project it belongs to.

    Only the part inside the workspace is told: where a user keeps projects is nobody's business.

    >>> shown_path("file:///home/me/shop/src/cart.py", (Path("/home/me/shop"),))
    ('src/cart.py', 'shop')
    """
    path = path_of(uri)
    if path is None:
        return uri.rpartition("/")[2].rpartition(":")[2], ""
    for root in roots:
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix(), root.name
    return path.name, ""
