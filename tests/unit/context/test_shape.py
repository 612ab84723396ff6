"""Where a line is asked for, where a block, and where nothing: one row per rule and language, the cursor drawn as ‸."""

import pytest

from fimserver.context.cursor import look_around
from fimserver.settings import CompletionSettings
from fimserver.syntax.kept import forget
from fimserver.values import CursorContext, Reason, Shape
from tests.drawn import drawn

LINE, BLOCK = Shape.LINE, Shape.BLOCK
INSIDE, FINISHED = Reason.INSIDE_STATEMENT, Reason.FINISHED_STATEMENT

Row = tuple[str, str, Shape | Reason]

PYTHON: tuple[Row, ...] = (
    ("a value after =", "total = ‸", LINE),
    ("a value in the middle of a name", "total = pri‸", LINE),
    ("an empty file", "‸", LINE),
    ("a blank line at top level", "import os\n\n‸\n", LINE),
    ("a blank line between statements", "def f():\n    a = 1\n    ‸\n    return a\n", LINE),
    ("a statement after a body's first", "def f():\n    a = 1\n    ‸", LINE),
    ("an argument before the closing bracket", "print(‸)", LINE),
    ("an argument, bracket and colon behind", "for x in range(‸):\n    pass\n", LINE),
    ("a string's end and bracket behind", "print('hello‸')", LINE),
    ("an index", "row[‸]", LINE),
    ("a dictionary's first key", "x = {‸}", LINE),
    ("a dictionary's first key, brace still open", "x = {‸", LINE),
    ("a dictionary's value", "x = {\n    'a':‸\n}", LINE),
    ("a slice's colon opens no block", "part = row[1:‸]", LINE),
    ("an annotation's colon opens no block", "x:‸", LINE),
    ("a lambda's colon opens no block", "key = lambda row:‸", LINE),
    ("a name before a bracket that is not closed", "print(‸", LINE),
    ("the next argument of a call over several lines", "f(\n    a,\n    ‸\n)", LINE),
    ("an import", "from os import ‸", LINE),
    ("a decorator", "@‸\ndef f():\n    pass\n", LINE),
    ("a condition", "if x > ‸", LINE),
    ("a condition whose body is there", "if ‸:\n    pass\n", LINE),
    ("a class's name", "class ‸", LINE),
    ("parameters", "def area(‸", LINE),
    ("parameters, closed by the editor", "def area(‸):", LINE),
    ("a return type", "def area(r) -> ‸:", LINE),
    ("after a dot", "self.‸", LINE),
    ("inside an f-string's hole", "f'{na‸}'", LINE),
    ("inside a string", "name = 'Ad‸'", LINE),
    ("inside a comment", "x = 1  # the‸", LINE),
    ("inside a docstring", 'def f():\n    """Return ‸\n    """\n    return 1\n', LINE),
    ("after a whole statement that may go on", "rows = load(path)‸", LINE),
    ("a comment with code under it", "# the mean of all values\n‸\nmean = 1\n", LINE),
    ("a commented-out line describes nothing", "# x = compute(y);\n‸", LINE),
    ("a tool's comment describes nothing", "# noqa: this line is long\n‸", LINE),
    ("a licence describes nothing", "# Copyright 2020 the authors of it\n‸", LINE),
    ("after a signature", "def area(r):‸", BLOCK),
    ("after a signature with blanks behind", "def area(r): ‸", BLOCK),
    ("after a signature and its comment", "def area(r):  # of a circle\n    ‸", BLOCK),
    ("after a signature over several lines", "def area(\n    r: float,\n) -> float:‸", BLOCK),
    ("after an asynchronous signature", "async def load(path):‸", BLOCK),
    ("an empty body", "def area(r):\n    ‸", BLOCK),
    ("an empty body, the next definition below", "def a():\n    ‸\n\ndef b():\n    pass\n", BLOCK),
    ("an empty body where the editor left no indentation", "def area(r):\n‸", BLOCK),
    ("an empty body in a class", "class A:\n    def f(self):\n        ‸\n\n    def g(self):\n        pass\n", BLOCK),
    ("a body that is a docstring", 'def area(r):\n    """Return the area."""\n    ‸', BLOCK),
    ("a body that is a comment", "def area(r):\n    # of a circle\n    ‸", BLOCK),
    ("an empty class", "class Shelf:\n    ‸", BLOCK),
    ("after if", "if x > 1:‸", BLOCK),
    ("after else", "if x:\n    y()\nelse:‸", BLOCK),
    ("after elif", "if x:\n    y()\nelif z:\n    ‸", BLOCK),
    ("after for", "for row in rows:‸", BLOCK),
    ("after with", "with open(path) as file:\n    ‸", BLOCK),
    ("after try", "try:\n    ‸", BLOCK),
    ("after except", "try:\n    a()\nexcept OSError:\n    ‸", BLOCK),
    ("after a signature whose last line stands in", "def area(r,\n         s):‸", BLOCK),
    ("an empty body under such a signature", "def area(r,\n         s):\n    ‸", BLOCK),
    ("after match and case", "match x:\n    case 1:\n        ‸", BLOCK),
    ("under a comment that describes", "# the mean of all values\n‸", BLOCK),
    (
        "under a comment that describes, in a function",
        "def f(xs):\n    a = 1\n    # the mean of all values\n    ‸\n",
        BLOCK,
    ),
    ("code follows", "print(‸value)", INSIDE),
    ("code follows after blanks", "total = ‸ + 1", INSIDE),
    ("a comment follows", "total = ‸  # in euros", INSIDE),
    ("before the code of a line", "    ‸return x", INSIDE),
    ("in the middle of a word", "pri‸nt(x)", INSIDE),
    ("a signature whose body is there", "def f():‸\n    return 1\n", FINISHED),
    ("an if whose body is there", "if x:‸\n    return 1\n", FINISHED),
    ("a docstring just closed", 'def f():\n    """Return one."""‸\n', FINISHED),
)

