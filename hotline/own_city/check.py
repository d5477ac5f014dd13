"""All that is wrong with a city's folder at once, each with its file and line, by the loaders' own rules."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from hotline.own_city import layout
from hotline.own_city.agreeing import figures_flaws, map_flaws, ruleset_flaws
from hotline.own_city.layout import FILES, OwnFile
from hotline.own_city.staff_file import StaffRow, flaws_of_staff, staff_in
from hotline.scoring.inhabitants import InhabitantFigures
from hotline.scoring.inhabitants import parsed as figures_parsed
from shared.policy import calendar, catalogue, city_map, ruleset, ruleset_file
from shared.policy.catalogue import Catalogue
from shared.policy.city_map import WrittenMap, WrittenOutlines
from shared.policy.entry_lines import json_lines, line_of, toml_lines, twice_in
from shared.policy.flaws import Flaw, flaws_of_shape
from shared.policy.flaws import Path as Keys
from shared.policy.ruleset_file import WrittenRuleSet
from shared.text_file import FileUnreadable, bytes_of, text_in

_LINE: Final = re.compile(r"\bline ([0-9]+)")
_PLACE: Final = re.compile(r" \(at (line|end)[^)]*\)$")


class Finding(NamedTuple):
    """One thing that is wrong with a folder."""

    file: str
    line: int | None
    """From 1; None where it is about the whole file."""
    why: str

    def said(self, folder: Path) -> str:
        """The line that a person and an editor read: `FOLDER/catalogue.json:12: …`."""
        place = f"{folder / self.file}" if self.line is None else f"{folder / self.file}:{self.line}"
        return f"{place}: {self.why}"


class OwnCity(NamedTuple):
    """A folder as far as it could be read."""

    findings: list[Finding]
    texts: Mapping[str, str]
    """The files by name, as UTF-8 with line feeds."""
    catalogue: Catalogue | None
    ruleset: WrittenRuleSet | None
    calendar: str
    """Its version; empty where it could not be read."""
    staff: list[StaffRow]


class _Read(NamedTuple):
    """A file that JSON or TOML could parse, and whose shape is right."""

    name: str
    text: str
    tables: Any
    lines: Mapping[Keys, int]

    def finding(self, flaw: Flaw) -> Finding:
        return Finding(self.name, line_of(flaw.at, self.lines), flaw.sentence)


def checked(folder: Path) -> OwnCity:
    """Read a city's folder whole, and say all that is wrong with it. Nothing is changed."""
    return _Check(folder).done()


