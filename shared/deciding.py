"""Nobody decides what he asked for: who may decide about a complaint or a programme; pure.

Whoever decides is named by a text, and a text can be disguised. Names are compared as a reader would see them. Where
the decision came on a topic of its speaker's own, that login is compared instead, and the name is only shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

from shared.complaint import Complaint
from shared.ids import ComplaintId, UnitId
from shared.policy.catalogue import Catalogue

DECIDERS: Final = ("reviewer", "approved_by", "added_by", "reclassified_by", "amended_by", "participants")
"""The fields of inputs and commands that name who decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A command by which somebody decides about a matter of others; one of the `DECIDERS` names who."""

    complaint_id: ComplaintId
    at: datetime
    login: str = ""
    """Whose topic it came on, where its speaker has one of its own: this decides then, and the name is only shown."""


def decider(command: Decision) -> str:
    """By what name it was decided; those who met are named one after the other."""
    said = (getattr(command, field, "") for field in DECIDERS)
    return next((who if isinstance(who, str) else ", ".join(who) for who in said if who), command.login)


_NOTHING_SHOWS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols by their category of which nothing is seen."""
_VARIATIONS: Final = (
    (0x180B, 0x180F),
    (0x2065, 0x2065),
    (0xFE00, 0xFE0F),
    (0xFFF0, 0xFFF8),
    (0xE0000, 0xE0FFF),
)
_COMPARED_KEPT: Final = 4096
"""Names whose compared form is remembered."""


@lru_cache(_COMPARED_KEPT)
def alike(name: str) -> str:
    """One text for all names that look alike: without width, case, blanks and what nobody sees; "" for a blank."""
    seen = "".join(_seen(char) for char in normalize("NFKC", name))
    return normalize("NFKC", seen.casefold())


def _seen(char: str) -> str:
    """What a reader takes it for."""
    if char in _NOTHING_SHOWS or any(first <= ord(char) <= last for first, last in _VARIATIONS):
        return ""
    kind = category(char)
    if kind[0] == "Z" or kind in {"Cc", "Cf"}:
        return ""
    return "-" if kind == "Pd" or char == "\u2212" else char


def concerned(
    case: Complaint, catalogue: Catalogue, asked: Iterable[tuple[UnitId, str]] = ()
) -> Mapping[str, str]:
    """Who may not decide about this complaint, in the compared form, and why not.

    `asked` are units beside those the complaint itself names, each with what it has to do with the decision. A unit is
    known by its id, by its name in the catalogue, and by the name of whoever answers for it.
    """
    units = list(asked)
    if case.order is not None:
        units.append((case.order.unit, "has the order"))
    units += [(co_unit.unit, "helps with the order") for co_unit in case.co_units]
    units += [(called.unit, "was called to it") for whistle in case.whistles for called in whistle.called]
    if case.accused is not None:
        units.append((case.accused, "is accused in it"))
    found: dict[str, str] = {}
    for unit, why in units:
        for name in _names(unit, catalogue):
            found.setdefault(alike(name), f"{unit} {why}")
    return found


def _names(unit: UnitId, catalogue: Catalogue) -> Iterable[str]:
    yield unit
    if unit in catalogue.units:
        yield catalogue.units[unit].name
    if unit in catalogue.leaders:
        yield catalogue.leaders[unit]


def may_decide(field: str, who: str, concerned: Mapping[str, str], login: str = "") -> str | None:
    """Why this is nobody's decision, worded at the field that names who decided; None where it is one."""
    if not alike(who):
        return f"{field}: blank, expected who decided"
    return _own(field, login or who, concerned)


def may_decide_together(
    field: str, who: Sequence[str], concerned: Mapping[str, str], login: str = ""
) -> str | None:
    """The same of several who met: those it is about sit among them (会商), and never by themselves."""
    if not who or not all(map(alike, who)):
        return f"{field}: blank, expected who met"
    own = [why for name in who if (why := concerned.get(alike(name))) is not None]
    if len(own) == len(who):
        return f"{field}: {'; '.join(dict.fromkeys(own))}; expected somebody else among them (T22)"
    return _own(field, login, concerned) if login else None


def _own(field: str, said: str, concerned: Mapping[str, str]) -> str | None:
    why = concerned.get(alike(said))
    return None if why is None else f"{field}: {why}; nobody decides what he asked for (T22)"