JAVASCRIPT: tuple[Row, ...] = (
    ("a value after =", "const total = ‸", LINE),
    ("a value before the semicolon", "const total = ‸;", LINE),
    ("an argument before the closers", "console.log(‸);", LINE),
    ("a property", "point.‸", LINE),
    ("an object's first key", "const point = {‸}", LINE),
    ("an object's first key in a call", "draw({‸});", LINE),
    ("a condition before its brace", "if (‸) {\n  run();\n}", LINE),
    ("a loop's header after its semicolon", "for (let i = 0;‸)", LINE),
    ("a template's hole", "const s = `${na‸}`", LINE),
    ("inside a template", "const s = `hello ‸`", LINE),
    ("inside a comment", "// the m‸", LINE),
    ("inside a documentation comment", "/**\n * Returns ‸\n */\nfunction f() {}\n", LINE),
    ("a blank line between statements", "function f() {\n  a();\n  ‸\n  b();\n}", LINE),
    ("after a semicolon and a blank", "a(); ‸", LINE),
    ("after a closed block and a blank", "if (x) {\n  a();\n} ‸", LINE),
    ("a case's label", "switch (x) {\n  case ‸\n}", LINE),
    ("an export", "export ‸", LINE),
    ("a function's body", "function area(r) {‸}", BLOCK),
    ("a function's body, brace still open", "function area(r) {‸", BLOCK),
    ("a function's body on its own line", "function area(r) {\n  ‸\n}", BLOCK),
    ("a method's body", "class A {\n  area(r) {\n    ‸\n  }\n}", BLOCK),
    ("an arrow function's body", "rows.map((row) => {‸})", BLOCK),
    ("an arrow function's body, closers below", "rows.map((row) => {\n  ‸\n});", BLOCK),
    ("after else", "if (x) {\n  a();\n} else {‸}", BLOCK),
    ("after try", "try {‸}", BLOCK),
    ("after a case", "switch (x) {\n  case 1:‸\n}", BLOCK),
    ("a case's body", "switch (x) {\n  case 1:\n    ‸\n}", BLOCK),
    ("after the default, one case above", "switch (x) {\n  case 1:\n    a();\n  default:‸\n}", BLOCK),
    ("a case's own block", 'switch (x) {\n  case "a": {\n    ‸\n  }\n}', BLOCK),
    ("a class that is exported", "module.exports = class Shelf {\n  ‸\n};", BLOCK),
    ("a condition over several lines", "if (\n  a ||\n  b) {‸}", BLOCK),
    ("a pattern that looks like a comment", "if (/https?:\\/\\//.test(url)) {‸}", BLOCK),
    ("a class's body", "class Shelf {‸}", BLOCK),
    ("a loop's body", "for (const row of rows) {\n  ‸\n}", BLOCK),
    ("under a comment that describes", "function f(xs) {\n  // the mean of all values\n  ‸\n}", BLOCK),
    ("a body that is a comment", "function f() {\n  // nothing yet\n  ‸\n}", BLOCK),
    ("code follows", "log(‸value);", INSIDE),
    ("after a semicolon", "const a = 1;‸", FINISHED),
    ("after a closed block", "function f() {\n  a();\n}‸", FINISHED),
    ("after closers and a semicolon", "rows.map((row) => {\n  a();\n});‸", FINISHED),
    ("a header whose body is there", "function f() {‸\n  return 1;\n}", FINISHED),
    ("a comment just closed", "/** Returns one. */‸\n", FINISHED),
)

