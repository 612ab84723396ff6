"""Strings, comments and brackets, read without a grammar."""

from collections.abc import Iterator

import pytest

from fimserver.syntax import lines
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.layout import header_above, header_indent, indent_unit
from fimserver.syntax.lines import Token, scan, tokens
from fimserver.syntax.opening import lacks_its_brace, line_opens_block
from tests.drawn import drawn


@pytest.mark.parametrize(
    ("language", "piece", "expected"),
    [
        pytest.param("python", "x = 'a", "string", id="a string that is open"),
        pytest.param("python", "x = 'a'", "code", id="a string that is closed"),
        pytest.param("python", r"x = 'a\'", "string", id="an escaped quote closes nothing"),
        pytest.param("python", "x = '''a\nb", "string", id="a long string goes over lines"),
        pytest.param("python", "x = 'a\nb", "code", id="a short string ends with its line"),
        pytest.param("python", "x = \"it's", "string", id="a quote of another kind"),
        pytest.param("python", "x  # 'a", "comment", id="a comment"),
        pytest.param("python", "x  # 'a\ny", "code", id="a comment ends with its line"),
        pytest.param("python", "x = '# a'", "code", id="a comment's mark in a string"),
        pytest.param("c", "x; // a", "comment", id="two slashes"),
        pytest.param("c", "x; /* a\nb", "comment", id="a block comment goes over lines"),
        pytest.param("c", "x; /* a */ y", "code", id="a block comment that is closed"),
        pytest.param("c", "c = '\"'", "code", id="a quote in a character"),
        pytest.param("javascript", "x = `a\nb", "string", id="a template goes over lines"),
        pytest.param("javascript", "x = /['\"]/", "code", id="a pattern with quotes in it"),
        pytest.param("javascript", "x = a / b / c", "code", id="divisions are no pattern"),
        pytest.param("javascript", "f(/\\/\\//, 'a", "string", id="a pattern with slashes in it"),
        pytest.param("rust", "fn f<'a>(x: &'a str", "code", id="a lifetime"),
        pytest.param("go", "x := `a\nb", "string", id="a raw string goes over lines"),
        pytest.param("java", 'x = """\na', "string", id="a text block"),
        pytest.param("csharp", 'x = """\na', "string", id="a raw string of C#"),
        pytest.param("csharp", 'x = @"C:\\', "string", id="a verbatim string"),
        pytest.param("csharp", 'x = @"C:\\"', "code", id="a backslash in it escapes nothing"),
        pytest.param("csharp", 'x = @"a\n', "string", id="it goes over lines"),
        pytest.param("csharp", 'x = $@"a ""b"" c', "string", id="a quote in it is written twice"),
        pytest.param("csharp", 'f(@class, "a', "string", id="a name with its mark is no verbatim string"),
        pytest.param("php", "$x; # a", "comment", id="a number sign"),
        pytest.param("php", "$x; // a", "comment", id="two slashes where a number sign does it too"),
        pytest.param("php", "#[Pure] 'a", "string", id="an attribute is no comment"),
        pytest.param("php", "$x = <<<SQL", "string", id="the line that begins a document in the code"),
        pytest.param("php", "$x = <<<SQL\n a(\n SQLITE\n", "string", id="such a document is open until its word"),
        pytest.param("php", "$x = <<<SQL\n  it's (\n  SQL;", "code", id="and closed by it, however indented"),
        pytest.param("php", "$x = <<<'SQL'\nSQL;", "code", id="and may be empty"),
        pytest.param("php", "$x = 1 << 3; 'a", "string", id="a shift begins no document"),
        pytest.param("ruby", "x = 'a", "string", id="a string without a row"),
        pytest.param("ruby", "x # a", "comment", id="a comment without a row"),
        pytest.param("ruby", '"#{x', "string", id="a hole's mark is no comment"),
        pytest.param("sql", "SELECT 1 -- a", "comment", id="two dashes"),
        pytest.param("c-like", "i--", "code", id="two dashes at a name"),
        pytest.param("yaml", "url: http://a", "code", id="an address"),
        pytest.param("plaintext", "don't", "code", id="an apostrophe"),
    ],
)
def test_where_a_piece_ends(language: str, piece: str, expected: str) -> None:
    found = scan(piece, language_named(language))
    assert ("string" if found.in_string else "comment" if found.in_comment else "code") == expected


