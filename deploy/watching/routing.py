"""The way of an alert: a page at once and again, a ticket once a day. An effect is silent while its cause is told."""

from __future__ import annotations

from typing import Any, Final

from deploy.watching.rules import PAGE, PREFIX, TICKET

ON_CALL: Final = "on-call"
MORNING: Final = "morning"
PAGER: Final = "http://pager:8080"
"""Stands for the city's own pager: Alertmanager posts JSON there. Put yours in its place."""


def alertmanager() -> dict[str, Any]:
    """The settings of Alertmanager."""
    return {
        "route": {
            "receiver": MORNING,
            "group_by": ["alertname", "objective"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "1d",
            "routes": [
                {
                    "receiver": ON_CALL,
                    "matchers": [f'severity="{PAGE}"'],
                    "group_wait": "10s",
                    "repeat_interval": "1h",
                }
            ],
        },
        "inhibit_rules": [
            {  # who is called for a budget that burns fast needs no ticket for the same one
                "source_matchers": [f'severity="{PAGE}"', 'objective!=""'],
                "target_matchers": [f'severity="{TICKET}"'],
                "equal": ["objective"],
            },
            {  # where a server is away, all that waits for it is told by that
                "source_matchers": [f'alertname="{PREFIX}ServersAway"'],
                "target_matchers": [
                    f'alertname=~"{PREFIX}(DeskBehind|ListsBehind|ProcessStandsStill|PostgresSlow|KafkaSlow)"'
                ],
            },
        ],
        "receivers": [
            {"name": ON_CALL, "webhook_configs": [{"url": f"{PAGER}/page", "send_resolved": True}]},
            {"name": MORNING, "webhook_configs": [{"url": f"{PAGER}/ticket", "send_resolved": True}]},
        ],
    }
