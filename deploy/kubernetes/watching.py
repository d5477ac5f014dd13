"""The pods that Prometheus reads, and the alerts that call a person; each names a heading of the runbook."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from deploy.kubernetes.names import CITY, PART_OF
from deploy.processes import PROGRAMS
from shared.runtime.patience import LIVE_SECONDS

API: Final = "monitoring.coreos.com/v1"
RUNBOOK: Final = "docs/runbook.md"


class Alert(NamedTuple):
    """A line of the table of alerts."""

    name: str
    expression: str
    held: str
    """How long it must be so."""
    severity: str
    heading: str
    """Of the runbook."""
    summary: str


ALERTS: Final = (
    Alert(
        "ProcessStandsStill",
        f"time() - hotline_progress_timestamp_seconds > {LIVE_SECONDS:.0f}",
        "1m",
        "page",
        "Lag grows",
        "A process has completed no batch and no look for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "TopicStopped",
        "sum by (door) (hotline_door_stopped_topics) > 0",
        "0m",
        "page",
        "Something is parked",
        "A door takes nothing in from {{ $value }} topics until a person resumes them.",
    ),
    Alert(
        "MessagesParked",
        "sum(increase(hotline_door_parked_total[15m])) > 0",
        "0m",
        "ticket",
        "Something is parked",
        "{{ $value }} messages were set aside for a person.",
    ),
    Alert(
        "RecordsUnreadable",
        "sum(increase(hotline_door_set_apart_total[15m])) > 0",
        "0m",
        "ticket",
        "A record cannot be read",
        "{{ $value }} records were set aside because they cannot be read.",
    ),
    Alert(
        "ServersAway",
        "sum(rate(hotline_door_retries_total[5m])) > 0.5",
        "5m",
        "page",
        "Kafka or PostgreSQL is gone",
        "Doors try again {{ $value }} times a second.",
    ),
    Alert(
        "TimersLate",
        "histogram_quantile(0.99, sum by (le) (rate(hotline_timer_lateness_seconds_bucket[10m]))) > 60",
        "10m",
        "ticket",
        "Lag grows",
        "Limits are stated {{ $value | humanizeDuration }} late.",
    ),
)


def monitor() -> dict[str, Any]:
    """Every process of the table, by its port `metrics`."""
    return {
        "apiVersion": API,
        "kind": "PodMonitor",
        "metadata": {"name": CITY, "labels": PART_OF},
        "spec": {
            "jobLabel": "app.kubernetes.io/name",
            "selector": {
                "matchLabels": PART_OF,
                "matchExpressions": [
                    {"key": "app.kubernetes.io/name", "operator": "In", "values": [p.name for p in PROGRAMS]}
                ],
            },
            "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "interval": "15s"}],
        },
    }


def rules() -> dict[str, Any]:
    """The alerts."""
    return {
        "apiVersion": API,
        "kind": "PrometheusRule",
        "metadata": {"name": CITY, "labels": PART_OF},
        "spec": {"groups": [{"name": CITY, "rules": [_rule(alert) for alert in ALERTS]}]},
    }


def anchor(heading: str) -> str:
    """A heading's place in a page, as its readers link to it."""
    return heading.lower().replace(" ", "-")


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": f"Hotline{alert.name}",
        "expr": alert.expression,
        "for": alert.held,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "runbook_url": f"{RUNBOOK}#{anchor(alert.heading)}",
        },
    }
