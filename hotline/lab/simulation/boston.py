"""Boston's 311 as a population: real complaints, each with the limit the city itself gave it.

The file's times are naive times of New York, read as wall-clock time. In the repeated hour of autumn a time
is the first of the two. In the skipped hour of spring it is the moment the clock jumped. Both keep the order
the file has, so "closed after its target" means the same before and after.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import zstandard

from hotline.lab.simulation.planned_input import NOTHING, OutwardMessage, PlannedInput, Reaction
from shared import inputs
from shared.events import ComplaintDispatched, Level, RequestType, Urgency, VisitScheduled
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.policy.catalogue import Catalogue, District, Subject, To, Unit
from shared.runtime.errors import UserError
from shared.text import folded, has_words
from shared.text_file import FileUnreadable, bytes_of, quoted, rows_in, text_in
from shared.topics import DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS

NEW_YORK: Final = ZoneInfo("America/New_York")
SOURCE: Final = "/replay/boston311"  # messages have their ids by it: it stays
ASKED_AFTER: Final = timedelta(hours=1)
"""How long after the city closed a case its citizen is asked. The file knows no visits."""
COLUMNS: Final = ("case_enquiry_id", "open_dt", "target_dt", "closed_dt", "ontime", "type", "department")

_EXPECTED: Final = "Boston's 311 requests (.csv or .csv.zst)"
_CENTRE: Final = UnitId("boston-311")
_SUPERVISION: Final = UnitId("mayors-office")


class Case(NamedTuple):
    """One complaint of the file; its flag is not among what is read."""

    case_id: str
    open_at: datetime
    target_at: datetime
    closed_at: datetime | None
    type: str
    title: str
    department: str
    neighborhood: str
    channel: str


@dataclass(frozen=True, slots=True)
class File:
    """The content of a file for a backtest."""

    rows: int
    cases: list[Case]
    skipped: Counter[str] = field(default_factory=Counter)
    """Rows left out, by reason."""

    @property
    def ids(self) -> set[ComplaintId]:
        """The complaints the cases become."""
        return {complaint_id(_request_id(case.case_id)) for case in self.cases}


def instant(text: str) -> datetime:
    """The instant of a naive New York time; see the module."""
    naive = datetime.fromisoformat(text)
    at = naive.replace(tzinfo=NEW_YORK, fold=0).astimezone(UTC)
    back = at.astimezone(NEW_YORK).replace(tzinfo=None)
    if back != naive:  # a time the clock never showed: the jump itself
        hour = naive.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return hour.replace(tzinfo=NEW_YORK).astimezone(UTC)
    return at


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, plain or compressed by zstd."""
    if not file.exists():
        message = f"{file} does not exist; name the file of {_EXPECTED}"
        raise UserError(message)
    try:
        raw = bytes_of(file, _EXPECTED)
        yield from rows_in(
            text_in(_unpacked(file, raw), quoted(file), _EXPECTED),
            quoted(file),
            COLUMNS,
            "Boston's 311 requests",
        )
    except FileUnreadable as error:
        raise UserError(f"{error}.") from None


def _unpacked(file: Path, raw: bytes) -> bytes:
    if file.suffix == ".zst":
        try:
            raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
        except zstandard.ZstdError as error:
            message = f"{file} is not a zstd file: {error}"
            raise UserError(message) from error
    return raw


def read(file: Path, *, most: int | None = None) -> File:
    """The complaints that have a flag and a target; what the flag says is not read here."""
    found = File(0, [])
    rows = 0
    seen: set[str] = set()
    for row in rows_of(file):
        rows += 1
        reason = _left_out(row, seen)
        if reason is not None:
            found.skipped[reason] += 1
            continue
        seen.add(row["case_enquiry_id"])
        if most is None or len(found.cases) < most:
            found.cases.append(_case(row))
        else:
            found.skipped["beyond --most"] += 1
    return File(rows, found.cases, found.skipped)


def _left_out(row: dict[str, str], seen: set[str]) -> str | None:
    if not row["target_dt"]:
        return "no target"
    if not row["ontime"]:
        return "no flag"
    if row["case_enquiry_id"] in seen:
        return "case id seen before"
    try:
        for column in ("open_dt", "target_dt", "closed_dt"):
            if row[column] or column == "open_dt":
                instant(row[column])
    except ValueError:
        return "unreadable time"
    return None


def _case(row: dict[str, str]) -> Case:
    return Case(
        case_id=row["case_enquiry_id"],
        open_at=instant(row["open_dt"]),
        target_at=instant(row["target_dt"]),
        closed_at=instant(row["closed_dt"]) if row["closed_dt"] else None,
        type=folded(row["type"][:200]) or "unnamed",
        title=_worded(row.get("case_title") or row["type"])[:200] or "unnamed",
        department=row["department"],
        # 2,575 of the cases that have a flag have a blank for a neighborhood.
        neighborhood=folded(row.get("neighborhood") or "") or "Boston",
        channel=folded(row.get("source") or "") or "unknown",
    )


def _worded(text: str) -> str:
    return text if has_words(text[:200]) else ""