TYPESCRIPT: tuple[Row, ...] = (
    ("a type", "let total: ‸", LINE),
    ("a type before =", "let total: ‸ = 1", INSIDE),
    ("a generic's argument", "const rows: Array<‸>", LINE),
    ("a generic's argument and call behind", "const rows = useState<‸>();", LINE),
    ("an object's value", "const point = { x: ‸ }", LINE),
    ("an interface's body", "interface Shelf {‸}", BLOCK),
    ("an interface's body on its own line", "interface Shelf {\n  ‸\n}", BLOCK),
    ("a method with a return type", "class A {\n  area(r: number): number {\n    ‸\n  }\n}", BLOCK),
    ("an enumeration", "enum Colour {\n  ‸\n}", BLOCK),
    ("a namespace", "namespace shelf {\n  ‸\n}", BLOCK),
    ("after a semicolon", "type A = string;‸", FINISHED),
)

TYPESCRIPTREACT: tuple[Row, ...] = (
    ("a component's body", "export function Shelf({ books }: Props) {\n  ‸\n}", BLOCK),
    ("an attribute's value", "const a = <Shelf books={‸} />;", INSIDE),
    ("an element's text, its end tag behind", "const a = <li>‸</li>", LINE),
    ("a hook's argument", "const [open, setOpen] = useState(‸);", LINE),
    ("an effect's body", "useEffect(() => {\n  ‸\n}, []);", BLOCK),
)

JAVASCRIPTREACT: tuple[Row, ...] = (
    ("a component's body", "function Shelf({ books }) {\n  ‸\n}", BLOCK),
    ("an element's text, its end tag behind", "const a = <li>‸</li>;", LINE),
    ("code follows", "const a = <li>{‸book.title}</li>;", INSIDE),
)

GO: tuple[Row, ...] = (
    ("a value after :=", "func f() {\n\ttotal := ‸\n}", LINE),
    ("an argument", "func f() {\n\tfmt.Println(‸)\n}", LINE),
    ("a composite literal", "func f() {\n\tp := Point{‸}\n}", LINE),
    ("a slice's literal", "func f() {\n\txs := []int{‸}\n}", LINE),
    ("an import", 'import "‸"', LINE),
    ("a rune", "func f() {\n\tr := '‸'\n}", LINE),
    ("inside a raw string", "func f() {\n\ts := `a ‸`\n}", LINE),
    ("a blank line between statements", "func f() {\n\ta()\n\t‸\n\tb()\n}", LINE),
    ("a function's body", "func area(r float64) float64 {‸}", BLOCK),
    ("a function's body on its own line", "func area(r float64) float64 {\n\t‸\n}", BLOCK),
    ("a method's body", "func (s *Shelf) Len() int {\n\t‸\n}", BLOCK),
    ("after if", "func f() {\n\tif err != nil {‸}\n}", BLOCK),
    ("after else", "func f() {\n\tif a {\n\t\tb()\n\t} else {\n\t\t‸\n\t}\n}", BLOCK),
    ("a structure's fields", "type Shelf struct {\n\t‸\n}", BLOCK),
    ("an interface's methods", "type Shelf interface {\n\t‸\n}", BLOCK),
    ("a function literal's body", "func f() {\n\tgo func() {\n\t\t‸\n\t}()\n}", BLOCK),
    ("under a comment that describes", "func f(xs []int) {\n\t// the mean of all values\n\t‸\n}", BLOCK),
    ("code follows", "func f() {\n\treturn ‸err\n}", INSIDE),
    ("after a closed block", "func f() {\n\ta()\n}‸", FINISHED),
    ("a header whose body is there", "func f() {‸\n\ta()\n}", FINISHED),
)