@pytest.mark.parametrize(
    ("piece", "brackets", "unopened"),
    [
        pytest.param("f(a, [b", "([", 0, id="those that are open, outermost first"),
        pytest.param("f(a)[b]", "", 0, id="none"),
        pytest.param("a), b]", "", 2, id="those that were opened before"),
        pytest.param("} else {", "{", 0, id="a brace that was opened before ends a block, no header"),
        pytest.param("f(a, [b)", "", 0, id="what stands open inside a closed one goes with it"),
        pytest.param("f('(', \"[\")", "", 0, id="none in strings"),
        pytest.param("(" + "x" * 4_000 + "[", "[", 0, id="of a very long piece those of its end"),
    ],
)
def test_brackets(piece: str, brackets: str, unopened: int) -> None:
    found = scan(piece, language_named("javascript"))
    assert (found.brackets, found.unopened) == (brackets, unopened)


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        ("x = 1  # a", "x = 1"),
        ("  ", ""),
        ("# a", ""),
        ("f(a)  ", "f(a)"),
        ("x = 'a # b'  # c", "x = 'a # b'"),
        ("x" * 5_000 + "  # a", "x" * 5_000),
    ],
)
def test_where_code_ends(piece: str, code: str) -> None:
    assert piece[: scan(piece, language_named("python")).code_end].strip() == code


def test_a_line_that_is_asked_for_again_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(piece: str, language: Language | None) -> Iterator[Token]:
        read.append(piece)
        return tokens(piece, language)

    monkeypatch.setattr(lines, "tokens", reading)
    for start in ("", "y" * 9_000, ""):
        assert scan(f"{start}{'[' * 2_000}", language_named("rust")).brackets == "[" * 2_000
    assert read == ["[" * 2_000]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "def f():"),
        ("python", "    else:  # not so"),
        ("python", "    b) -> int:"),
        ("javascript", "if (x) {"),
        ("javascript", "} else {"),
        ("javascript", "x.map((y) => {"),
        ("javascript", "f(function () {"),
        ("javascript", "case 'a': {"),
        ("javascript", "{"),
        ("javascript", "case 'a':"),
        ("go", "default:"),
        ("c", "case A: // here"),
        ("typescript", "f(x: number): string {"),
        ("go", "func (s *Shelf) Len() int {"),
        ("go", "} else if err != nil {"),
        ("rust", "pub fn f() -> Result<(), E> {"),
        ("rust", "rows.map(|row| {"),
        ("c", "struct shelf {"),
        ("cpp", "int f() const noexcept {"),
        ("cpp", "auto f = [&](int x) {"),
        ("cpp", "auto f = [this] {"),
        ("java", "void f() throws IOException {"),
        ("java", "public static class Shelf<T> extends Furniture {"),
        ("csharp", "public Shelf(int most) : base(most) {"),
        ("csharp", "public T Find<T>(int x) where T : class {"),
        ("csharp", "foreach (var book in books) {"),
        ("csharp", "catch (IOException e) when (e.Late) {"),
        ("csharp", "rows.ForEach(row => {"),
        ("csharp", "get {"),
        ("csharp", "{"),
        ("php", "public function f(string $x): ?Shelf {"),
        ("php", "} elseif ($x) {"),
        ("php", "usort($rows, function ($a, $b) use ($way) {"),
        ("php", "$kind = match ($x) {"),
        ("php", "public function f(#[Secret] string $x) {"),
        ("ruby", "def f(x)"),
        ("ruby", "rows.each do |row|"),
        ("lua", "local function f(x)"),
        ("lua", "if x then"),
        ("swift", "func f() {"),
        ("yaml", "shelf:"),
    ],
)
def test_a_line_opens_a_block(language: str, line: str) -> None:
    assert line_opens_block(line, language_named(language))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "x = {"),
        ("python", "x: int"),
        ("python", "    'a':"),
        ("python", "x[1:"),
        ("python", "f = lambda x:"),
        ("python", "# if x:"),
        ("python", "x = 'if x:"),
        ("javascript", "x = {"),
        ("javascript", "f({"),
        ("javascript", "return {"),
        ("javascript", "  a: {"),
        ("javascript", "  a:"),
        ("javascript", "x ? y :"),
        ("c", "case f(a,:"),
        ("javascript", "x = y && {"),
        ("javascript", "f(x)"),
        ("go", "p := Point{"),
        ("go", "xs := []int{"),
        ("rust", "let p = Point {"),
        ("c", "int xs[] = {"),
        ("java", "int[] xs = new int[] {"),
        ("csharp", "var p = new Point {"),
        ("csharp", "int[] xs = {"),
        ("csharp", "var kind = x switch {"),
        ("php", "$rows = ["),
        ("php", "# if ($x) {"),
        ("php", "if ($x):"),
        ("ruby", "def f"),
        ("lua", "x = 1"),
    ],
)
def test_a_line_opens_none(language: str, line: str) -> None:
    assert not line_opens_block(line, language_named(language))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("csharp", "public int Count()"),
        ("csharp", "List<int> F(int x)"),
        ("csharp", "class Shelf : Furniture"),
        ("csharp", "public int Count // of books"),
        ("csharp", "get"),
        ("csharp", "} else if (x)"),
        ("c", "int main(void)"),
        ("cpp", "const std::string& Shelf::name() const"),
        ("java", "void f() throws IOException"),
        ("php", "public function f(): ?Shelf"),
    ],
)
def test_the_brace_of_a_header_may_stand_on_the_next_line(language: str, line: str) -> None:
    assert lacks_its_brace(line, language_named(language))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("csharp", "F(x)"),
        ("csharp", "return F(x)"),
        ("csharp", "int x = F(y)"),
        ("csharp", "void F();"),
        ("csharp", "void F(int x,"),
        ("csharp", "public int Count { get; }"),
        ("csharp", "public int Count =>"),
        ("csharp", "case 1:"),
        ("csharp", "// if (x)"),
        ("c", "#define F(x)"),
        ("php", "if ($x):"),
        ("javascript", "function f()"),
        ("go", "func f()"),
        ("python", "if x"),
        ("swift", "func f()"),
    ],
)
def test_no_brace_is_awaited_on_the_next_line(language: str, line: str) -> None:
    assert not lacks_its_brace(line, language_named(language))


