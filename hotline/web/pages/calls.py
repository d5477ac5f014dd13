"""The page of the telephone: its figures over any time, by the hour, and the worst window of the rules."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from hotline.readside.board import ROLLING_STEP
from hotline.readside.call_series import HourOfCalls, RollingRate, hours_of_calls, rolling_rates
from hotline.readside.standing import as_of
from hotline.readside.telephone import HOUR, figures, responses
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.board.series import BARS_WIDTH, HourBar, RatePoint, bars_svg, rate_svg
from hotline.web.pages.catalogues import N_
from hotline.web.pages.telling_time import Text
from hotline.web.reading import lent
from services.intake.call_statistics import Figures
from shared.policy.ruleset import TelephoneRules, ruleset
from shared.times import in_zone, short, shown, time_of_day, zone_of

USUAL: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=31)
"""A longer time is no page any more: `hotline calls` has no limit."""
BARS_HOURS_MAX: Final = 7 * 24
"""Hours that are drawn one by one; of a longer time there is the line alone."""
POINTS: Final = 300
"""Points of the line; of a long time they stand further apart."""
_FIELD: Final = "%Y-%m-%dT%H:%M"


class CallInterval(NamedTuple):
    """The time that is asked for; `amiss`: what was wrong with it, so that the usual one is shown."""

    since: datetime
    until: datetime
    amiss: str = ""


class CallRow(NamedTuple):
    """A figure of the table."""

    name: str
    value: str
    part: bool = False
    """It is a part of the one above it."""


async def calls(ask: PageAsk) -> PageView:
    """The figures of the last 24 hours, or of the time that is asked for."""
    board = ask.rooms.board
    rules, zone = ruleset(board.rules), zone_of(board.rules)
    asked = interval_of(ask.query("since"), ask.query("until"), ask.now, zone, ask.text)
    since, until = asked.since, asked.until
    step = max(ROLLING_STEP, (until - since) / POINTS)
    async with lent(ask.rooms.pool) as connection:
        standing = await as_of(connection)
        told = await figures(connection, since, until, rules.telephone)
        answered = await responses(connection, since, until, rules.messages)
        rolling = await rolling_rates(connection, since, until, step, rules.telephone)
        few = until - since <= BARS_HOURS_MAX * HOUR
        hours = await hours_of_calls(connection, since, until, rules.telephone) if few else []
    values: dict[str, Any] = {
        "since": in_zone(since, zone).strftime(_FIELD),
        "until": in_zone(until, zone).strftime(_FIELD),
        "amiss": asked.amiss,
        "figures": told,
        "rows": rows_of(told, rules.telephone, ask),
        "lowest": lowest_words(told, rules.telephone, zone, ask.text),
        "kept": told.lowest is None or told.lowest.rate * 100 >= rules.telephone.connection_percent,
        "line": _line(rolling, rules.telephone, ask.text),
        "bars": _bars(hours, zone, ask.text),
        "hours": [(_hour(hour, zone), hour) for hour in hours],
        "messages": [one for one in answered if one.messages],
        "as_of": standing,
    }
    return PageView("calls.html", values)


def interval_of(since: str, until: str, now: datetime, zone: tzinfo, text: Text) -> CallInterval:
    """The time between two texts as a browser's fields write them; the last 24 hours without them."""
    usual = CallInterval(now - USUAL, now)
    try:
        end = datetime.strptime(until, _FIELD).replace(tzinfo=zone) if until else now
        begin = datetime.strptime(since, _FIELD).replace(tzinfo=zone) if since else end - USUAL
    except (ValueError, OverflowError):
        return usual._replace(amiss=text(N_("A time is written as 2026-11-27T08:00.")))
    if not timedelta() < end - begin <= LONGEST:
        return usual._replace(amiss=text(N_("The time must begin before it ends, and last at most 31 days.")))
    return CallInterval(begin, end)