def flags(file: Path) -> dict[ComplaintId, bool]:
    """The city's own flag of each complaint: whether it was overdue. Read only to compare."""
    return {
        complaint_id(_request_id(row["case_enquiry_id"])): row["ontime"] == "OVERDUE"
        for row in rows_of(file)
        if row["ontime"] and row["target_dt"]
    }


def _request_id(case_id: str) -> str:
    return f"boston-{case_id}"


def catalogue_of(cases: Iterable[Case]) -> Catalogue:
    """The catalogue: each type goes to the department that had most of its cases."""
    by_type: defaultdict[str, Counter[str]] = defaultdict(Counter)
    neighborhoods: set[str] = set()
    for case in cases:
        by_type[case.type][case.department] += 1
        neighborhoods.add(case.neighborhood)
    departments = {d for counted in by_type.values() for d in counted}
    ids = {department: UnitId(f"dept-{department.strip('_').lower()}") for department in departments}
    units = {ids[d]: Unit(name=d, level=Level.UNIT) for d in sorted(departments)}
    units[_CENTRE] = Unit(name="Boston 311", level=Level.DISTRICT)
    units[_SUPERVISION] = Unit(name="Mayor's office", level=Level.MUNICIPAL)
    return Catalogue(
        version="boston-311-2011h2",
        centre=_CENTRE,
        supervision=_SUPERVISION,
        units=units,
        districts={n: District(unit=_CENTRE) for n in sorted(neighborhoods)},
        subjects={
            name: Subject(to=To.UNIT, unit=ids[min(counted, key=lambda d: (-counted[d], d))])
            for name, counted in sorted(by_type.items())
        },
    )


class Boston:
    """See `Population`: each case is opened, answered when the city closed it, and its citizen asked then."""

    def __init__(self, cases: Iterable[Case]) -> None:
        """In order of opening."""
        self._cases = sorted(cases, key=lambda case: (case.open_at, case.case_id))
        self._closed = {complaint_id(_request_id(c.case_id)): c.closed_at for c in self._cases}
        self._given = 0

    def next_at(self) -> datetime | None:
        """See `Population.next_at`."""
        return self._cases[self._given].open_at if self._given < len(self._cases) else None

    def first_inputs(self, until: datetime) -> Iterator[PlannedInput]:
        """See `Population.first_inputs`."""
        while self._given < len(self._cases) and self._cases[self._given].open_at <= until:
            case = self._cases[self._given]
            self._given += 1
            request_id = _request_id(case.case_id)
            yield PlannedInput(
                at=case.open_at,
                line=INTAKE_REQUESTS,
                key=request_id,
                source=SOURCE,
                event_id=f"{case.case_id}/open",
                data=inputs.RecordRequest(
                    request_id=request_id,
                    channel=case.channel,
                    request_type=RequestType.HELP,
                    subject=case.type,
                    urgency=Urgency.GENERAL_7D,
                    district=case.neighborhood,
                    address=case.neighborhood,
                    title=case.title,
                    recorded_by="311",
                    given_due_at=case.target_at,
                ),
                complaint=complaint_id(request_id),
            )

    def react(self, heard: OutwardMessage) -> Reaction:
        """See `Population.react`. A case the city never closed is never answered, its citizen never asked."""
        fact = heard.fact
        closed_at = self._closed.get(fact.complaint_id)
        if closed_at is None:
            return NOTHING
        if isinstance(fact, ComplaintDispatched) and heard.unit is not None:
            return Reaction((self._answer(fact, heard.unit, max(closed_at, fact.dispatched_at)),))
        if isinstance(fact, VisitScheduled):
            return Reaction((self._visit(fact, max(closed_at, fact.visit_at) + ASKED_AFTER),))
        return NOTHING

    def forget(self, complaint: ComplaintId) -> None:
        """See `Population.forget`."""
        self._closed.pop(complaint, None)

    def _answer(self, order: ComplaintDispatched, unit: UnitId, at: datetime) -> PlannedInput:
        return PlannedInput(
            at=at,
            line=DISPATCH_REPLIES,
            key=order.complaint_id,
            source=f"{SOURCE}/{unit}",
            event_id=f"{order.complaint_id}/answer-{order.assignment}",
            data=inputs.AnswerOrder(
                complaint_id=order.complaint_id,
                assignment=order.assignment,
                result="closed by the city",
                claims_solved=True,
            ),
            complaint=order.complaint_id,
            unit=unit,
        )

    def _visit(self, visit: VisitScheduled, at: datetime) -> PlannedInput:
        return PlannedInput(
            at=at,
            line=FEEDBACK_VISIT_RESULTS,
            key=visit.complaint_id,
            source=f"{SOURCE}/dialler",
            event_id=f"{visit.complaint_id}/visit-{visit.visit}-{visit.attempt}",
            data=inputs.RecordVisit(
                complaint_id=visit.complaint_id,
                visit=visit.visit,
                attempt=visit.attempt,
                solved=True,
                satisfied=True,
                channel="assumed",
                reason="the file knows no visits",
            ),
            complaint=visit.complaint_id,
        )
