"""Nobody decides what he asked for: who may decide about a complaint or a programme; pure.

A text names the decider, and a text can be disguised. Names are compared as a reader would see them. Where
the decision came on a topic of its speaker's own, that login is compared instead, and the name is only shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final
from unicodedata import category, normalize

from shared.complaint import Complaint
from shared.ids import UnitId
from shared.inputs import Input
from shared.policy.catalogue import Catalogue
from shared.text import folded, folded_code

DECIDERS: Final = (
    "reviewer",
    "approved_by",
    "decided_by",
    "added_by",
    "reclassified_by",
    "amended_by",
    "participants",
)
"""The fields of commands that name who decides."""


@cache
def decider_field(kind: type[Input]) -> str | None:
    """The field of a command that names who decides; None where it is no decision about a matter of others."""
    return next((field for field in DECIDERS if field in kind.__struct_fields__), None)


def decider(command: Input, login: str = "") -> str:
    """By what name it was decided, else by which login; those who met are named one after the other. "" by none."""
    field = decider_field(type(command))
    who: str | tuple[str, ...] = "" if field is None else getattr(command, field)
    return (who if isinstance(who, str) else ", ".join(who)) or login


_COMPARED_KEPT: Final = 4096
"""Names whose compared form is remembered."""


@lru_cache(_COMPARED_KEPT)
def alike(name: str) -> str:
    """One text for all names that look alike: folded, without case and blanks, every dash one; "" for a blank."""
    seen = "".join(_seen(char) for char in folded(name))
    return normalize("NFKC", seen.casefold())


def _seen(char: str) -> str:
    """The character that a reader takes it for."""
    if category(char)[0] in "ZC":
        return ""
    return "-" if category(char) == "Pd" or char == "\u2212" else char


def concerned(
    case: Complaint, catalogue: Catalogue, asked: Iterable[tuple[UnitId, str]] = ()
) -> Mapping[str, str]:
    """The names that may not decide about this complaint, in the compared form, each with the reason.

    `asked` are units beside those the complaint itself names, each with what it has to do with the decision.
    A unit is known by all names the catalogue has for it.
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
        for name in catalogue.names_of(unit):
            found.setdefault(alike(name), f"{unit} {why}")
    return found


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


def units_called(name: str, catalogue: Catalogue) -> list[UnitId]:
    """The units that people call so, as a reader sees the name; none, one, or several that share it."""
    return called_so(name, {unit: catalogue.names_of(unit) for unit in catalogue.units})


def called_so(name: str, known: Mapping[UnitId, Iterable[str]]) -> list[UnitId]:
    """The units with this id, or with a name that a reader takes for this one; `known`: the names of each."""
    code = UnitId(folded_code(name))
    if code in known:
        return [code]
    told = alike(name)
    return [unit for unit, names in known.items() if told in map(alike, names)]
