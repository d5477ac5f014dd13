"""The rules that Prometheus follows: the objectives' shares, computed ahead, and the alerts."""

from __future__ import annotations

from typing import Any, Final

from deploy.watching.alerts import ALERTS, Alert
from deploy.watching.objectives import OBJECTIVES, WINDOWS, Burn, Objective

PREFIX: Final = "Hotline"
RUNBOOK: Final = "docs/runbook.md"
PAGE: Final = "page"
TICKET: Final = "ticket"


def recorded(window: str) -> str:
    """The name under which the bad share of an objective over this time is written down."""
    return f"hotline:objective_bad:ratio_rate{window}"


def groups() -> list[dict[str, Any]]:
    """All rules: the shares first, as the alerts read them."""
    shares = [
        {
            "record": recorded(window),
            "expr": f"{one.bad_in(window)} / {one.total_in(window)}",
            "labels": {"objective": one.name},
        }
        for one in OBJECTIVES
        for window in WINDOWS
    ]
    promised = [
        {
            "record": "hotline:objective:percent",
            "expr": f"vector({one.percent:g})",
            "labels": {"objective": one.name},
        }
        for one in OBJECTIVES
    ]
    burning = [rule for one in OBJECTIVES for rule in _burns(one)]
    return [
        {"name": "hotline-objectives", "rules": [*promised, *shares]},
        {"name": "hotline-budgets", "rules": burning},
        {"name": "hotline", "rules": [_rule(alert) for alert in ALERTS]},
    ]


def alert_names() -> list[str]:
    """The name of every alert."""
    return [rule["alert"] for group in groups() for rule in group["rules"] if "alert" in rule]


def burn_name(one: Objective, severity: str) -> str:
    """The name of the alert on an objective's budget."""
    words = "".join(word.capitalize() for word in one.name.split("_"))
    return f"{PREFIX}{words}{'BurnsFast' if severity == PAGE else 'BurnsSlowly'}"


def anchor(heading: str) -> str:
    """A heading's place in a page, as its readers link to it."""
    return heading.lower().replace(" ", "-").replace("'", "")


def _burns(one: Objective) -> list[dict[str, Any]]:
    return [
        {
            "alert": burn_name(one, severity),
            "expr": " or ".join(_burn(one, burn) for burn in burns),
            "labels": {"severity": severity},
            "annotations": {
                "summary": f"{one.says} {{{{ $value | humanizePercentage }}}} of them: "
                f"{one.budget:.1%} are allowed.",
                "runbook_url": f"{RUNBOOK}#{anchor(one.heading)}",
            },
        }
        for severity, burns in ((PAGE, one.burns.page), (TICKET, one.burns.ticket))
    ]


def _burn(one: Objective, burn: Burn) -> str:
    bar = f"{burn.rate * one.budget:.4g}"
    of = f'{{objective="{one.name}"}}'
    return (
        f"({recorded(burn.long)}{of} > {bar} and {recorded(burn.short)}{of} > {bar}"
        f" and on () {one.total_in(burn.long)} >= {one.events_min})"
    )


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": f"{PREFIX}{alert.name}",
        "expr": alert.expression,
        "for": alert.held,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook_url": f"{RUNBOOK}#{anchor(alert.heading)}"},
    }
