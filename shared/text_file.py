"""Reads a person's text file or piped text: UTF-8, however the program that saved it ends its lines.

Every command and setting that opens a user's file reads it here. So each says the same of a file that cannot
be read: its name, what was found, and what was expected.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

FILE_BYTES_MAX: Final = 1 << 30
"""A larger file is none that a person wrote; a device would have no end."""

_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""The longer marks first: one of UTF-32 begins with one of UTF-16."""

_LOOKED_AT: Final = 4096
"""Bytes by which UTF-16 without a mark is told: of Latin text every second one is zero."""
_HAN: Final = re.compile("[\u4e00-\u9fff]")
_LINE_END: Final = re.compile("\r\n?")


class FileUnreadable(ValueError):  # noqa: N818 -- said to a person
    """A file that cannot be read as text; the text names it, what was found and what was expected."""


def text_of(path: str | Path, expected: str) -> str:
    """The text in this file, its lines ended by line feeds; `expected` says what it should hold.

    Raises `FileUnreadable` where there is none.
    """
    return text_in(bytes_of(path, expected), quoted(path), expected)


def bytes_of(path: str | Path, expected: str) -> bytes:
    """The bytes of this file; `FileUnreadable` where they cannot be read."""
    name = quoted(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise FileUnreadable(f"{name} does not exist: expected {expected}") from None
    except IsADirectoryError:
        raise FileUnreadable(f"{name} is a folder: expected {expected}") from None
    except PermissionError:
        raise FileUnreadable(f"{name} may not be read by this user: expected {expected}") from None
    except OSError as error:
        raise FileUnreadable(f"{name} cannot be read ({error.strerror}): expected {expected}") from None
    except ValueError:  # a NUL in the name
        raise FileUnreadable(f"{name} is no file's name: expected {expected}") from None
    if len(raw) > FILE_BYTES_MAX:
        raise FileUnreadable(f"{name} has more than {FILE_BYTES_MAX:,} bytes: expected {expected}")
    return raw


def text_in(raw: bytes, name: str, expected: str) -> str:
    """The text these bytes are in UTF-8, with a mark at its beginning or without; see `text_of`.

    `name` says where they come from, as in "standard input".
    """
    for mark, encoding in _WIDE:
        if raw.startswith(mark):
            raise _other(name, encoding, expected)
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if not raw.strip():
        raise FileUnreadable(f"{name} is empty: expected {expected}")
    if _is_wide(raw):
        raise _other(name, "UTF-16 without a mark", expected)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_gbk(raw):
            raise _other(name, "GBK (GB 18030)", expected) from None
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x} in line {line} is no UTF-8"
        raise FileUnreadable(f"{name}: {found}: expected {expected}, saved as UTF-8") from None
    text = _LINE_END.sub("\n", text)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileUnreadable(f"{name}: a NUL character in line {line}: expected {expected}, as plain text")
    return text


def rows_in(text: str, name: str, columns: Sequence[str], of: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV by its heading; `of` says what has these columns. Raises `FileUnreadable`."""
    rows = csv.DictReader(io.StringIO(text))
    try:
        missing = [column for column in columns if column not in (rows.fieldnames or ())]
        if missing:
            raise FileUnreadable(f"{name} has no column {', '.join(missing)}; expected the columns of {of}")
        for row in rows:
            short = next((column for column in columns if row[column] is None), None)
            if short is not None:
                raise FileUnreadable(
                    f"{name}: line {rows.line_num} has no {short}; expected the columns of {of}"
                )
            yield row
    except csv.Error as error:
        raise FileUnreadable(f"{name}: line {rows.line_num} is no CSV ({error}): expected {of}") from None


def quoted(path: str | Path) -> str:
    """A file's name for a person; one with characters that do not print is quoted."""
    name = str(path)
    return name if name.isprintable() and name else repr(name)


def _other(name: str, encoding: str, expected: str) -> FileUnreadable:
    return FileUnreadable(f"{name} is saved as {encoding}: expected {expected}, saved as UTF-8")


def _is_wide(raw: bytes) -> bool:
    """Whether every second byte of the beginning, or nearly every one, is zero."""
    begin = raw[:_LOOKED_AT]
    half = len(begin) // 2
    return half > 0 and max(begin[::2].count(0), begin[1::2].count(0)) * 10 >= half * 4


def _is_gbk(raw: bytes) -> bool:
    """Whether these bytes read as Chinese text in the encoding that Windows saves by in China."""
    try:
        return _HAN.search(raw.decode("gb18030")) is not None
    except UnicodeDecodeError:
        return False
