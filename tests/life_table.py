"""`docs/life.md`: for every stage of a complaint and every command of every desk what comes of it, by asking the desks.

Nothing here is written by hand but one past for each stage. The commands are the examples, which a test keeps whole;
each is told about the present order, by who may say it, at a time when it makes sense.
`python -m tests.life_table FILE` writes the page, `--check` compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from hotline.contract.writing import write_or_check
from shared.aside import NoSuchComplaint
from shared.asked import kind_of, name_of
from shared.complaint import Complaint, Stage, evolve, stage_of, waits_for
from shared.events import REFUSALS, DeskName, Fact, Level
from shared.inputs import AssignOrder, ReportAsCoUnit
from tests import examples as eg
from tests.examples import DAY, HOUR, told
from tests.lives import decided, desk_of
from tests.spec import case_of

DOCS: Final = "docs/life.md"

_OPENED: Final = (eg.RECEIVED, eg.CLASSIFIED)
_AT_UNIT: Final = (*_OPENED, eg.DISPATCHED)
_SIGNED: Final = (*_AT_UNIT, eg.SIGNED)
_ANSWERED: Final = (*_SIGNED, eg.ANSWERED)
_ASKING: Final = (*_ANSWERED, eg.VISIT_SCHEDULED)

PASTS: Final[dict[Stage, tuple[Fact, ...]]] = {
    Stage.UNOPENED: (),
    Stage.RECEIVED: (eg.RECEIVED,),
    Stage.TO_DISPATCH: _OPENED,
    Stage.AT_UNIT: _AT_UNIT,
    Stage.IN_REVIEW: (*_AT_UNIT, eg.RETURN_REQUESTED),
    Stage.SIGNED: _SIGNED,
    Stage.TERMINATED: (*_SIGNED, eg.TERMINATION_REQUESTED, eg.TERMINATION_APPROVED),
    Stage.ANSWERED: _ANSWERED,
    Stage.ASKING: _ASKING,
    Stage.ENDED: (*_ASKING, eg.VISIT_MADE, eg.CLOSED),
}
"""One past for each stage, in order of life."""

ASKED_BEFORE: Final[dict[str, tuple[Fact, ...]]] = {
    "FollowCorrection": (eg.CORRECTED_STREET,),
    "DecideCouncil": (eg.RETURN_REJECTED, eg.DISPUTED),
    "RaiseDispute": (eg.RETURN_REQUESTED, eg.RETURN_REJECTED),
    "ReviewExtension": (eg.EXTENSION_REQUESTED,),
    "EndPause": (eg.PAUSE_REQUESTED, eg.PAUSE_APPROVED),
    "ReviewPause": (eg.PAUSE_REQUESTED,),
    "ReviewTermination": (eg.TERMINATION_REQUESTED,),
    "ReportAsCoUnit": (eg.CO_UNIT_ADDED,),
    "ReviewExclusion": (eg.EXCLUSION_REQUESTED,),
    "AcknowledgeWhistle": (eg.BLOWN, eg.CALLED),
    "ArriveAtWhistle": (eg.BLOWN, eg.CALLED),
    "RecordMeasure": (eg.BLOWN, eg.CALLED),
    "ReleaseWhistle": (eg.BLOWN, eg.CALLED),
    "DecideSupervision": (eg.SIGN_MISSED, eg.ESCALATED),
    "RateWhistle": (eg.BLOWN, eg.CALLED, eg.ARRIVED),
}
"""What must have been asked for before, where the stage alone does not say it; told as far as the stage lets it be."""

OTHERWISE: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "ReviewReturn": ("rejected", {"approved": False, "reason": "属本街道"}),
    "ReviewExtension": ("rejected", {"approved": False, "reason": "可按期办结"}),
    "ReviewPause": ("rejected", {"approved": False, "reason": "可先行处置"}),
    "ReviewTermination": ("rejected", {"approved": False, "reason": "仍可核实"}),
    "DecideCouncil": ("it stays where it is", {"to_unit": eg.STREET, "co_units": ()}),
    "RecordVisit": ("not solved", {"solved": False, "satisfied": False}),
}
"""Commands of which the other answer leads elsewhere."""


_HEAD: Final = """\
# The life of a complaint

Made by `python -m tests.life_table docs/life.md`, which asks each desk's rules; do not edit. For every stage and
every command the table shows the facts the desk says, or its reason to refuse. The refusal is recorded as a fact. A
command shows nothing where it is so already or has no effect. `hotline/audit/legality` judges once more, independently
of the desks, which fact may follow which."""


class Cell(NamedTuple):
    """What comes of one command in one stage."""

    said: tuple[str, ...]
    """The facts' names; empty where nothing is said."""
    refused: str
    """Why it is refused; empty where it is not."""
    then: Stage
    """The stage after it."""