RUST: tuple[Row, ...] = (
    ("a value after =", "fn f() {\n    let total = ‸\n}", LINE),
    ("a value before the semicolon", "fn f() {\n    let total = ‸;\n}", LINE),
    ("an argument in a macro", "fn f() {\n    println!(‸);\n}", LINE),
    ("a structure's literal", "fn f() {\n    let p = Point {‸};\n}", LINE),
    ("a lifetime is no quote", "fn longest<'a>(x: &'a str, y: ‸)", LINE),
    ("a generic's argument", "let x: Vec<‸>", LINE),
    ("a return type before the brace", "fn area() -> ‸ {\n}", LINE),
    ("a function's body", "fn area(r: f64) -> f64 {‸}", BLOCK),
    ("a function's body on its own line", "fn area(r: f64) -> f64 {\n    ‸\n}", BLOCK),
    ("a public function's body, the next below", "pub fn a() {\n    ‸\n\nfn b() {\n}\n", BLOCK),
    ("an implementation", "impl Shelf {\n    ‸\n}", BLOCK),
    ("a match's arms", "fn f() {\n    match x {\n        ‸\n    }\n}", BLOCK),
    ("an arm's body", "fn f() {\n    match x {\n        1 => {‸}\n    }\n}", BLOCK),
    ("a closure's body", "fn f() {\n    rows.map(|row| {‸})\n}", BLOCK),
    ("an enumeration", "enum Colour {\n    ‸\n}", BLOCK),
    ("under a documenting comment", "impl A {\n    /// Returns the mean of all values.\n    ‸\n}", BLOCK),
    ("after a semicolon", "fn f() {\n    a();‸\n}", FINISHED),
    ("after a closed block", "fn f() {\n    a();\n}‸\n", FINISHED),
    ("code follows", "fn f() {\n    let x = ‸y;\n}", INSIDE),
)

C: tuple[Row, ...] = (
    ("a value after =", "int f(void) {\n    int total = ‸\n}", LINE),
    ("an argument", "int f(void) {\n    printf(‸);\n}", LINE),
    ("an array's values", "int xs[] = {‸};", LINE),
    ("an include", "#include <‸>", LINE),
    ("a macro's value", "#define SIZE ‸", LINE),
    ("a character", "char c = '‸';", LINE),
    ("a function's body", "int area(int r) {‸}", BLOCK),
    ("a function's body on its own line", "int area(int r) {\n    ‸\n}", BLOCK),
    ("a function's body, its brace on the next line", "int area(int r)\n{\n    ‸\n}", BLOCK),
    ("a structure's fields", "struct shelf {\n    ‸\n};", BLOCK),
    ("after if", "int f(int x) {\n    if (x) {‸}\n}", BLOCK),
    ("a switch's cases", "int f(int x) {\n    switch (x) {\n    ‸\n    }\n}", BLOCK),
    ("under a comment that describes", "int f(void) {\n    /* the mean of all values */\n    ‸\n}", BLOCK),
    ("after a semicolon", "int total = 1;‸", FINISHED),
    ("after a structure", "struct shelf {\n    int n;\n};‸", FINISHED),
    ("code follows", "int f(void) {\n    return ‸x;\n}", INSIDE),
)