@pytest.mark.parametrize(
    ("language", "text", "indent"),
    [
        pytest.param("python", "def f(a,\n      b):‸", "", id="its line's, where the brackets open"),
        pytest.param("python", "    def f(\n        a,\n    ):‸", "    ", id="brackets alone on the last line"),
        pytest.param("python", "    x = f(a)\n    if x:‸", "    ", id="its own, where no bracket is missing"),
        pytest.param("javascript", "  if (a) {\n    b();\n  } else {‸", "  ", id="its own, where it closes a block"),
        pytest.param(
            "c", "int f(int a,\n      int b(int),\n      int c) {‸", "", id="past lines with brackets of their own"
        ),
        pytest.param("c", ")) {‸", "", id="its own, where brackets never open"),
    ],
)
def test_a_headers_indentation(language: str, text: str, indent: str) -> None:
    document, _ = drawn(text, language=language)
    assert header_indent(document, len(document.starts) - 1, language_named(language)) == indent


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("def f():\n‸", 0, id="the line above"),
        pytest.param("def f():\n\n    # a\n    '''b'''\n‸", 0, id="past comments and documentation"),
        pytest.param("def f():\n    a = 1\n‸", None, id="not past code"),
        pytest.param("‸", None, id="none at the top"),
    ],
)
def test_the_header_above(text: str, line: int | None) -> None:
    document, _ = drawn(text)
    assert header_above(document, len(document.starts) - 1, language_named("python")) == line


@pytest.mark.parametrize(
    ("language", "text", "unit"),
    [
        pytest.param("python", "a\n  b\n", "  ", id="two blanks"),
        pytest.param("python", "a\n\tb\n", "\t", id="a tab"),
        pytest.param("python", "a\n  b\n" + "x\n" * 20 + "c\n    d\n‸", "    ", id="the nearest counts"),
        pytest.param("python", "a\nb\n", "    ", id="four blanks where none is seen"),
        pytest.param("go", "a\nb\n", "\t", id="a tab where none is seen in Go"),
        pytest.param("ruby", "a\nb\n", "    ", id="four blanks without a row"),
    ],
)
def test_one_step_of_indentation(language: str, text: str, unit: str) -> None:
    document, _ = drawn(text.replace("‸", "") + "‸", language=language)
    assert indent_unit(document, len(document.starts) - 1, language_named(language)) == unit
