"""Real-looking code in every language, for the tests that walk over it."""

SAMPLES = {
    "python": '''import os


class Shelf:
    """A shelf of books."""

    def __init__(self, books: list[str]) -> None:
        self.books = books

    def put(self, book: str) -> None:
        if book not in self.books:  # no book twice
            self.books.append(f"{book!r} by {os.getlogin()}")


def total(shelves):
    return sum(
        len(shelf.books)
        for shelf in shelves
    )
''',
    "javascript": """import { open } from "./shelf.js";

class Shelf {
  #books = [];

  put(book) {
    if (!this.#books.includes(book)) {
      this.#books.push(`${book} by ${open.name}`);
    }
  }
}

const total = (shelves) => {
  return shelves.reduce((sum, shelf) => sum + shelf.size, 0); // of all
};
""",
    "javascriptreact": """export function Shelf({ books }) {
  const [open, setOpen] = useState(false);
  return (
    <ul onClick={() => setOpen(!open)}>
      {books.map((book) => <li key={book}>{book}</li>)}
    </ul>
  );
}
""",
    "typescript": """interface Shelf<T extends Book> {
  readonly books: T[];
  put(book: T): void;
}

export function total(shelves: Array<Shelf<Book>>): number {
  let sum = 0;
  for (const shelf of shelves) {
    sum += shelf.books.length;
  }
  return sum;
}
""",
    "typescriptreact": """type Props = { books: string[] };

export const Shelf = ({ books }: Props): JSX.Element => {
  return <ul>{books.map((book) => <li key={book}>{book}</li>)}</ul>;
};
""",
    "go": """package shelf

import "fmt"

// Shelf holds books.
type Shelf struct {
	Books []string
}

func (s *Shelf) Put(book string) error {
	for _, other := range s.Books {
		if other == book {
			return fmt.Errorf("twice: %s", book)
		}
	}
	s.Books = append(s.Books, book)
	return nil
}
""",
    "rust": """use std::fmt;

/// A shelf of books.
pub struct Shelf<'a> {
    books: Vec<&'a str>,
}

impl<'a> Shelf<'a> {
    pub fn put(&mut self, book: &'a str) -> Result<(), fmt::Error> {
        match self.books.iter().find(|other| **other == book) {
            Some(_) => Err(fmt::Error),
            None => {
                self.books.push(book);
                Ok(())
            }
        }
    }
}
""",
    "c": """#include <stdio.h>

#define MOST 100

struct shelf {
    const char *books[MOST];
    int count; /* of books */
};

int put(struct shelf *shelf, const char *book)
{
    if (shelf->count == MOST) {
        return -1;
    }
    shelf->books[shelf->count++] = book;
    return 0;
}
""",
    "cpp": """#include <string>
#include <vector>

namespace library {

class Shelf {
 public:
  explicit Shelf(int most) : most_(most) {}

  bool put(const std::string& book) {
    if (books_.size() == most_) return false;
    books_.push_back(book);
    return true;
  }

 private:
  std::vector<std::string> books_;
  size_t most_;
};

}  // namespace library
""",
    "java": """package library;

import java.util.ArrayList;

public class Shelf {
    private final ArrayList<String> books = new ArrayList<>();

    /** Puts a book on the shelf. */
    public void put(String book) throws TwiceException {
        if (books.contains(book)) {
            throw new TwiceException("twice: " + book);
        }
        books.add(book);
    }
}
""",
    "csharp": """using System.Collections.Generic;

namespace Library;

[Serializable]
public class Shelf<T> : Furniture where T : Book
{
    private readonly List<T> books = new();

    public int Count => books.Count;

    public string Name { get; set; } = "a shelf";

    /// <summary>Puts a book on the shelf.</summary>
    public async Task PutAsync(T book)
    {
        if (books.Contains(book))
        {
            throw new TwiceException($"twice: {book}", @"C:\\books");
        }
        books.Add(book);
        await Saved(books.Count switch { 0 => Kind.None, _ => Kind.Some });
    }
}
""",
    "php": """<?php

namespace Library;

use Library\\Books\\Book;

#[Wooden]
class Shelf extends Furniture
{
    private array $books = [];

    public function __construct(private readonly int $most, #[Secret] string $key) {}

    /** Puts a book on the shelf. */
    public function put(Book $book): bool
    {
        if (in_array($book, $this->books)) { # no book twice
            throw new TwiceException("twice: {$book->title}");
        }
        $this->books[] = $book;
        return true;
    }
}

$note = <<<TEXT
    Don't put a book there (twice.
    TEXT;
?>
<?php if ($note): ?>
<p>Don't: <?= $note ?></p>
<?php endif; ?>
""",
    "ruby": """class Shelf
  attr_reader :books

  def put(book)
    return if @books.include?(book) # no book twice

    @books << "#{book} by #{name}"
  end
end
""",
    "plaintext": """Dear Ada,

I don't know where the book is: it isn't on the shelf (or under it).

Yours, Ben
""",
}


def long_text(language: str, characters: int = 40_000) -> str:
    """Return the sample again and again, with a number in each copy, until it is so long."""
    copies: list[str] = []
    while sum(map(len, copies)) < characters:
        copies.append(SAMPLES[language].replace("helf", f"helf{len(copies)}"))
    return "\n".join(copies)