CPP: tuple[Row, ...] = (
    ("a template's argument", "std::vector<‸> xs;", INSIDE),
    ("a template's argument at the end", "auto xs = std::vector<‸>();", LINE),
    ("a namespace", "namespace shelf {\n‸\n}", BLOCK),
    ("a constant method's body", "class A {\n  int area() const {\n    ‸\n  }\n};", BLOCK),
    ("a lambda's body", "auto f = [&](int x) {‸};", BLOCK),
    ("a constructor with initialisers", "Shelf::Shelf(int n) : n_(n) {\n  ‸\n}", BLOCK),
    ("a class's members", "class Shelf {\n  ‸\n};", BLOCK),
    ("after a class", "class Shelf {\n};‸", FINISHED),
    ("inside a raw string", 'auto s = R"(a ‸)";', LINE),
)

JAVA: tuple[Row, ...] = (
    ("a value after =", "class A {\n    int total = ‸\n}", LINE),
    ("an argument", "class A {\n    void f() {\n        System.out.println(‸);\n    }\n}", LINE),
    ("an array's values", "class A {\n    int[] xs = {‸};\n}", LINE),
    ("an annotation", "class A {\n    @‸\n    void f() {}\n}", LINE),
    ("an import", "import java.‸", LINE),
    ("a method's body", "class A {\n    int area(int r) {‸}\n}", BLOCK),
    ("a method's body on its own line", "class A {\n    int area(int r) {\n        ‸\n    }\n}", BLOCK),
    ("a method that throws", "class A {\n    void f() throws IOException {\n        ‸\n    }\n}", BLOCK),
    ("a class's body", "public class Shelf {\n    ‸\n}", BLOCK),
    ("a lambda's body", "class A {\n    Runnable r = () -> {‸};\n}", BLOCK),
    (
        "after catch",
        "class A {\n  void f() {\n    try {\n      a();\n    } catch (E e) {\n      ‸\n    }\n  }\n}",
        BLOCK,
    ),
    ("after a semicolon", "class A {\n    int x = 1;‸\n}", FINISHED),
    ("after a closed block", "class A {\n    void f() {\n    }‸\n}", FINISHED),
    ("code follows", "class A {\n    int f() {\n        return ‸x;\n    }\n}", INSIDE),
)

CSHARP: tuple[Row, ...] = (
    ("a value after =", "class A\n{\n    int total = ‸\n}", LINE),
    ("an argument", "class A\n{\n    void F()\n    {\n        Console.WriteLine(‸);\n    }\n}", LINE),
    ("an array's values", "class A\n{\n    int[] xs = {‸};\n}", LINE),
    ("an object's values", "class A\n{\n    Point p = new Point {‸};\n}", LINE),
    (
        "an object's values on their own lines",
        "class A\n{\n    Point p = new Point\n    {\n        ‸\n    };\n}",
        BLOCK,
    ),
    ("an attribute", "class A\n{\n    [‸]\n    void F() {}\n}", LINE),
    ("a using directive", "using System.‸", LINE),
    ("a namespace without braces", "namespace Library.‸;\n\nclass A {}\n", LINE),
    ("a member's expression", "class A\n{\n    int Count => ‸;\n}", LINE),
    ("a generic's argument", "var xs = new List<‸>();", LINE),
    ("inside a verbatim string", 'var path = @"C:\\‸";', LINE),
    ("an interpolated string's hole", 'var s = $"a {‸}";', LINE),
    ("inside a documenting comment", "class A\n{\n    /// <summary>The ‸</summary>\n    int x;\n}", LINE),
    ("a method's body", "class A\n{\n    int Area(int r) {‸}\n}", BLOCK),
    (
        "a method's body, its brace on the next line",
        "class A\n{\n    int Area(int r)\n    {\n        ‸\n    }\n}",
        BLOCK,
    ),
    ("a constructor that calls another", "class A\n{\n    A(int x) : base(x)\n    {\n        ‸\n    }\n}", BLOCK),
    ("a class's body", "public class Shelf\n{\n    ‸\n}", BLOCK),
    ("a record's body", "public record Shelf(int Most)\n{\n    ‸\n}", BLOCK),
    ("an interface's body", "interface IShelf\n{\n    ‸\n}", BLOCK),
    ("an enumeration", "enum Kind\n{\n    ‸\n}", BLOCK),
    ("a namespace with braces", "namespace Library\n{\n    ‸\n}", BLOCK),
    ("a property's accessors", "class A\n{\n    int Count\n    {\n        ‸\n    }\n}", BLOCK),
    ("an accessor's body", "class A\n{\n    int Count\n    {\n        get {‸}\n    }\n}", BLOCK),
    ("a lambda's body", "rows.ForEach(row => {‸});", BLOCK),
    ("a switch's value", "var kind = x switch\n{\n    ‸\n};", BLOCK),
    ("after foreach", "foreach (var book in books)\n{\n    ‸\n}", BLOCK),
    ("after catch", "try\n{\n    F();\n}\ncatch (IOException e)\n{\n    ‸\n}", BLOCK),
    ("after a case", "switch (x)\n{\n    case 1:‸\n}", BLOCK),
    ("under a documenting comment", "class A\n{\n    /// The mean of all values.\n    ‸\n}", BLOCK),
    ("after a semicolon", "class A\n{\n    int x = 1;‸\n}", FINISHED),
    ("after a closed block", "class A\n{\n    void F()\n    {\n    }‸\n}", FINISHED),
    ("code follows", "class A\n{\n    int F()\n    {\n        return ‸x;\n    }\n}", INSIDE),
)

