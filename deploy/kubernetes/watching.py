"""The pods that Prometheus reads, and the rules it follows, as its operator takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from deploy.kubernetes.names import CITY, PART_OF
from deploy.processes import PROGRAMS
from deploy.watching.rules import groups

DASHBOARDS: Final = Path(__file__).parents[1] / "dashboards"
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


def dashboards() -> list[dict[str, Any]]:
    """The dashboards as they lie in git, each in a ConfigMap that Grafana's sidecar looks for."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"{CITY}-dashboard-{file.stem}",
                "labels": {**PART_OF, "grafana_dashboard": "1"},
            },
            "data": {file.name: json.dumps(json.loads(file.read_text(encoding="utf-8")), ensure_ascii=False)},
        }
        for file in sorted(DASHBOARDS.glob("*.json"))
    ]


def rules() -> dict[str, Any]:
    """The objectives' shares and the alerts."""
    return {
        "apiVersion": API,
        "kind": "PrometheusRule",
        "metadata": {"name": CITY, "labels": PART_OF},
        "spec": {"groups": groups()},
    }
