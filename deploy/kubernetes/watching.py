"""The pods that Prometheus reads, and the rules it follows, as its operator takes them."""

from __future__ import annotations

from typing import Any, Final

from deploy.kubernetes.names import CITY, PART_OF
from deploy.processes import PROGRAMS
from deploy.watching.rules import groups

API: Final = "monitoring.coreos.com/v1"


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
    """The objectives' shares and the alerts."""
    return {
        "apiVersion": API,
        "kind": "PrometheusRule",
        "metadata": {"name": CITY, "labels": PART_OF},
        "spec": {"groups": groups()},
    }
