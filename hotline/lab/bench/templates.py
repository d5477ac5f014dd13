"""Whole lives for a generated log: the desks' own rules lead each once, then it is repeated for many complaints.

The instants of a template end in one certain fraction of a second, and its request has one certain id.
Wherever that fraction or that id stands in the facts, a derived life puts its own. All other text rests on
the calendar alone (the end of a day) and stays. So a derived life equals, byte for byte, what the rules would
have said of that request at that instant. The test leads some again and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from hotline.lab.bench.city import Target, catalogue_of
from hotline.lab.bench.led_life import HOUR, Led, Said
from shared.complaint import due_deadlines, head_text, waits_for
from shared.ids import complaint_id, derived
from shared.log.chain import GENESIS, chained
from shared.policy.catalogue import Catalogue

UNITS: Final = 200
FRACTION: Final = 271_828
"""Microseconds; the fraction of a second that every instant of a template has, unless a day ends with it."""
FRACTION_MAX: Final = 1_000_000
REQUEST: Final = "grown-271828182845"
"""The request of every template: as long as all others, see `request_of`."""
BEGIN: Final = datetime(2025, 1, 6, 1, 0, tzinfo=UTC)
STARTS: Final = 24
"""Instants in the year at which each kind of life begins."""
_DAY: Final = timedelta(days=1)

_ID_MARK: Final = complaint_id(REQUEST).encode()
_REQUEST_MARK: Final = REQUEST.encode()
_FRACTION_MARK: Final = f".{FRACTION:06}".encode()


def request_of(number: int) -> str:
    """The request a life is told under."""
    return f"grown-{number:012}"


class Row(NamedTuple):
    """A fact as es.event takes it: its fields are the columns."""

    stream_id: str
    version: int
    event_id: str
    type: str
    schema_version: int
    occurred_at: datetime
    caused_by: str
    actor: str
    body: bytes
    hash: bytes


class Template(NamedTuple):
    """One life, closed, with nothing left to watch."""

    facts: tuple[Said, ...]
    state: str
    """The head it ends with."""

    def told_of(
        self, number: int, fraction: int, title: tuple[str, str] | None = None
    ) -> tuple[list[Row], str]:
        """The life of another request, so many microseconds after the full second; and its head's state.

        `title`: a title, and what stands in its place.
        """
        request = request_of(number)
        stream = complaint_id(request)
        own_id, own_request, own_fraction = stream.encode(), request.encode(), b".%06d" % fraction
        later = timedelta(microseconds=fraction)
        rows: list[Row] = []
        head = GENESIS
        for version, said in enumerate(self.facts, 1):
            cause = said.cause
            cause = rows[cause].event_id if isinstance(cause, int) else cause.replace(REQUEST, request)
            fact_id = derived(stream, cause, said.name, str(said.number))
            at = said.at + later if said.own else said.at
            body = (
                said.body.replace(_ID_MARK, own_id)
                .replace(_REQUEST_MARK, own_request)
                .replace(_FRACTION_MARK, own_fraction)
            )
            if title is not None:
                body = body.replace(title[0].encode(), title[1].encode())
            head = chained(head, stream, version, fact_id, said.name, said.schema, at, cause, said.desk, body)
            rows.append(
                Row(stream, version, fact_id, said.name, said.schema, at, cause, said.desk, body, head)
            )
        state = (
            self.state.replace(_ID_MARK.decode(), stream)
            .replace(REQUEST, request)
            .replace(_FRACTION_MARK.decode(), own_fraction.decode())
        )
        return rows, state if title is None else state.replace(*title)


def _solved(life: Led) -> None:
    life.waits(2 * HOUR)
    life.signs()
    life.waits(2 * _DAY)
    life.answers()
    life.judges(solved=True)


def _returned(life: Led) -> None:
    life.waits(HOUR)
    life.gives_back()
    _solved(life)


def _reopened(life: Led) -> None:
    life.waits(2 * HOUR)
    life.signs()
    life.waits(_DAY)
    life.answers()
    life.judges(solved=False)
    _solved(life)


def _late(life: Led) -> None:
    life.waits(10 * _DAY)
    life.answers()
    while life.complaint.visit is not None:
        life.judges(solved=True)


def _unreached(life: Led) -> None:
    life.waits(2 * HOUR)
    life.signs()
    life.waits(_DAY)
    life.answers()
    while life.complaint.visit is not None:
        life.is_not_reached()


def _withdrawn(life: Led) -> None:
    life.waits(2 * HOUR)
    life.signs()
    life.waits(HOUR)
    life.withdraws()


def _on_the_spot(_: Led) -> None:
    pass


Story = Callable[[Led], None]

STORIES: Final[tuple[tuple[Story, int], ...]] = (
    (_solved, 12),
    (_returned, 2),
    (_reopened, 2),
    (_late, 1),
    (_unreached, 1),
    (_withdrawn, 1),
    (_on_the_spot, 1),
)
"""The stories, and how many of twenty lives follow each."""


def led(story: Story, number: int, request: str, fraction: int, catalogue: Catalogue, target: Target) -> Led:
    """One story from its beginning: the `number`th start of the year, at this fraction of a second.

    Raises `ValueError` where the life does not end with nothing left to watch.
    """
    start = BEGIN + timedelta(days=number * 365 // STARTS, minutes=17 * number, microseconds=fraction)
    life = Led(target, start, request, catalogue, article="KB-12" if story is _on_the_spot else None)
    story(life)
    life.waits(HOUR)  # supervision, where there is one, is closed with the end
    if life.complaint.ended is None or due_deadlines(life.case) or waits_for(life.case) is not None:
        raise ValueError(f"{story.__name__} from {start.isoformat()} does not end")
    return life


def templates() -> list[Template]:
    """All stories from all starts, each as often as its weight says; the same list each time."""
    return [
        Template(tuple(life.facts), head_text(life.complaint))
        for life in (
            led(story, number, REQUEST, FRACTION, catalogue, target)
            for story, number, catalogue, target in sources()
        )
    ]


def sources() -> Iterator[tuple[Story, int, Catalogue, Target]]:
    """The arguments of `led` for each of `templates`, in their order."""
    catalogue, targets = catalogue_of(UNITS)
    for number in range(STARTS):
        for turn, story in enumerate(story for story, weight in STORIES for _ in range(weight)):
            yield story, number, catalogue, targets[(number * 20 + turn) % len(targets)]