def cell(at: Stage, command: Any) -> Cell:
    """Ask the command's desk."""
    past = _past(at, command)
    case = case_of(past)
    try:
        facts = decided(_present(command, past), case)
    except NoSuchComplaint:
        return Cell((), "the complaint is not on record: the message is parked", at)
    for fact in facts:
        case = evolve(case, fact)
    refusals = [fact for fact in facts if isinstance(fact, REFUSALS)]
    if refusals:
        return Cell((), _short(str(getattr(refusals[0], "reason", ""))), at)
    return Cell(tuple(type(fact).__name__ for fact in facts), "", stage_of(case))


def _past(at: Stage, command: Any) -> tuple[Fact, ...]:
    past = PASTS[at]
    if kind_of(command) is AssignOrder:  # only a district gives its order on
        past = tuple(
            replace(fact, unit=eg.DISTRICT, **({"level": Level.DISTRICT} if fact is eg.DISPATCHED else {}))
            if hasattr(fact, "unit")
            else fact
            for fact in past
        )
    told = list(past)
    for fact in ASKED_BEFORE.get(name_of(command), ()):
        if not told or illegal(case_of(told), fact, told[-1]) is not None:
            break
        told.append(fact)
    return tuple(told)


def _present(command: Any, past: Sequence[Fact]) -> Any:
    """The command at a time after all that has happened."""
    last = max((getattr(fact, fact.TIME) for fact in past), default=eg.CALLED_AT)
    if hasattr(command, "until"):
        return told(command, until=eg.DUE_AT + 2 * DAY)
    at: datetime = max(command.at, last + HOUR)
    changes: dict[str, Any] = {"at": at}
    if kind_of(command) is ReportAsCoUnit:
        changes["unit"] = eg.WATER
    return told(command, **changes)


def _short(reason: str) -> str:
    """Without the instants and units of the example."""
    reason = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.+]+", "…", reason)
    return reason.replace(eg.STREET, "the unit").replace(eg.WATER, "another unit").replace("|", "/")


def text() -> str:
    """The page."""
    named = commands()
    cells = {(at, name): cell(at, command) for at in PASTS for name, command in named.items()}
    return "\n".join([*_HEAD.splitlines(), "", *_picture(cells), *_stages(), *_tables(named, cells)]) + "\n"


def commands() -> dict[str, Any]:
    """Every command of every desk, in order of life, and beside it the other answer where there is one."""
    named: dict[str, Any] = {}
    for command in sorted(eg.COMMANDS, key=lambda command: list(DeskName).index(desk_of(command))):
        name = name_of(command)
        named[name] = command
        if name in OTHERWISE:
            what, changes = OTHERWISE[name]
            named[f"{name}: {what}"] = told(command, **changes)
    return named


def _picture(cells: dict[tuple[Stage, str], Cell]) -> list[str]:
    """The stages and what leads from one to another."""
    edges: dict[tuple[Stage, Stage], list[str]] = {}
    for (at, _), found in cells.items():
        if found.said and found.then is not at:
            label = next(name for name in reversed(found.said) if name != "CoUnitAdded")
            edges.setdefault((at, found.then), [])
            if label not in edges[at, found.then]:
                edges[at, found.then].append(label)
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> UNOPENED"]
    for (start, end), labels in edges.items():
        lines.append(f"    {start} --> {end}: {', '.join(sorted(labels))}")
    return [*lines, "    ENDED --> [*]", "```", ""]


def _stages() -> list[str]:
    lines = ["| stage | whom it waits for |", "|---|---|"]
    for at, past in PASTS.items():
        case = case_of(past)
        waiting = waits_for(case) if isinstance(case, Complaint) else None
        lines.append(f"| {at} | {'nobody' if waiting is None else f'{waiting.name}, to {waiting.what}'} |")
    return [
        *[_short(line) for line in lines[:0]],
        *[line.replace(eg.STREET, "the unit") for line in lines],
        "",
    ]


def _tables(named: dict[str, Any], cells: dict[tuple[Stage, str], Cell]) -> list[str]:
    lines: list[str] = []
    desk: DeskName | None = None
    for name, command in named.items():
        if desk_of(command) is not desk:
            desk = desk_of(command)
            lines += [f"## {desk}", ""]
        summary = (kind_of(command).__doc__ or "").splitlines()[0]
        lines += [f"### {name}", "", summary, "", "| in | comes of it |", "|---|---|"]
        for at in PASTS:
            lines.append(f"| {at} | {_told(cells[at, name])} |")
        lines.append("")
    return lines[:-1]


def _told(found: Cell) -> str:
    if found.refused:
        return f"refused: {found.refused}"
    return ", ".join(found.said) or "nothing"


def main() -> int:
    """Write or check the page."""
    return write_or_check(text, module="tests.life_table", about=__doc__ or "", made_of="desks")


if __name__ == "__main__":
    raise SystemExit(main())
