"""Tests of every alert, as `promtool test rules` reads them: each fires, and each is silent just below its bar."""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple

from deploy.watching.alerts import ALERTS, Series
from deploy.watching.objectives import OBJECTIVES, Burn, Objective
from deploy.watching.rules import PAGE, PREFIX, TICKET, burn_name, groups

RULES: Final = "rules.yaml"
OUTCOMES: Final = 10_000
"""Outcomes a step in the series of an objective: the edge is told to one in so many."""
STEPS: Final = {PAGE: 1, TICKET: 10}
"""Minutes from one value of a series to the next: few enough that the shortest time of an alert has several."""
MINUTES: Final = {"m": 1, "h": 60, "d": 1440}
CLEAN: Final = {PAGE: 3, TICKET: 2}
"""Before a budget burns over a long time, nothing is bad for so many such times."""


class AlertTest(NamedTuple):
    """One look at one alert."""

    name: str
    series: Series
    at: str
    alert: str
    firing: bool


def minutes(span: str) -> int:
    """The minutes of a span such as `2h`."""
    return int(span[:-1]) * MINUTES[span[-1]]


def tests() -> list[AlertTest]:
    """Every alert of the table, both ways."""
    return [
        AlertTest(
            f"{alert.name} {'fires' if firing else 'is silent'}",
            alert.fires if firing else alert.silent,
            alert.at,
            f"{PREFIX}{alert.name}",
            firing,
        )
        for alert in ALERTS
        for firing in (True, False)
    ]


def burn_tests(severity: str) -> list[AlertTest]:
    """The budgets of all objectives: just above each bar, just below, and above it of too few."""
    found: list[AlertTest] = []
    step = STEPS[severity]
    for one in OBJECTIVES:
        first, second = one.burns.page if severity == PAGE else one.burns.ticket
        for burn, clean in ((first, CLEAN[severity] * minutes(first.long)), (second, 0)):
            for firing in (True, False):
                series, at = _series(one, burn, clean, step, above=firing)
                way = "fires" if firing else "is silent"
                found.append(
                    AlertTest(
                        f"{one.name} over {burn.long} {way}", series, at, burn_name(one, severity), firing
                    )
                )
        series, at = _few(one, second, step)
        found.append(
            AlertTest(f"{one.name} of too few is silent", series, at, burn_name(one, severity), firing=False)
        )
    return found


def _series(one: Objective, burn: Burn, clean: int, step: int, *, above: bool) -> tuple[Series, str]:
    """Counters that are good for `clean` minutes, then a little worse than the bar of this burn rate, or better."""
    bar = burn.rate * one.budget * OUTCOMES
    bad = math.floor(bar + 1.5) if above else math.ceil(bar - 1.5)
    lasts = minutes(burn.long)
    return _counters(one, clean // step, lasts // step, bad, OUTCOMES), f"{clean + lasts}m"


def _few(one: Objective, burn: Burn, step: int) -> tuple[Series, str]:
    """All outcomes are bad, and there are fewer than count."""
    lasts = minutes(burn.long)
    number = one.events_min - 2
    steps = lasts // step
    names = _names(one)
    ramp = f"0x{steps - number - 1} 0+1x{number}"
    return {names[0]: ramp, **dict.fromkeys(names[1:], f"0x{steps}")}, f"{lasts}m"


def _counters(one: Objective, clean: int, lasts: int, bad: int, rate: int) -> Series:
    bad_name, *good_names = _names(one)
    of_good = rate if one.total != _total_of_all(one) else rate - bad
    good_before = f"0+{rate}x{clean}"
    series = {bad_name: f"0x{clean} {bad}+{bad}x{lasts - 1}" if clean else f"0+{bad}x{lasts}"}
    for name in good_names:
        after = f"{rate * clean + of_good}+{of_good}x{lasts - 1}"
        series[name] = f"{good_before} {after}" if clean else f"0+{of_good}x{lasts}"
    return series


def _total_of_all(one: Objective) -> str:
    """The total of an objective whose bad outcomes are among it, by the same metric."""
    same = _metric(one.bad) == _metric(one.total) and "type=" not in one.bad
    return one.total if same else ""


def _names(one: Objective) -> list[str]:
    """The series of bad outcomes, and the one that makes the total whole."""
    if one.name == "calls_in_time":
        return ['hotline_calls_total{outcome="late"}', 'hotline_calls_total{outcome="in_time"}']
    if one.name == "calls_connected":
        return ['hotline_calls_total{outcome="abandoned"}', 'hotline_calls_total{outcome="in_time"}']
    return [one.bad, one.total]


def _metric(expression: str) -> str:
    found = re.match(r"\w+", expression)
    assert found is not None  # noqa: S101 -- the table's own
    return found[0]


def written(looks: list[AlertTest], evaluated: str, step: int = 1) -> dict[str, Any]:
    """The tests as a file; `evaluated`: how often the rules are, no oftener than the tests need."""
    return {
        "rule_files": [RULES],
        "evaluation_interval": evaluated,
        "group_eval_order": [group["name"] for group in groups()],
        "tests": [
            {
                "name": look.name,
                "interval": f"{step}m",
                "input_series": [{"series": name, "values": values} for name, values in look.series.items()],
                "promql_expr_test": [
                    {
                        # Whether it fires, not in which words: `promtool check rules` reads those.
                        "expr": f'count(ALERTS{{alertname="{look.alert}",alertstate="firing"}}) > bool 0',
                        "eval_time": look.at,
                        **({"exp_samples": [{"labels": "{}", "value": 1}]} if look.firing else {}),
                    }
                ],
            }
            for look in looks
        ],
    }


def files() -> dict[str, dict[str, Any]]:
    """Every file of tests, by its name."""
    return {
        "alerts_test.yaml": written(tests(), "1m"),
        "budgets_page_test.yaml": written(burn_tests(PAGE), "5m", STEPS[PAGE]),
        "budgets_ticket_test.yaml": written(burn_tests(TICKET), "1h", STEPS[TICKET]),
    }
