"""How often the people of the rehearsed city say each input: dated data, each rate with its basis.

A version is never edited, for the facts of a rehearsal follow from it.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from shared.inputs import INPUTS, Input
from shared.text import has_words

VERSION: Final = "behaviour-2026-12"
CHOICE: Final = "choice of ours"

_FOLDER: Final = files("hotline.lab.simulation") / "data"

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class BehaviourInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A file of rates that cannot be used; the text names the file, the entry and what was expected."""


class RateBasis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a rate is what it is."""

    source: str
    dated: date
    """The day the source speaks of, or the day of the choice."""
    note: str


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often one input is said."""

    rate: Share
    of: str
    """Out of what."""
    granted: Share | None = None
    """Of decisions: the share that grants what was asked for."""
    basis: RateBasis


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of the rates."""

    version: str
    as_of: date
    inputs: dict[str, Rate]
    """By the name of the input's class."""

    def rate(self, kind: type[Input]) -> float:
        """How often this input is said."""
        return self.inputs[kind.__name__].rate

    def granted(self, kind: type[Input]) -> float:
        """How often this decision grants what was asked for; 1 where it decides on no question."""
        found = self.inputs[kind.__name__].granted
        return 1.0 if found is None else found


@cache
def behaviour(version: str = VERSION) -> Behaviour:
    """The rates of this version; `BehaviourInvalid` where they cannot be used."""
    path = _FOLDER / f"{version}.toml"
    if not path.is_file():
        known = ", ".join(sorted(one.name.removesuffix(".toml") for one in _FOLDER.iterdir()))
        message = f"{version}: no such rates; there are {known}"
        raise BehaviourInvalid(message)
    return parsed(path.read_text(encoding="utf-8"), version)


def parsed(text: str, version: str) -> Behaviour:
    """The rates that a text holds; each input has exactly one, and each has its basis."""
    try:
        found = msgspec.convert(tomllib.loads(text), Behaviour)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"{version}: {error}"
        raise BehaviourInvalid(message) from None
    why = _wrong_with(found, version)
    if why is not None:
        message = f"{version}: {why}"
        raise BehaviourInvalid(message)
    return found


def _wrong_with(found: Behaviour, version: str) -> str | None:
    names = {kind.__name__ for kind in INPUTS.values()}
    if found.version != version:
        return f"version: says {found.version}"
    if unknown := sorted(found.inputs.keys() - names):
        return f"inputs: {', '.join(unknown)}: no such input"
    if missing := sorted(names - found.inputs.keys()):
        return f"inputs: no rate for {', '.join(missing)}"
    for name, one in found.inputs.items():
        for field, words in (
            ("of", one.of),
            ("basis.source", one.basis.source),
            ("basis.note", one.basis.note),
        ):
            if not has_words(words):
                return f"inputs.{name}.{field}: blank, expected words"
        if one.basis.dated > found.as_of:
            return f"inputs.{name}.basis.dated: {one.basis.dated} lies after as_of {found.as_of}"
    return None
