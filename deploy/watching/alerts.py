"""The alerts beside the objectives: a table with the series that make each one fire, and those that just do not.

Series are written as `promtool test rules` reads them, a value each minute: `0+5x10` is 0, 5, … 50.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.runtime.patience import LIVE_SECONDS

Series = Mapping[str, str]


class Alert(NamedTuple):
    """A line of the table."""

    name: str
    expression: str
    held: str
    """How long it must be so."""
    severity: str
    """`page`: a person is called at once; `ticket`: somebody looks in the morning."""
    heading: str
    """Of the runbook."""
    summary: str
    at: str
    """When the series below are looked at."""
    fires: Series
    """Series on which it fires."""
    silent: Series
    """Series at the edge, on which it does not."""


def _histogram(name: str, labels: str, at_most: str, most: str, per_minute: int, late: int) -> Series:
    """Observations a minute over an hour: all of them, of which `late` lie above `at_most` and below `most`."""
    inner = f"{labels}," if labels else ""
    return {
        f'{name}_bucket{{{inner}le="{at_most}"}}': f"0+{per_minute - late}x60",
        f'{name}_bucket{{{inner}le="{most}"}}': f"0+{per_minute}x60",
        f'{name}_bucket{{{inner}le="+Inf"}}': f"0+{per_minute}x60",
    }


ALERTS: Final = (
    Alert(
        "ProcessAway",
        "up == 0",
        "2m",
        "page",
        "A process is away",
        "{{ $labels.job }} does not answer Prometheus.",
        "10m",
        {'up{job="intake"}': "1x5 0x5"},
        {'up{job="intake"}': "1x8 0 0 1"},
    ),
    Alert(
        "ProcessStandsStill",
        f"time() - hotline_progress_timestamp_seconds > {LIVE_SECONDS:.0f}",
        "1m",
        "page",
        "Lag grows",
        "A process has completed no batch and no look for {{ $value | humanizeDuration }}.",
        "10m",
        {'hotline_progress_timestamp_seconds{job="relay"}': "0x20"},
        {'hotline_progress_timestamp_seconds{job="relay"}': f"-{LIVE_SECONDS:.0f}+60x20"},
    ),
    Alert(
        "FiguresMissing",
        "absent(hotline_relay_behind_seconds)",
        "5m",
        "ticket",
        "The lists are behind",
        "No projector shows the figures of the city: it is away, or stands by.",
        "10m",
        {'up{job="projector"}': "1x20"},
        {'hotline_relay_behind_seconds{job="projector"}': "0x20"},
    ),
    Alert(
        "TopicStopped",
        "sum by (desk) (hotline_stopped_topics) > 0",
        "0m",
        "page",
        "Something is parked",
        "{{ $labels.desk }} takes nothing in from {{ $value }} topics until a person resumes them.",
        "5m",
        {'hotline_stopped_topics{desk="intake"}': "0x4 1x5"},
        {'hotline_stopped_topics{desk="intake"}': "1x4 0x5"},
    ),
    Alert(
        "MessagesParked",
        "sum by (desk) (hotline_parked_messages) > 0",
        "0m",
        "ticket",
        "Something is parked",
        "{{ $value }} messages of {{ $labels.desk }} are set aside for a person.",
        "5m",
        {'hotline_parked_messages{desk="intake"}': "0x4 1x5"},
        {'hotline_parked_messages{desk="intake"}': "1x4 0x5"},
    ),
    Alert(
        "RecordsUnreadable",
        "sum by (job, door) (increase(hotline_door_set_apart_total[15m])) > 0",
        "0m",
        "ticket",
        "A record cannot be read",
        "{{ $labels.job }} set records aside that cannot be read.",
        "20m",
        {'hotline_door_set_apart_total{job="intake",door="requests"}': "0x10 1x10"},
        {'hotline_door_set_apart_total{job="intake",door="requests"}': "0 1x40"},
    ),
    Alert(
        "DeskBehind",
        "sum by (job) (hotline_door_behind_messages) > 5000",
        "5m",
        "page",
        "Lag grows",
        "{{ $value }} messages wait for {{ $labels.job }}.",
        "15m",
        {'hotline_door_behind_messages{job="dispatch",door="log"}': "5001x20"},
        {'hotline_door_behind_messages{job="dispatch",door="log"}': "5000x20"},
    ),
    Alert(
        "ListsBehind",
        "max(hotline_projector_behind_seconds) > 60",
        "5m",
        "ticket",
        "The lists are behind",
        "Lists are {{ $value | humanizeDuration }} behind the log.",
        "15m",
        {'hotline_projector_behind_seconds{job="projector"}': "61x20"},
        {'hotline_projector_behind_seconds{job="projector"}': "60x20"},
    ),
    Alert(
        "ServersAway",
        "sum(rate(hotline_door_retries_total[5m])) > 0.5",
        "5m",
        "page",
        "Kafka or PostgreSQL is gone",
        "Doors try again {{ $value }} times a second.",
        "20m",
        {'hotline_door_retries_total{job="intake",door="requests"}': "0+31x30"},
        {'hotline_door_retries_total{job="intake",door="requests"}': "0+30x30"},
    ),
    Alert(
        "KafkaErrors",
        "sum(rate(hotline_kafka_errors_total[5m])) > 1",
        "5m",
        "page",
        "Kafka or PostgreSQL is gone",
        "The Kafka clients complain {{ $value }} times a second.",
        "20m",
        {'hotline_kafka_errors_total{job="intake"}': "0+61x30"},
        {'hotline_kafka_errors_total{job="intake"}': "0+60x30"},
    ),
    Alert(
        "PostgresSlow",
        "histogram_quantile(0.9, sum by (le) (rate(hotline_desk_append_seconds_bucket[5m]))) > 0.5",
        "5m",
        "ticket",
        "PostgreSQL or Kafka is slow",
        "One batch in ten takes PostgreSQL longer than {{ $value | humanizeDuration }}.",
        "20m",
        _histogram("hotline_desk_append_seconds", 'job="intake"', "0.5", "1", 100, 12),
        _histogram("hotline_desk_append_seconds", 'job="intake"', "0.5", "1", 100, 9),
    ),
    Alert(
        "KafkaSlow",
        "histogram_quantile(0.9, sum by (le) (rate(hotline_relay_send_seconds_bucket[5m]))) > 1",
        "5m",
        "ticket",
        "PostgreSQL or Kafka is slow",
        "One page in ten takes Kafka longer than {{ $value | humanizeDuration }}.",
        "20m",
        _histogram("hotline_relay_send_seconds", 'job="relay"', "1", "5", 100, 12),
        _histogram("hotline_relay_send_seconds", 'job="relay"', "1", "5", 100, 9),
    ),
    Alert(
        "TimersLate",
        "max(hotline_timer_behind_seconds) > 60",
        "2m",
        "page",
        "Lag grows",
        "The next limit should have been stated {{ $value | humanizeDuration }} ago.",
        "10m",
        {'hotline_timer_behind_seconds{job="projector"}': "61x20"},
        {'hotline_timer_behind_seconds{job="projector"}': "60x20"},
    ),
    Alert(
        "TimersPassedOver",
        "sum(increase(hotline_timer_passed_over_total[15m])) > 0",
        "0m",
        "ticket",
        "Verify finds something",
        "Limits of {{ $value }} complaints could not be decided.",
        "20m",
        {'hotline_timer_passed_over_total{job="escalation"}': "0x10 1x10"},
        {'hotline_timer_passed_over_total{job="escalation"}': "0 1x40"},
    ),
    Alert(
        "NoCalls",
        "sum(increase(hotline_calls_total[15m])) == 0 and sum(increase(hotline_calls_total[1d])) > 1000",
        "15m",
        "page",
        "No call comes through",
        "No call has come to an end for half an hour, of a telephone that has thousands a day.",
        "3h",
        {'hotline_calls_total{outcome="in_time"}': "0+20x120 2400x60"},
        {'hotline_calls_total{outcome="in_time"}': "0+20x120 2400x34 2401x30"},
    ),
    Alert(
        "HttpSlow",
        "histogram_quantile(0.99, sum by (le) (rate(hotline_web_seconds_bucket[5m]))) > 1",
        "10m",
        "ticket",
        "HTTP answers nobody",
        "One request in a hundred takes longer than {{ $value | humanizeDuration }}.",
        "30m",
        _histogram("hotline_web_seconds", 'job="web",surface="pages"', "1", "5", 1000, 12),
        _histogram("hotline_web_seconds", 'job="web",surface="pages"', "1", "5", 1000, 9),
    ),
    Alert(
        "WebhooksRefused",
        'sum(increase(hotline_web_refused_total{surface="webhook"}[15m]))'
        ' > 0.5 * sum(increase(hotline_web_requests_total{surface="webhook"}[15m]))',
        "15m",
        "ticket",
        "Webhooks are refused",
        "More than half of all webhooks were refused: {{ $value }} in a quarter of an hour.",
        "40m",
        {
            'hotline_web_refused_total{job="web",surface="webhook"}': "0+6x60",
            'hotline_web_requests_total{job="web",surface="webhook"}': "0+10x60",
        },
        {
            'hotline_web_refused_total{job="web",surface="webhook"}': "0+5x60",
            'hotline_web_requests_total{job="web",surface="webhook"}': "0+10x60",
        },
    ),
)
