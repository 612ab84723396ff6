"""Turn README, docs/ and the other documents into pages: `python scripts/pages.py` writes build/site.

The documents link each other as they lie in the repository. Here they come to lie in one folder, build/pages, and each
link is turned to where its target is then. What zensical.toml says is built from them. A warning is an error, and so is
a page that would fetch anything from elsewhere.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"
SITE = ROOT / "build" / "site"

# Documents outside docs/, and the pages they become.
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}

# What a browser loads by itself when it shows a page, unlike what a reader follows.
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|link)\b[^>]*?\b(?:src|href)=[\"']?(?P<url>(?:https?:)?//[^\"'\s>]+)"
    r"|(?:@import|url\()\s*[\"']?(?P<styled>(?:https?:)?//[^\"')\s]+)"
)

# What a Markdown link or image leads to, but for other sites and places on the same page.
_TARGET = re.compile(r"(?<=\]\()(?!\w+:|#)(?P<path>[^)#\s]+)")


def main() -> None:
    """Write the pages; exit with a sentence where one is not as it should be."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("theme"))
    for source in documents():
        page = PAGES / page_of(source)
        page.write_text(with_turned_links((ROOT / source).read_text("utf-8"), source), "utf-8")
    build = (sys.executable, "-m", "zensical", "build", "--clean", "--strict")
    if subprocess.run(build, cwd=ROOT, check=False).returncode:
        sys.exit("The documents have the faults named above: mend them, and run `make site` again.")
    for path in sorted([*SITE.rglob("*.html"), *SITE.rglob("*.css")]):
        for url in fetched(path.read_text("utf-8")):
            sys.exit(f"{path.relative_to(ROOT)} would fetch {url}: a page may load nothing from elsewhere.")


def fetched(page: str) -> list[str]:
    """Return what a browser would load from elsewhere to show a page.

    >>> fetched('<a href="https://a.example">a</a><img src="//b.example/i.png"><style>@import "https://c.example"')
    ['//b.example/i.png', 'https://c.example']
    """
    return [match["url"] or match["styled"] for match in _FETCHED.finditer(page)]


def documents() -> list[str]:
    """Return every document, as it is called in the repository."""
    return [*OUTSIDE, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]


def page_of(source: str) -> str:
    """Return where a file of the repository lies among the pages.

    >>> page_of("README.md"), page_of("docs/images/typing.svg")
    ('index.md', 'images/typing.svg')
    """
    return OUTSIDE.get(source, source.removeprefix("docs/"))


def with_turned_links(text: str, source: str) -> str:
    """Return a document with its links as they are from its page to those of the others.

    >>> with_turned_links("[a](docs/editors.md#vim) and [b](https://example.com)", "README.md")
    '[a](editors.md#vim) and [b](https://example.com)'
    >>> with_turned_links("[c](../../SECURITY.md)", "docs/decisions/0008.md")
    '[c](../security.md)'
    """
    folder = PurePosixPath(page_of(source)).parent

    def turned(match: re.Match[str]) -> str:
        target = os.path.normpath(PurePosixPath(source).parent / match["path"])
        return os.path.relpath(page_of(Path(target).as_posix()), folder)

    return _TARGET.sub(turned, text)


if __name__ == "__main__":
    main()
