"""The page of a month's ranking: streets and towns by score, the lists, the rates, what became known later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from hotline.scoring.ledger import LateFact, Scores
from hotline.scoring.life import Counted, month_before
from hotline.scoring.month import By, Line
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.reading import Connection, lent
from shared.policy.ruleset import ruleset
from shared.times import shown

CORRECTIONS_MAX: Final = 200
"""Corrections that are shown; `hotline rank corrections` has all."""
OLD: Final = timedelta(minutes=1)
"""Counts that are further behind the log say so."""
_FIRST_YEAR: Final = 2000
_STANDING: Final = "SELECT behind FROM web.scores_standing()"


class ScoresStanding(NamedTuple):
    """How far the counts are."""

    made: bool
    behind: timedelta | None
    """None where everything is counted."""

    @property
    def old(self) -> bool:
        """Whether the page should say so."""
        return not self.made or (self.behind is not None and self.behind > OLD)


async def ranking(ask: PageAsk) -> PageView:
    """The month that is asked for; without one the last that is over."""
    rules = ruleset(ask.rooms.board.rules)
    zone = ZoneInfo(rules.timezone)
    today = ask.now.astimezone(zone).date()
    month = month_of(ask.query("month"), today)
    following = _following(month)
    by = By(rules, ask.rooms.catalogue, ask.rooms.inhabitants)
    async with lent(ask.rooms.pool) as connection:
        scores = Scores(connection, zone, rules.score.counting)
        made = await scores.month(month, by)
        later = await scores.corrections(month) if made.corrections else []
        standing = await _standing(connection)
    chosen = ask.query("list")
    lines = [
        line for line in made.lines if line.district is not None and (not chosen or chosen in line.lists)
    ]
    values: dict[str, Any] = {
        "month": made,
        "earlier": month_before(month),
        "following": following if following <= today else None,
        "lines": lines,
        "lists": {name: sum(name in line.lists for line in made.lines) for name in rules.score.lists},
        "chosen": chosen,
        "ranked": any(line.rank is not None for line in made.lines),
        "frozen": "" if made.frozen_at is None else shown(made.frozen_at, zone),
        "later": [_later(ask, one) for one in later[:CORRECTIONS_MAX]],
        "standing": standing,
        "streets": sum(line.district is not None for line in made.lines),
        "left_out": _left_out(lines),
    }
    return PageView("ranking.html", values)


def month_of(text: str, today: date) -> date:
    """The first day of a month written as 2026-10; of the last month that is over where nothing is written."""
    if not text:
        return month_before(today.replace(day=1))
    try:
        found = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 -- a day of the city's own
    except ValueError:
        raise PageRefusal(PageFault.BAD_REQUEST) from None
    if found.year < _FIRST_YEAR or found > today:
        raise PageRefusal(PageFault.BAD_REQUEST)
    return found


def _following(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _left_out(lines: list[Line]) -> int:
    return sum(sum(line.left_out.values()) for line in lines)


def _later(ask: PageAsk, one: LateFact) -> dict[str, str]:
    was, now = one.was, one.now
    nothing = ask.text(N_("not in it"))
    return {
        "id": one.complaint_id,
        "was": nothing if was is None else _told(ask, was),
        "now": nothing if now is None else _told(ask, now),
    }


def _told(ask: PageAsk, one: Counted) -> str:
    """How a complaint counts, in words."""
    if one.unit is None:
        return ask.text(N_("a request only"))
    if one.left_out is not None:
        return ask.text(N_("left out"))
    words = {
        "responded": ask.text(N_("responded")),
        "solved": ask.text(N_("solved")),
        "satisfied": ask.text(N_("satisfied")),
    }
    said = [word for name, word in words.items() if getattr(one, name)]
    return " · ".join(said) or ask.text(N_("counted"))


async def _standing(connection: Connection) -> ScoresStanding:
    row = await connection.fetchrow(_STANDING)
    return ScoresStanding(made=row is not None, behind=None if row is None else row["behind"])
