"""Which files an import names, by the rules of each language: laid out as small projects."""

from pathlib import Path
from typing import NamedTuple

import pytest

from fimserver.retrieval.imports import Import
from fimserver.retrieval.resolve import Workspace, files_of


class Row(NamedTuple):
    rule: str
    language: str
    source: str  # the file that imports
    wanted: Import
    found: list[str]
    others: dict[str, str]  # the other files, with what stands in them


ROWS = (
    Row("python: a module beside it", "python", "a.py", Import("b"), ["b.py"], {"b.py": ""}),
    Row(
        "python: a module, and then the package it is in",
        "python",
        "app/a.py",
        Import(".shop", (("cart", "cart"),)),
        ["app/shop/cart.py", "app/shop/__init__.py"],
        {"app/shop/__init__.py": "", "app/shop/cart.py": ""},
    ),
    Row(
        "python: two dots are the folder above", "python", "app/in/a.py", Import("..b"), ["app/b.py"], {"app/b.py": ""}
    ),
    Row("python: below src", "python", "tests/a.py", Import("shop"), ["src/shop.py"], {"src/shop.py": ""}),
    Row("python: a stub where there is no source", "python", "a.py", Import("b"), ["b.pyi"], {"b.pyi": ""}),
    Row("python: nothing of that name", "python", "a.py", Import("os.path"), [], {}),
    Row("typescript: beside it", "typescript", "src/a.ts", Import("./b"), ["src/b.ts"], {"src/b.ts": ""}),
    Row("typescript: .js means .ts", "typescript", "a.ts", Import("./b.js"), ["b.ts"], {"b.ts": ""}),
    Row("javascript: a folder's index", "javascript", "a.js", Import("./b"), ["b/index.js"], {"b/index.js": ""}),
    Row(
        "typescript: baseUrl of tsconfig.json",
        "typescript",
        "src/in/a.ts",
        Import("shop/b"),
        ["src/shop/b.ts"],
        {"src/shop/b.ts": "", "tsconfig.json": '{"compilerOptions": {"baseUrl": "src"}}'},
    ),
    Row(
        "javascript: paths of jsconfig.json, one without a star",
        "javascript",
        "a.js",
        Import("lamps"),
        ["lib/lamps.js"],
        {"lib/lamps.js": "", "jsconfig.json": '{"compilerOptions": {"paths": {"lamps": ["lib/lamps"]}}}'},
    ),
    Row(
        "typescript: a tsconfig.json that is none",
        "typescript",
        "a.ts",
        Import("shop/b"),
        [],
        {"shop/b.ts": "", "tsconfig.json": "{"},
    ),
    Row("javascript: @ is src by custom", "javascript", "in/a.js", Import("@/b"), ["src/b.js"], {"src/b.js": ""}),
    Row(
        "javascript: a package of the same repository",
        "javascript",
        "app/a.js",
        Import("@shop/cart/total"),
        ["cart/src/total.js"],
        {"cart/package.json": '{"name": "@shop/cart"}', "cart/src/total.js": ""},
    ),
    Row(
        "go: a package of the module, its tests apart",
        "go",
        "main.go",
        Import("example.com/shop/cart"),
        ["cart/cart.go", "cart/total.go"],
        {"go.mod": "module example.com/shop\n", "cart/cart.go": "", "cart/total.go": "", "cart/cart_test.go": ""},
    ),
    Row("go: another module", "go", "main.go", Import("fmt"), [], {"go.mod": "module example.com/shop\n"}),
    Row(
        "go: a folder that is not there",
        "go",
        "main.go",
        Import("example.com/shop/none"),
        [],
        {"go.mod": "module example.com/shop\n"},
    ),
    Row(
        "rust: from the crate's root",
        "rust",
        "src/main.rs",
        Import("crate::cart", (("Cart", "Cart"),)),
        ["src/cart.rs"],
        {"Cargo.toml": '[package]\nname = "shop"\n', "src/cart.rs": ""},
    ),
    Row(
        "rust: from the module above",
        "rust",
        "src/cart/item.rs",
        Import("super::total", (("sum", "sum"),)),
        ["src/cart/total.rs", "src/cart.rs"],
        {"Cargo.toml": '[package]\nname = "shop"\n', "src/cart.rs": "", "src/cart/total.rs": ""},
    ),
    Row(
        "rust: a submodule", "rust", "src/cart.rs", Import("self::item"), ["src/cart/item.rs"], {"src/cart/item.rs": ""}
    ),
    Row(
        "rust: a folder with mod.rs",
        "rust",
        "src/lib.rs",
        Import("self::cart"),
        ["src/cart/mod.rs"],
        {
            "src/cart/mod.rs": "",
        },
    ),
    Row(
        "rust: another crate of the workspace",
        "rust",
        "app/src/main.rs",
        Import("shop_cart::item", (("Item", "Item"),)),
        ["cart/src/item.rs", "cart/src/lib.rs"],
        {
            "app/Cargo.toml": '[package]\nname = "app"\n',
            "cart/Cargo.toml": '[package]\nname = "shop-cart"\n',
            "cart/src/lib.rs": "",
            "cart/src/item.rs": "",
        },
    ),
    Row(
        "rust: a path that begins at the crate's root, as in 2015",
        "rust",
        "src/cart/item.rs",
        Import("tax"),
        ["src/tax.rs"],
        {"Cargo.toml": '[package]\nname = "shop"\n', "src/tax.rs": "", "src/cart.rs": ""},
    ),
    Row("rust: nothing of that name", "rust", "src/main.rs", Import("std::fmt"), [], {}),
    Row(
        "java: a class",
        "java",
        "src/app/A.java",
        Import("shop.Cart"),
        ["src/shop/Cart.java"],
        {"src/shop/Cart.java": ""},
    ),
    Row(
        "java: a class inside a file's",
        "java",
        "src/app/A.java",
        Import("shop.Cart.Item"),
        ["src/shop/Cart.java"],
        {"src/shop/Cart.java": ""},
    ),
    Row(
        "java: a class in another tree of sources",
        "java",
        "test/app/A.java",
        Import("shop.Cart"),
        ["main/shop/Cart.java"],
        {"main/shop/Cart.java": ""},
    ),
    Row(
        "java: all of a package",
        "java",
        "src/app/A.java",
        Import("shop", star=True),
        ["src/shop/Cart.java", "src/shop/Item.java"],
        {"src/shop/Cart.java": "", "src/shop/Item.java": "", "src/shop/notes.txt": ""},
    ),
    Row(
        "csharp: a namespace that is a project's folder",
        "csharp",
        "src/Shop.Web/A.cs",
        Import("Shop.Till.Coins", star=True),
        ["src/Shop.Till/Coins/Coin.cs"],
        {"src/Shop.Till/Coins/Coin.cs": "", "src/Shop.Till/Coins/notes.txt": ""},
    ),
    Row(
        "csharp: a namespace whose beginning has no folder",
        "csharp",
        "Web/A.cs",
        Import("Acme.Shop.Till", star=True),
        ["Shop/Till/Coin.cs"],
        {"Shop/Till/Coin.cs": ""},
    ),
    Row(
        "csharp: not whatever has a library's last name",
        "csharp",
        "A.cs",
        Import("System.Collections.Generic", star=True),
        [],
        {"Generic/B.cs": ""},
    ),
    Row(
        "php: a class below the folder of its namespace's beginning",
        "php",
        "src/Web/A.php",
        Import("App\\Till\\Coin"),
        ["src/Till/Coin.php"],
        {"src/Till/Coin.php": ""},
    ),
    Row(
        "php: a class at its beginning", "php", "src/A.php", Import("App\\Coin"), ["src/Coin.php"], {"src/Coin.php": ""}
    ),
    Row(
        "php: not whatever has a library's last name",
        "php",
        "src/A.php",
        Import("Psr\\Log\\Level"),
        [],
        {"src/Level.php": ""},
    ),
    Row("c: beside it", "c", "src/a.c", Import("b.h", star=True), ["src/b.h"], {"src/b.h": ""}),
    Row(
        "c: in the folder for headers",
        "c",
        "src/a.c",
        Import("shop/b.h"),
        ["include/shop/b.h"],
        {
            "include/shop/b.h": "",
        },
    ),
    Row(
        "cpp: anywhere it ends so",
        "cpp",
        "src/a.cpp",
        Import("shop/b.hpp"),
        ["far/in/shop/b.hpp"],
        {
            "far/in/shop/b.hpp": "",
        },
    ),
    Row("a language without rules", "haskell", "A.hs", Import("B"), [], {"B.hs": ""}),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_an_import_names(row: Row, tmp_path: Path) -> None:
    for name, text in {row.source: "", **row.others}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    workspace = Workspace((tmp_path,), lambda name: sorted(tmp_path.rglob(name)))
    found = files_of(row.wanted, tmp_path / row.source, row.language, workspace)
    # The importing file itself is never among what it imports.
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        name for name in row.found if name != row.source
    ]