class _Check:
    """One folder while it is checked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[Finding] = []
        self._texts: dict[str, str] = {}

    def done(self) -> OwnCity:
        files = {one.name: one for one in FILES}
        known = self._catalogue(files[layout.CATALOGUE])
        days = self._calendar(files[layout.CALENDAR])
        rules = self._ruleset(files[layout.RULESET], known)
        self._inhabitants(files[layout.INHABITANTS], known)
        self._map(files[layout.MAP], known)
        people = self._staff(files[layout.STAFF], known)
        order = {name: place for place, name in enumerate(self._texts)}
        self._found.sort(key=lambda one: (order.get(one.file, -1), one.line or 0))
        return OwnCity(self._found, self._texts, known, rules, days, people)

    # -- each file

    def _catalogue(self, file: OwnFile) -> Catalogue | None:
        read = self._parsed(file, Catalogue, json.loads, json_lines)
        if read is None:
            return None
        made: Catalogue = msgspec.convert(read.tables, Catalogue)
        if self._amiss(read, (*twice_in(read.text), *catalogue.flaws(made), *_of_version(made.version))):
            return None
        loaded: Catalogue | None = self._loaded(read, lambda: catalogue.parsed(read.text.encode()))
        return loaded

    def _calendar(self, file: OwnFile) -> str:
        read = self._parsed(file, calendar.WrittenCalendar, json.loads, json_lines)
        if read is None:
            return ""
        made = msgspec.convert(read.tables, calendar.WrittenCalendar, str_keys=True)
        flaws = (
            *twice_in(read.text),
            *calendar.flaws(made.version, made),
            *_of_own_version(made.version, calendar.packaged()),
        )
        if self._amiss(read, flaws):
            return ""
        return (
            made.version
            if self._loaded(read, lambda: calendar.parse_calendar(made.version, read.text))
            else ""
        )

    def _ruleset(self, file: OwnFile, known: Catalogue | None) -> WrittenRuleSet | None:
        read = self._parsed(file, WrittenRuleSet, tomllib.loads, toml_lines)
        if read is None:
            return None
        made = msgspec.convert(read.tables, WrittenRuleSet)
        flaws = (
            *ruleset_file.flaws(made.version, made, read.tables),
            *_of_own_version(made.version, ruleset.packaged()),
            *ruleset_flaws(made, known),
        )
        if self._amiss(read, flaws):
            return None
        loaded = self._loaded(read, lambda: ruleset.parse_ruleset(made.version, read.text))
        return None if loaded is None else made

    def _inhabitants(self, file: OwnFile, known: Catalogue | None) -> None:
        read = self._parsed(file, InhabitantFigures, tomllib.loads, toml_lines)
        if read is None:
            return
        made = msgspec.convert(read.tables, InhabitantFigures)
        if known is None or not self._amiss(read, figures_flaws(made, known)):
            self._loaded(read, lambda: figures_parsed(read.text))

    def _map(self, file: OwnFile, known: Catalogue | None) -> None:
        read = self._parsed(file, WrittenMap, tomllib.loads, toml_lines)
        if read is None:
            return
        said = msgspec.convert(read.tables, WrittenMap)
        if "/" in said.outlines or "\\" in said.outlines:
            self._amiss(read, [Flaw(("outlines",), "expected the name of a file beside this one, no path")])
            return
        expected = OwnFile(said.outlines, "outlines of districts as GeoJSON")
        outlines = self._parsed(expected, WrittenOutlines, json.loads, json_lines)
        if outlines is None:
            return
        found = msgspec.convert(outlines.tables, WrittenOutlines)
        amiss = self._amiss(read, city_map.flaws(said, found))
        amiss = self._amiss(outlines, city_map.flaws_of_outlines(found)) or amiss
        if known is not None:
            amiss = self._amiss(outlines, map_flaws(found, known)) or amiss
        if not amiss:
            self._loaded(read, lambda: city_map.parsed(read.text, outlines.text.encode()))

    def _staff(self, file: OwnFile, known: Catalogue | None) -> list[StaffRow]:
        text = self._text(file)
        if text is None:
            return []
        try:
            rows = staff_in(text)
        except FileUnreadable as error:
            self._tell(file.name, str(error))
            return []
        flaws = list(flaws_of_staff(rows, known))
        self._found += (Finding(file.name, line, why) for line, why in flaws)
        return [] if flaws else rows

    # -- how a file is read

    def _text(self, file: OwnFile) -> str | None:
        self._texts.setdefault(file.name, "")
        if not (self._folder / file.name).exists():
            why = f"is missing, expected {file.expected}: `hotline city new` writes an example of it"
            self._found.append(Finding(file.name, None, why))
            return None
        try:
            text = text_in(bytes_of(self._folder / file.name, file.expected), "it", file.expected)
        except FileUnreadable as error:
            self._tell(file.name, str(error))
            return None
        self._texts[file.name] = text
        return text

    def _parsed(
        self,
        file: OwnFile,
        kind: Any,
        parse: Callable[[str], Any],
        lines_of: Callable[[str], Mapping[Keys, int]],
    ) -> _Read | None:
        text = self._text(file)
        if text is None:
            return None
        try:
            tables, lines = parse(text), lines_of(text)
        except json.JSONDecodeError as error:
            self._found.append(Finding(file.name, error.lineno, f"{error.msg}: expected {file.expected}"))
            return None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            line = _LINE.search(str(error))
            why = _PLACE.sub("", str(error))
            at = int(line[1]) if line else text.count("\n") if "at end" in str(error) else None
            self._found.append(Finding(file.name, at, f"{why}: expected {file.expected}"))
            return None
        read = _Read(file.name, text, tables, lines)
        if self._amiss(read, flaws_of_shape(tables, kind)):
            return None
        return self._loaded(read, lambda: msgspec.convert(tables, kind, str_keys=True)) and read

    def _amiss(self, read: _Read, flaws: Iterable[Flaw]) -> bool:
        found = [read.finding(flaw) for flaw in flaws]
        self._found += found
        return bool(found)

    def _loaded(self, read: _Read, load: Callable[[], Any]) -> Any:
        """Let the loader itself say its last word; None where it refuses."""
        try:
            return load()
        except ValueError as error:
            self._found.append(Finding(read.name, None, str(error)))
            return None

    def _tell(self, file: str, why: str) -> None:
        line = _LINE.search(why)
        self._found.append(Finding(file, int(line[1]) if line else None, why))


def _of_version(version: str) -> Iterator[Flaw]:
    if not layout.VERSION.fullmatch(version):
        yield Flaw(("version",), f"expected letters, digits and . _ - in it: {layout.VERSION.pattern}")


def _of_own_version(version: str, packaged: Iterable[str]) -> Iterator[Flaw]:
    """A version that ships with the project means its content for ever: facts name it (T23)."""
    yield from _of_version(version)
    if version in packaged:
        yield Flaw(("version",), f"'{version}' ships with the project: expected a version of your own")