PHP: tuple[Row, ...] = (
    ("a value after =", "<?php\n$total = ‸\n", LINE),
    ("a value before the semicolon", "<?php\n$total = ‸;\n", LINE),
    ("an argument", "<?php\nfunction f() {\n    printf(‸);\n}\n", LINE),
    ("an array's values", "<?php\n$xs = [‸];\n", LINE),
    ("a member", "<?php\n$this->‸\n", LINE),
    ("a class's constant", "<?php\n$kind = Kind::‸;\n", LINE),
    ("a use declaration", "<?php\nuse Library\\‸\n", LINE),
    ("an attribute", "<?php\n#[‸]\nclass A {}\n", LINE),
    ("an arrow function's value", "<?php\n$f = fn ($x) => ‸;\n", LINE),
    ("inside a string", '<?php\n$s = "twice: ‸";\n', LINE),
    ("inside a document in the code", "<?php\n$s = <<<SQL\n    SELECT ‸\n    SQL;\n", LINE),
    ("after a number sign", "<?php\n# the m‸\n", LINE),
    ("a page's text", "<p>‸</p>\n<?php f();\n", LINE),
    ("a value in a page", "<p><?= ‸ ?></p>\n", LINE),
    ("the other syntax of if opens no block", "<?php if ($x):‸\n", LINE),
    ("a function's body", "<?php\nfunction area($r) {‸}\n", BLOCK),
    ("a function's body, its brace on the next line", "<?php\nfunction area($r): int\n{\n    ‸\n}\n", BLOCK),
    ("a method's body", "<?php\nclass A\n{\n    public function f(): ?int\n    {\n        ‸\n    }\n}\n", BLOCK),
    ("a class's body", "<?php\nfinal class A extends B\n{\n    ‸\n}\n", BLOCK),
    ("a trait's body", "<?php\ntrait A\n{\n    ‸\n}\n", BLOCK),
    ("an enumeration", "<?php\nenum Kind: string\n{\n    ‸\n}\n", BLOCK),
    ("a closure's body", "<?php\nusort($rows, function ($a, $b) use ($way) {‸});\n", BLOCK),
    ("after elseif", "<?php\nif ($x) {\n    f();\n} elseif ($y) {\n    ‸\n}\n", BLOCK),
    ("after foreach", "<?php\nforeach ($rows as $key => $row) {\n    ‸\n}\n", BLOCK),
    ("after catch", "<?php\ntry {\n    f();\n} catch (A | B $e) {\n    ‸\n}\n", BLOCK),
    ("after a case", "<?php\nswitch ($x) {\n    case 1:‸\n}\n", BLOCK),
    ("a match's arms", "<?php\n$kind = match ($x) {\n    ‸\n};\n", BLOCK),
    ("under a comment that describes", "<?php\nfunction f() {\n    # the mean of all values\n    ‸\n}\n", BLOCK),
    ("code in a page", "<ul>\n<?php foreach ($rows as $row) {‸} ?>\n</ul>\n", BLOCK),
    ("after a semicolon", "<?php\n$x = 1;‸\n", FINISHED),
    ("after a closed block", "<?php\nfunction f()\n{\n}‸\n", FINISHED),
    ("code follows", "<?php\nreturn ‸$x;\n", INSIDE),
)

