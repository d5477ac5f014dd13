"""The lines on which the entries of a file stand, by the keys that lead to them; JSON and TOML parsers do not tell.

A line is counted from 1. An entry that has no line of its own has that of the entry around it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from shared.policy.flaws import Flaw, Path
from shared.text import shown

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_SCALARS: Final = json.JSONDecoder()


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of an entry, or of the nearest around it; None where none is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def json_lines(text: str) -> dict[Path, int]:
    """The lines of each entry of a JSON text that can be parsed; of a key that stands twice, of the last."""
    return dict(_Walk(text).entries())


def twice_in(text: str | bytes) -> Iterator[Flaw]:
    """Each key that stands twice in one object of a JSON text that can be parsed: a parser keeps the last unsaid."""
    seen: dict[Path, int] = {}
    for path, line in _Walk(text.decode() if isinstance(text, bytes) else text).entries():
        if path in seen:
            yield Flaw(path, f"'{shown(str(path[-1]))}' stands here a second time, expected once")
        seen[path] = line


class _Walk:
    """Goes through a JSON text once; the text is known to be well formed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 1

    def entries(self, path: Path = ()) -> Iterator[tuple[Path, int]]:
        """Each entry's path and line, in their order."""
        self._skip()
        opened = self._text[self._at]
        if opened not in "{[":
            _, self._at = _SCALARS.raw_decode(self._text, self._at)
            return
        self._at += 1
        place = 0
        while self._next() not in "}]":
            line = self._line_here()
            key: Any = place
            if opened == "{":
                key, self._at = _SCALARS.raw_decode(self._text, self._at)
                self._next()  # the colon
                self._at += 1
            yield (*path, key), line
            yield from self.entries((*path, key))
            if self._next() == ",":
                self._at += 1
            place += 1
        self._at += 1

    def _next(self) -> str:
        self._skip()
        return self._text[self._at]

    def _skip(self) -> None:
        self._at = cast("re.Match[str]", _SPACE.match(self._text, self._at)).end()

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def toml_lines(text: str) -> dict[Path, int]:
    """The lines of each table and key of a TOML text that can be parsed; what an array holds has the array's line."""
    found: dict[Path, int] = {}
    table: Path = ()
    many: dict[Path, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        said = line.strip()
        if said.startswith("["):
            keys = _keys(f"{said}\n")
            if keys is None:
                continue  # a line of an array
            if said.startswith("[["):
                many[keys] = many.get(keys, -1) + 1
                keys = (*keys, many[keys])
            elif keys[:1] in many:
                keys = (keys[0], many[keys[:1]], *keys[1:])
            table = keys
            found.setdefault(table, number)
        elif (key := _keys_before_equals(said)) is not None:
            found.setdefault((*table, *key), number)
    return found


def _keys_before_equals(said: str) -> Path | None:
    for place, character in enumerate(said):
        if character == "=" and (keys := _keys(f"{said[:place]} = 0\n")) is not None:
            return keys
    return None


def _keys(line: str) -> Path | None:
    """The keys that one line of TOML alone says; None where it says none."""
    try:
        told: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    path: list[str | int] = []
    while isinstance(told, dict) and told:
        key, told = next(iter(told.items()))
        path.append(key)
        if isinstance(told, list):
            told = told[0] if told else {}
    return tuple(path) or None
