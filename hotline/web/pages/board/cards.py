"""The cards of the board: a few figures each, each with the list behind it, and as of when they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from typing import Final, NamedTuple

from markupsafe import Markup

from hotline.readside.board import DUE_SOON, BoardCalls, BoardFigures, OrderLoad
from hotline.readside.rows import (
    AT_DESKS,
    CORRECTIONS,
    DESKS,
    DISTRICT,
    REVIEWS,
    SUPERVISED,
    SUPERVISION,
    TOP,
    UNASKED,
    VISITS,
)
from hotline.web.pages.board.places import orders_path
from hotline.web.pages.board.series import RatePoint, rate_svg
from hotline.web.pages.catalogues import N_
from hotline.web.pages.naming import unit_name
from hotline.web.pages.telling_time import Text
from shared.complaint import Stage
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import TelephoneRules
from shared.times import short, shown

LATE, SOON, GOOD, PLAIN = STATES = ("late", "soon", "good", "")
"""How a figure is drawn; what is late has a shape beside it, as colour alone says nothing."""
SHAPE: Final = "▲"
LISTS_LATE: Final = timedelta(seconds=10)
"""Lists that are further behind the log are called old."""
RELAY_LATE: Final = timedelta(seconds=10)
CLOCK_LATE: Final = timedelta(seconds=10)
"""The relay and the clock take milliseconds; ten seconds are a matter for whoever runs the processes."""
LATEST: Final = 5
"""Units that are named: those with the most overdue orders."""
PARKED: Final = "/board/parked"
CALLS: Final = "/calls"
STAGES: Final = (
    (Stage.AT_UNIT, N_("to sign")),
    (Stage.SIGNED, N_("in work")),
    (Stage.IN_REVIEW, N_("in review")),
    (Stage.ASKING, N_("citizen is asked")),
)


class BoardFigure(NamedTuple):
    """A number that leads to its list."""

    value: str
    label: str
    href: str = ""
    state: str = PLAIN

    @property
    def shape(self) -> str:
        """Beside what is late."""
        return SHAPE if self.state == LATE else ""


class BoardRow(NamedTuple):
    """A part of a figure."""

    label: str
    value: str
    href: str = ""
    percent: int = 0
    """The length of its bar."""
    state: str = PLAIN

    @property
    def shape(self) -> str:
        """See `BoardFigure.shape`."""
        return SHAPE if self.state == LATE else ""


class BoardStamp(NamedTuple):
    """As of when figures are; `stale`: they are old, or not all."""

    as_of: str
    stale: bool


class BoardCard(NamedTuple):
    """See the module."""

    key: str
    title: str
    figures: list[BoardFigure]
    rows: list[BoardRow]
    as_of: str
    note: str = ""
    picture: Markup = Markup()
    stale: bool = False


def order_cards(figures: BoardFigures, known: Catalogue, zone: tzinfo, text: Text) -> list[BoardCard]:
    """The cards of complaints, orders and processes."""
    cards = [
        _open(figures, text),
        _by_limit(figures, known, text),
        _above(figures, text),
        _at_centre(figures, text),
        _processes(figures, text),
    ]
    stamp = figures_stamp(figures, zone, text)
    words = stamp.as_of if stamp.stale else text(N_("As of %(time)s")) % {"time": _time(figures, zone)}
    return [card._replace(as_of=words, stale=stamp.stale) for card in cards]


def figures_stamp(figures: BoardFigures, zone: tzinfo, text: Text) -> BoardStamp:
    """As of when the figures of complaints and orders are."""
    told = {
        "time": _time(figures, zone),
        "position": f"{figures.as_of.position:,}",
        "behind": _seconds(figures.as_of.behind),
    }
    stale = figures.as_of.going or figures.as_of.behind > LISTS_LATE
    if figures.as_of.going:
        words = text(N_("As of %(time)s. The lists are being made: complaints are missing here"))
    elif stale:
        words = text(N_("As of %(time)s, %(behind)s behind the log"))
    else:
        words = text(N_("As of %(time)s, position %(position)s"))
    return BoardStamp(words % told, stale)


def call_card(calls: BoardCalls, rules: TelephoneRules, zone: tzinfo, text: Text) -> BoardCard:
    """The card of the telephone: today's calls, and the rate of the rules' window, which has a line to keep."""
    limit = rules.connection_percent / 100
    rate, today = calls.window.connection_rate, calls.today
    kept = PLAIN if rate is None else GOOD if rate >= limit else LATE
    told = {"hours": rules.window // timedelta(hours=1), "limit": f"{limit:.0%}"}
    line = rate_svg(
        [RatePoint(point.rate) for point in calls.rolling],
        limit,
        text(N_("The connection rate of %(hours)s hours over the last day, and the line at %(limit)s"))
        % told,
    )
    within = text(N_("answered within %(n)s s")) % {"n": f"{rules.answer_within.total_seconds():.0f}"}
    return BoardCard(
        "calls",
        text(N_("Calls today")),
        [
            BoardFigure(f"{today.offered:,}", text(N_("offered")), CALLS),
            BoardFigure(f"{today.answered:,}", text(N_("calls answered")), CALLS),
            BoardFigure(_share(today.service_level), within, CALLS),
            BoardFigure(_share(rate), text(N_("connection rate of %(hours)s h")) % told, CALLS, kept),
        ],
        [],
        text(N_("As of %(time)s")) % {"time": _time(calls, zone)},
        _beside(calls, zone, text),
        Markup(line),  # noqa: S704 -- our own picture, its texts escaped
    )


def _beside(calls: BoardCalls, zone: tzinfo, text: Text) -> str:
    """A note on calls that are not over and in no figure; where none came today, on the last one."""
    if calls.today.not_over:
        return text(N_("%(n)s are not over yet and in no figure")) % {"n": f"{calls.today.not_over:,}"}
    if calls.today.offered or calls.last_at is None:
        return ""
    return text(N_("The last call came at %(time)s")) % {"time": shown(calls.last_at, zone)}


def _open(figures: BoardFigures, text: Text) -> BoardCard:
    rows = []
    for stage, word in STAGES:
        number = figures.stages.get(stage, 0)
        href = {
            Stage.IN_REVIEW: _waiting(REVIEWS),
            Stage.ASKING: _waiting(VISITS),
        }.get(stage, orders_path(stage=stage))
        rows.append(_part(text(word), number, figures.open, href))
    at_desks = sum(figures.stages.get(stage, 0) for stage in AT_DESKS)
    rows.append(_part(text(N_("with our own desks")), at_desks, figures.open, _waiting(DESKS)))
    whole = BoardFigure(f"{figures.open:,}", text(N_("not ended")), orders_path())
    return BoardCard("open", text(N_("Open complaints")), [whole], rows, "")


def _by_limit(figures: BoardFigures, known: Catalogue, text: Text) -> BoardCard:
    orders = figures.orders
    soon = text(N_("due within %(n)s h")) % {"n": DUE_SOON // timedelta(hours=1)}
    rows = [
        _part(
            unit_name(known, unit),
            load.overdue,
            orders.overdue,
            orders_path(due="overdue", unit=unit),
        )
        for unit, load in _latest(figures.by_unit.items())
    ]
    share = text(N_("%(share)s of the orders with units are overdue"))
    return BoardCard(
        "limits",
        text(N_("Orders by their limit")),
        [
            BoardFigure(
                f"{orders.overdue:,}",
                text(N_("overdue")),
                orders_path(due="overdue"),
                LATE if orders.overdue else GOOD,
            ),
            BoardFigure(
                f"{orders.due_soon:,}", soon, orders_path(due="soon"), SOON if orders.due_soon else PLAIN
            ),
            BoardFigure(f"{orders.open:,}", text(N_("with units")), orders_path()),
        ],
        rows,
        "",
        share % {"share": f"{orders.overdue_share:.1%}"} if orders.open else "",
    )


def _latest(loads: Iterable[tuple[str, OrderLoad]]) -> list[tuple[str, OrderLoad]]:
    late = [(unit, load) for unit, load in loads if load.overdue]
    return sorted(late, key=lambda one: (-one[1].overdue, one[0]))[:LATEST]


def _above(figures: BoardFigures, text: Text) -> BoardCard:
    climbed = figures.waits(SUPERVISION, DISTRICT, TOP).waiting
    taken = figures.waits(SUPERVISION, SUPERVISED)
    rows = []
    for role, word in (
        (DISTRICT, N_("with the district")),
        (TOP, N_("with municipal supervision")),
        (UNASKED, N_("answered, nobody to ask")),
    ):
        number = figures.waits(SUPERVISION, role).waiting
        rows.append(_part(text(word), number, climbed, _waiting(SUPERVISION, role)))
    late = text(N_("%(n)s under supervision are late")) % {"n": f"{taken.overdue:,}"}
    return BoardCard(
        "above",
        text(N_("Above the units")),
        [
            BoardFigure(
                f"{climbed:,}", text(N_("escalated")), _waiting(SUPERVISION), SOON if climbed else PLAIN
            ),
            BoardFigure(
                f"{taken.waiting:,}",
                text(N_("supervised")),
                _waiting(SUPERVISION, SUPERVISED),
                LATE if taken.overdue else PLAIN,
            ),
        ],
        rows,
        "",
        late if taken.overdue else "",
    )


def _at_centre(figures: BoardFigures, text: Text) -> BoardCard:
    rows = []
    for which, word in (
        (REVIEWS, N_("decisions on units' requests")),
        (VISITS, N_("visits")),
        (CORRECTIONS, N_("records to correct")),
    ):
        count = figures.waits(which)
        rows.append(_part(text(word), count.waiting, 0, _waiting(which)))
    whole = sum(figures.waits(which).waiting for which in (REVIEWS, VISITS, CORRECTIONS))
    return BoardCard(
        "centre", text(N_("Waits for the centre")), [BoardFigure(f"{whole:,}", text(N_("waiting")))], rows, ""
    )


def _processes(figures: BoardFigures, text: Text) -> BoardCard:
    health, behind = figures.health, figures.as_of.behind
    stopped = BoardRow(
        text(N_("topics nobody hears")), f"{health.stopped:,}", state=LATE if health.stopped else PLAIN
    )
    return BoardCard(
        "processes",
        text(N_("Processes")),
        [
            BoardFigure(
                f"{health.parked:,}", text(N_("parked messages")), PARKED, LATE if health.parked else GOOD
            ),
            BoardFigure(
                _seconds(behind), text(N_("lists behind the log")), "", LATE if behind > LISTS_LATE else PLAIN
            ),
        ],
        [
            BoardRow(
                text(N_("relay: oldest unsent fact")),
                _seconds(health.unsent),
                state=LATE if health.unsent > RELAY_LATE else PLAIN,
            ),
            BoardRow(
                text(N_("clock: oldest unfired limit")),
                _seconds(health.late),
                state=LATE if health.late > CLOCK_LATE else PLAIN,
            ),
            stopped,
        ],
        "",
    )


def _part(label: str, number: int, whole: int, href: str) -> BoardRow:
    return BoardRow(label, f"{number:,}", href, round(100 * number / whole) if whole else 0)


def _waiting(which: str, role: str = "") -> str:
    return f"/board/waiting/{which}" + (f"?role={role}" if role else "")


def _time(read: BoardFigures | BoardCalls, zone: tzinfo) -> str:
    return short(read.present, zone, seconds=True)


def _share(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1%}"


def _seconds(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:,.1f} s" if seconds < 10 else f"{seconds:,.0f} s"  # noqa: PLR2004 -- two digits
