"""The pods that Prometheus reads, and the rules it follows, as its operator takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from deploy.kubernetes.names import CITY, PART_OF, TARGETS, TARGETS_FILE, labels, meta
from deploy.processes import EACH_ADDRESS, METRICS_PORT, PROGRAMS, Program
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


def targets(programs: Iterable[Program] = PROGRAMS) -> dict[str, Any]:
    """The list of targets that the operations page reads: each pod behind the name of a process's service."""
    listed = [
        {"targets": [f"{row.name}-metrics:{METRICS_PORT}"], "labels": {"job": row.name, EACH_ADDRESS: "yes"}}
        for row in programs
    ]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": TARGETS, "labels": PART_OF},
        "data": {TARGETS_FILE: json.dumps(listed, indent=2) + "\n"},
    }


def answering(program: Program) -> dict[str, Any]:
    """The name behind which each pod of a process answers for its metrics, also one that is not ready."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(f"{program.name}-metrics", of=program.name),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": labels(program.name),
            "ports": [{"name": "metrics", "port": METRICS_PORT, "targetPort": "metrics"}],
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