# Languages without a grammar: lines and indentation alone.
RUBY: tuple[Row, ...] = (
    ("a value after =", "total = ‸", LINE),
    ("an argument", "puts(‸)", LINE),
    ("a string", "name = 'Ad‸'", LINE),
    ("a blank line between statements", "def f\n  a\n  ‸\n  b\nend", LINE),
    ("after a signature", "def area(r)‸", BLOCK),
    ("an empty body", "def area(r)\n  ‸\nend", BLOCK),
    ("after do", "rows.each do‸", BLOCK),
    ("a block's body with parameters", "rows.each do |row|\n  ‸\nend", BLOCK),
    ("a class's body", "class Shelf\n  ‸\nend", BLOCK),
    ("under a comment that describes", "# the mean of all values\n‸", BLOCK),
    ("code follows", "puts(‸value)", INSIDE),
    ("a header whose body is there", "def area(r)‸\n  r * r\nend", FINISHED),
)

LUA: tuple[Row, ...] = (
    ("a value after =", "local total = ‸", LINE),
    ("a function's name", "function are‸\n  return r\nend", LINE),
    ("a method's name after a colon", "row:‸\n  x()", LINE),
    ("a word that may go on", "if x then\n  y()\nelse‸\n  z()\nend", LINE),
    ("a function's body", "function area(r)\n  ‸\nend", BLOCK),
    ("a local function's body", "local function area(r)\n  ‸\nend", BLOCK),
    ("after then", "if x then\n  ‸\nend", BLOCK),
    ("under a comment that describes", "-- the mean of all values\n‸", BLOCK),
    ("code follows", "print(‸x)", INSIDE),
)

SWIFT: tuple[Row, ...] = (
    ("a value after =", "let total = ‸", LINE),
    ("a function's body", "func area(r: Double) -> Double {\n    ‸\n}", BLOCK),
    ("after guard", "guard let x = x else {‸}", BLOCK),
    ("a header whose body is there", "func f() {‸\n    a()\n}", FINISHED),
)

PLAIN_TEXT: tuple[Row, ...] = (
    ("the middle of a sentence", "Dear Ada, I don't ‸", LINE),
    ("an empty line", "Dear Ada,\n\n‸", LINE),
    ("words follow", "Dear ‸ Ada", INSIDE),
    ("an indented line under a colon", "shelf:\n  ‸", BLOCK),
)

TABLES: dict[str, tuple[Row, ...]] = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "javascriptreact": JAVASCRIPTREACT,
    "typescript": TYPESCRIPT,
    "typescriptreact": TYPESCRIPTREACT,
    "go": GO,
    "rust": RUST,
    "c": C,
    "cpp": CPP,
    "java": JAVA,
    "csharp": CSHARP,
    "php": PHP,
    "ruby": RUBY,
    "lua": LUA,
    "swift": SWIFT,
    "plaintext": PLAIN_TEXT,
}

ROWS = [
    pytest.param(language, text, expected, id=f"{language}: {rule}")
    for language, rows in TABLES.items()
    for rule, text, expected in rows
]


def seen(text: str, language: str, *, invoked: bool = False, **settings: object) -> CursorContext:
    document, offset = drawn(text, language=language)
    forget(document.uri)
    return look_around(document, offset, completion=CompletionSettings(**settings), invoked=invoked)  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "text", "expected"), ROWS)
def test_shape(language: str, text: str, expected: Shape | Reason) -> None:
    context = seen(text, language)
    assert (context.reason or context.shape) == expected


def test_good_positions_outnumber_refusals() -> None:
    refused = sum(isinstance(expected, Reason) for rows in TABLES.values() for _, _, expected in rows)
    assert refused * 2 < len(ROWS) - refused
