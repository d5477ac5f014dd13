"""Writes a command's output: one sentence is one line, and foreign text cannot steer the terminal.

A line is shown whole by `shared.text.shown`, because strangers may have typed any part of it. So it stays one
line, and nothing in it hides, turns round or colours anything. JSON says the same with JSON's own escapes.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

import typer

from shared.text import is_hidden, shown, shown_lines

if TYPE_CHECKING:
    from rich.text import Text

LISTED_MAX = 120
"""Characters of a title or an address in a list; `hotline show` has the whole."""


def say(line: object = "", *, to: TextIO | None = None) -> None:
    """One line, on standard output where no other stream is named."""
    print(shown(str(line)), file=to or sys.stdout, flush=True)


def note(line: object) -> None:
    """One line beside what was asked for: on standard error, where a program that reads the answer does not see it."""
    say(line, to=sys.stderr)


def is_terminal() -> bool:
    """Whether a person types."""
    return sys.stdin is not None and sys.stdin.isatty()


def asks(question: str) -> str | None:
    """The words a person types behind a question; None where nobody can be asked, or he closes it.

    Nobody can be asked outside the main thread: at a unit's desk that one reads what is typed.

    Ctrl-C ends the command here and now: nothing is sent yet, and whoever waits for what was sent is told otherwise.
    """
    if not is_terminal() or threading.current_thread() is not threading.main_thread():
        return None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        print(shown(question), end=" ", file=sys.stderr, flush=True)
        typed = sys.stdin.readline()
    except KeyboardInterrupt:
        raise typer.Abort from None
    finally:
        signal.signal(signal.SIGINT, before)
    return typed.rstrip("\n") if typed else None


def say_lines(text: str, indent: str = "  | ") -> None:
    """A text of several lines as somebody typed it; `indent` tells them from ours."""
    print(shown_lines(text, indent), flush=True)


def say_json(text: str | bytes) -> None:
    """A JSON document for a program; a person who looks at it on a terminal is not deceived by it either."""
    print(json_shown(text if isinstance(text, str) else text.decode()), flush=True)


def say_record(value: object) -> None:
    """A record of ours as an indented JSON document."""
    import msgspec

    say_json(msgspec.json.format(msgspec.json.encode(value), indent=2))


def json_shown(text: str) -> str:
    """The same document with what is hidden written as JSON's escapes; outside of strings JSON has only line breaks."""
    if text.isascii() and "\x7f" not in text:
        return text
    hidden = (char for char in set(text) if is_hidden(char) and char not in "\n\r\t")
    return text.translate({ord(char): _escaped(ord(char)) for char in hidden})


def _escaped(code: int) -> str:
    if code < 0x10000:  # noqa: PLR2004 -- the first of UTF-16's pairs
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def cell(text: object, most: int | None = None, style: str = "") -> Text:
    """A cell of a table or a part of a line, in which brackets are no markup."""
    from rich.text import Text

    return Text(shown(str(text), most), style)
