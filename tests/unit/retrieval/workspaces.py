"""Small workspaces: in each one's first file the cursor stands where something of another file is needed."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fimserver.context.cursor import look_around
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.search import Searcher
from fimserver.settings import CompletionSettings, ContextSettings
from fimserver.syntax.languages import language_of_path
from fimserver.values import CursorContext, Snippet
from tests.drawn import CURSOR, drawn


@dataclass(frozen=True)
class Case:
    """Files by name, the first with a cursor; what a prompt there must hold, and the sources that may bring it."""

    title: str
    files: Mapping[str, str]
    needed: str


FILLING = "".join(f"def other_{number}(left, right):\n    return left + right * {number}\n\n\n" for number in range(40))

CASES = (
    Case(
        "python: a member of an imported class",
        {
            "main.py": "from shop.shelf import Shelf\n\nshelf = Shelf()\nshelf.‸\n",
            "shop/shelf.py": "class Shelf:\n    def put_upright(self, book):\n        ...\n",
        },
        "def put_upright(self, book)",
    ),
    Case(
        "python: through a package that passes the name on",
        {
            "app/main.py": "from .shop import Shelf as S\n\nS().‸\n",
            "app/shop/__init__.py": "from .shelf import *\n",
            "app/shop/shelf.py": "class Shelf:\n    def put_upright(self, book): ...\n",
        },
        "def put_upright(self, book)",
    ),
    Case(
        "python: a function of an imported module",
        {"main.py": "import lamp\n\nlamp.‸\n", "lamp.py": FILLING + "def light_candle(wick): ...\n"},
        "def light_candle(wick)",
    ),
    Case(
        "python: an inherited member",
        {
            "main.py": "from base import Shelf\n\n\nclass Big(Shelf):\n    def fill(self):\n        self.‸\n",
            "base.py": "class Shelf:\n    def put_upright(self, book): ...\n",
        },
        "def put_upright(self, book)",
    ),
    Case(
        "python: what a test tests",
        {
            "tests/test_cart.py": "def test_total():\n    ‸\n",
            "shop/cart.py": "def total_with_tax(items): ...\n",
        },
        "def total_with_tax(items)",
    ),
    Case(
        "python: the class a variable is named after",
        {
            "main.py": "def show(tall_shelf):\n    tall_shelf.‸\n",
            "shop.py": "class TallShelf:\n    def put_upright(self, book): ...\n",
        },
        "def put_upright(self, book)",
    ),
    Case(
        "typescript: a named import of a file with another ending",
        {
            "src/main.ts": 'import { Shelf } from "./shelf.js";\n\nconst shelf = new Shelf();\nshelf.‸\n',
            "src/shelf.ts": "export class Shelf {\n  putUpright(book: Book): void {\n    return;\n  }\n}\n",
        },
        "putUpright(book: Book): void",
    ),
    Case(
        "typescript: a path of tsconfig.json",
        {
            "src/main.ts": 'import { lightCandle } from "@lamps/candle";\n\n‸\n',
            "tsconfig.json": '{\n  // a comment\n  "compilerOptions": {"paths": {"@lamps/*": ["lib/*"],}}\n}\n',
            "lib/candle.ts": "export function lightCandle(wick: Wick): Flame {\n  return burn(wick);\n}\n",
        },
        "function lightCandle(wick: Wick): Flame",
    ),
    Case(
        "javascript: a required module",
        {
            "main.js": 'const { lightCandle } = require("./lamp");\n\n‸\n',
            "lamp/index.js": "function lightCandle(wick) {\n  return wick;\n}\nmodule.exports = { lightCandle };\n",
        },
        "function lightCandle(wick)",
    ),
    Case(
        "go: a package of the module",
        {
            "main.go": 'package main\n\nimport "example.org/shop/shelf"\n\nfunc main() {\n\tshelf.‸\n}\n',
            "go.mod": "module example.org/shop\n",
            "shelf/shelf.go": "package shelf\n\nfunc PutUpright(book Book) error {\n\treturn nil\n}\n",
        },
        "func PutUpright(book Book) error",
    ),
    Case(
        "go: the same package, without an import",
        {
            "main.go": "package main\n\nfunc main() {\n\tPutUp‸\n}\n",
            "shelf.go": "package main\n\nfunc PutUpright(book Book) error {\n\treturn nil\n}\n",
        },
        "func PutUpright(book Book) error",
    ),
    Case(
        "rust: a name of a module of the crate",
        {
            "src/main.rs": "mod shelf;\nuse crate::shelf::Shelf;\n\nfn run(shelf: &Shelf) {\n    shelf.‸\n}\n",
            "Cargo.toml": '[package]\nname = "shop"\n',
            "src/shelf.rs": "pub struct Shelf;\n\nimpl Shelf {\n    pub fn put_upright(&self, book: Book) {}\n}\n",
        },
        "pub fn put_upright(&self, book: Book)",
    ),
    Case(
        "java: an imported class",
        {
            "src/app/Main.java": "import shop.Shelf;\n\nclass Main {\n  void run(Shelf shelf) {\n    shelf.‸\n  }\n}\n",
            "src/shop/Shelf.java": "package shop;\n\npublic class Shelf {\n  public void putUpright(Book book) {}\n}\n",
        },
        "public void putUpright(Book book)",
    ),
    Case(
        "csharp: a class of an imported namespace",
        {
            "Web/Main.cs": "using Shop.Shelves;\n\nclass Main\n{\n    void Run(Shelf shelf)\n    {\n        shelf.‸\n",
            "Shop/Shelves/Shelf.cs": (
                "namespace Shop.Shelves;\n\npublic class Shelf\n{\n    public void PutUpright(Book book)\n    {\n"
                "    }\n}\n"
            ),
        },
        "public void PutUpright(Book book)",
    ),
    Case(
        "csharp: a property of the class a class is made from, in the same folder",
        {
            "Shelf.cs": "class Shelf : Furniture\n{\n    int Most() => this.‸;\n}\n",
            "Furniture.cs": "[Wooden]\npublic class Furniture\n{\n    public int WidthInMetres { get; set; }\n}\n",
        },
        "public int WidthInMetres { get; set; }",
    ),
    Case(
        "php: an imported class",
        {
            "src/Web/main.php": (
                "<?php\nuse App\\Shelves\\Shelf;\n\nfunction run(Shelf $shelf)\n{\n    $shelf->‸\n}\n"
            ),
            "src/Shelves/Shelf.php": (
                "<?php\nnamespace App\\Shelves;\n\nclass Shelf\n{\n    public function putUpright(Book $book): void\n"
                "    {\n    }\n}\n"
            ),
        },
        "public function putUpright(Book $book): void",
    ),
    Case(
        "php: a field of the class a class is made from, in the same folder",
        {
            "Shelf.php": "<?php\nclass Shelf extends Furniture\n{\n    function f()\n    {\n        $this->‸\n",
            "Furniture.php": "<?php\nabstract class Furniture\n{\n    protected float $widthInMetres = 1.0;\n}\n",
        },
        "protected float $widthInMetres = 1.0",
    ),
    Case(
        "c: what an included header declares",
        {
            "src/main.c": '#include "shelf.h"\n\nint main(void) {\n    shelf_‸\n}\n',
            "include/shelf.h": "struct shelf;\nint shelf_put_upright(struct shelf *shelf, int book);\n",
        },
        "int shelf_put_upright(struct shelf *shelf, int book);",
    ),
    Case(
        "cpp: a member of a class of an included header",
        {
            "main.cpp": '#include "shelf.hpp"\n\nvoid run(Shelf &shelf) {\n    shelf.‸\n}\n',
            "shelf.hpp": "class Shelf {\npublic:\n    void putUpright(Book book);\n};\n",
        },
        "void putUpright(Book book);",
    ),
    Case(
        "similar code in another file",
        {
            "invoice_report.py": "def write_invoice_report(invoices, folder):\n    for one in invoices:\n        ‸\n",
            "order_report.py": "def write_order_report(orders, folder):\n    for order in orders:\n"
            "        write_invoice_footer(order, folder)\n",
        },
        "write_invoice_footer(order, folder)",
    ),
)


def lay_out(root: Path, files: Mapping[str, str]) -> Path:
    """Write files, without cursors, and return the folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.replace(CURSOR, ""), "utf-8")
    return root


@contextmanager
def searching(root: Path, settings: ContextSettings | None = None) -> Iterator[Searcher]:
    """A searcher of a folder whose index is up to date."""
    settings = settings or ContextSettings()
    searcher = Searcher((root,), Exclusions((root,), settings), notes=settings.notes)
    with closing(searcher.project):
        for _ in searcher.project.refresh():
            pass
        yield searcher


def cursor_in(root: Path, name: str, text: str) -> CursorContext:
    """Return what stands around the cursor of a file."""
    language = language_of_path(name)
    document, offset = drawn(text, language=language.id if language else "", uri=(root / name).as_uri())
    return look_around(document, offset, completion=CompletionSettings(), invoked=True)


def found(searcher: Searcher, context: CursorContext, limit_tokens: int = 500) -> tuple[Snippet, ...]:
    """Return the snippets for a cursor, the best last."""
    return searcher.search(context, limit_tokens).snippets