def rows_of(told: Figures, rules: TelephoneRules, ask: PageAsk) -> list[CallRow]:
    """Each figure with what it counts; what is rarely other than nothing, only where it is."""
    text = ask.text
    within = {"n": f"{rules.answer_within.total_seconds():.0f}"}
    short = {"n": f"{rules.short_abandon.total_seconds():.0f}"}
    rows = [
        CallRow(text(N_("offered, and over or answered")), f"{told.offered:,}"),
        *(
            CallRow(ask.name("outcome", name), f"{number:,}", part=True)
            for name, number in told.by_outcome.items()
        ),
        *(
            CallRow(
                text(N_("not counted: %(outcome)s")) % {"outcome": ask.name("outcome", name)},
                f"{number:,}",
                part=True,
            )
            for name, number in told.excluded.items()
        ),
        CallRow(text(N_("not counted yet, still waiting")), f"{told.not_over:,}", part=True),
        CallRow(text(N_("connection rate: answered of offered")), _share(told.connection_rate)),
        CallRow(text(N_("answered within %(n)s s, of offered")) % within, _share(told.service_level)),
        CallRow(text(N_("answered within %(n)s s, of answered")) % within, _share(told.timely_rate)),
        CallRow(text(N_("abandoned of offered")), _share(told.abandon_rate)),
        CallRow(text(N_("abandoned sooner than %(n)s s")) % short, f"{told.short_abandons:,}", part=True),
        CallRow(text(N_("average wait of the answered")), _seconds(told.average_wait_seconds)),
        CallRow(text(N_("average talk of those that are over")), _seconds(told.average_talk_seconds)),
    ]
    if told.wait_unknown:
        rows.append(CallRow(text(N_("answered, how soon is not known")), f"{told.wait_unknown:,}"))
    return rows


def lowest_words(told: Figures, rules: TelephoneRules, zone: tzinfo, text: Text) -> str:
    """A sentence on the worst window on end (A2)."""
    hours = rules.window // HOUR
    if told.lowest is None:
        words = text(N_("No %(hours)s hours on end had %(least)s calls: none is the worst."))
        return words % {"hours": hours, "least": rules.window_calls_min}
    words = text(
        N_(
            "The worst %(hours)s hours on end came through at %(rate)s (%(answered)s of %(offered)s), ending at "
            "%(time)s; at least %(limit)s %% are asked for."
        )
    )
    return words % {
        "hours": hours,
        "rate": f"{told.lowest.rate:.2%}",
        "answered": f"{told.lowest.answered:,}",
        "offered": f"{told.lowest.offered:,}",
        "time": shown(told.lowest.at, zone),
        "limit": rules.connection_percent,
    }


def _line(rolling: list[RollingRate], rules: TelephoneRules, text: Text) -> Markup:
    label = text(N_("The connection rate of %(hours)s hours over this time, and the line at %(limit)s"))
    limit = rules.connection_percent / 100
    told = label % {"hours": rules.window // HOUR, "limit": f"{limit:.0%}"}
    return Markup(rate_svg([RatePoint(one.rate) for one in rolling], limit, told, BARS_WIDTH))  # noqa: S704 -- our own picture


def _bars(hours: list[HourOfCalls], zone: tzinfo, text: Text) -> Markup:
    if not hours:
        return Markup()
    words = text(N_("%(hour)s: %(offered)s offered, %(answered)s answered, %(within)s of them in time"))
    bars = [
        HourBar(
            name=time_of_day(hour.end - HOUR, zone),
            title=words
            % {
                "hour": _hour(hour, zone),
                "offered": f"{hour.offered:,}",
                "answered": f"{hour.answered:,}",
                "within": f"{hour.within:,}",
            },
            offered=hour.offered,
            answered=hour.answered,
            within=hour.within,
        )
        for hour in hours
    ]
    return Markup(bars_svg(bars, text(N_("Calls by the hour"))))  # noqa: S704 -- our own picture


def _hour(hour: HourOfCalls, zone: tzinfo) -> str:
    return short(hour.end - HOUR, zone)


def _share(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.2%}"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"
