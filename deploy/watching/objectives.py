"""The objectives of the city: a share of good outcomes, over a time. Rules, alerts and panels follow from this table.

An objective may be missed by its error budget, 1 less the share. How many times faster than allowed the budget is
spent is its burn rate. A person is called when it is high over a long
and a short time at once. So the call comes soon, and ends soon after the fault (decision 0070).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.policy.ruleset import TelephoneRules, ruleset
from shared.versions import RULESET


class Burn(NamedTuple):
    """How fast a budget may be spent, over two times, before somebody hears of it."""

    long: str
    short: str
    rate: float
    """So many times as fast as allowed."""


class BurnTable(NamedTuple):
    """The burn rates of objectives over the same time."""

    page: tuple[Burn, Burn]
    """A person is called at once."""
    ticket: tuple[Burn, Burn]
    """Somebody looks in the morning."""


MONTH: Final = BurnTable(
    page=(Burn("1h", "5m", 14.4), Burn("6h", "30m", 6.0)),
    ticket=(Burn("1d", "2h", 3.0), Burn("3d", "6h", 1.0)),
)
"""Of a month's budget: 2 % in an hour, 5 % in six hours; 10 % in a day, 10 % in three days."""
DAY: Final = BurnTable(
    page=(Burn("1h", "5m", 6.0), Burn("6h", "30m", 2.0)),
    ticket=(Burn("12h", "1h", 1.5), Burn("1d", "2h", 1.0)),
)
"""Of a day's budget: a quarter in an hour, half in six hours; three quarters in twelve hours, all of it in a day."""
WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "12h", "1d", "3d")
"""The times over which each objective is computed."""


class Objective(NamedTuple):
    """A line of the table."""

    name: str
    percent: float
    """So many of a hundred outcomes must be good."""
    burns: BurnTable
    bad: str
    """Of counters: the outcomes that are bad."""
    total: str
    """Of counters: all outcomes."""
    events_min: int
    """Fewer outcomes in the long time call nobody: of two one half says nothing."""
    heading: str
    """Of the runbook."""
    basis: str
    """Why it is this share."""
    says: str
    """A sentence for the operator, in the past tense."""

    @property
    def budget(self) -> float:
        """The share that may be bad, 0 to 1."""
        return round(1 - self.percent / 100, 6)

    def bad_in(self, window: str) -> str:
        """How many were bad in this time, as an expression."""
        return f"sum(increase({self.bad}[{window}]))"

    def total_in(self, window: str) -> str:
        """How many there were in this time. Where more were bad than ended, those that are bad have not ended."""
        total, bad = f"sum(increase({self.total}[{window}]))", self.bad_in(window)
        return f"(({total} > {bad}) or {bad})"


TELEPHONE: Final[TelephoneRules] = ruleset(RULESET).telephone
SECONDS: Final = round(TELEPHONE.answer_within.total_seconds())
EVENTS_MIN: Final = TELEPHONE.window_calls_min

OBJECTIVES: Final = (
    Objective(
        "calls_in_time",
        float(TELEPHONE.connection_percent),
        DAY,
        'hotline_calls_total{outcome="late"}',
        'hotline_calls_total{outcome=~"in_time|late"}',
        EVENTS_MIN,
        "Calls wait too long",
        f"A1: a call is answered within {SECONDS} s; the share is that of A2, as no text names another",
        f"Answered calls waited longer than {SECONDS} s.",
    ),
    Objective(
        "calls_connected",
        float(TELEPHONE.connection_percent),
        DAY,
        'hotline_calls_total{outcome!~"in_time|late"}',
        "hotline_calls_total",
        EVENTS_MIN,
        "Calls wait too long",
        "A2: in any 24 hours on end",
        "Calls ended and nobody had answered them.",
    ),
    Objective(
        "dispatched_in_time",
        99.0,
        MONTH,
        'hotline_desk_facts_total{type="DispatchLimitMissed"}',
        'hotline_desk_facts_total{type="ComplaintDispatched"}',
        EVENTS_MIN,
        "Orders go out late",
        "C1 has no share: each must be in time; the project allows one of a hundred for supplements",
        "Complaints were not dispatched within their limit.",
    ),
    Objective(
        "answered_in_time",
        95.0,
        MONTH,
        'hotline_desk_facts_total{type="AnswerLimitMissed"}',
        'hotline_desk_facts_total{type="OrderAnswered"}',
        EVENTS_MIN,
        "Units answer late",
        "C2 has no share: each must be in time; a unit's lateness calls its supervision, not an operator",
        "Units did not answer within their limit.",
    ),
    Objective(
        "relay_in_time",
        99.5,
        MONTH,
        "hotline_relay_late_looks_total",
        "hotline_relay_looks_total",
        EVENTS_MIN,
        "Lag grows",
        "assumption: a desk hears of another's fact within 5 s, so no limit is short of it",
        "Facts waited longer than 5 s to be sent.",
    ),
    Objective(
        "http_answered",
        99.5,
        MONTH,
        "hotline_web_unavailable_total",
        "hotline_web_requests_total",
        EVENTS_MIN,
        "HTTP answers nobody",
        "assumption: a sender repeats, so nothing is lost, and half of a hundred may come twice",
        "Requests over HTTP were not answered.",
    ),
)
