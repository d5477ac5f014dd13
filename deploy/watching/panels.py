"""The dashboards as a table, made from the questions of an operator at night. No unit, complaint or person is in it."""

from __future__ import annotations

from typing import Final, NamedTuple

from deploy.watching.objectives import OBJECTIVES, SECONDS
from deploy.watching.rules import anchor, recorded

RATE: Final = "$__rate_interval"
"""Grafana puts a time in its place that holds several looks of Prometheus."""
BOARD: Final = "${pages}/board"
"""The city's own board."""
TRACES: Final = "${traces}"
"""The trace viewer."""


def runbook(heading: str) -> str:
    """The address of a heading."""
    return f"${{runbook}}#{anchor(heading)}"


class Query(NamedTuple):
    """A line of a panel, or several of one kind."""

    expression: str
    legend: str


class Panel(NamedTuple):
    """A picture that answers one question."""

    title: str
    says: str
    """How to read it."""
    unit: str
    """As Grafana names units: `s`, `short`, `percentunit`, `ops`, `bytes`."""
    link: str
    """Where to go from here: a heading of the runbook, a page, the traces."""
    queries: tuple[Query, ...]
    now: bool = False
    """Whether only the last value counts, shown large."""


class Board(NamedTuple):
    """A dashboard."""

    uid: str
    title: str
    """The question."""
    panels: tuple[Panel, ...]


def rate(counter: str, by: str = "") -> str:
    """How often a second."""
    return f"sum{f' by ({by})' if by else ''} (rate({counter}[{RATE}]))"


def quantile(share: float, histogram: str, by: str = "", *, of: str = "") -> str:
    """So many of all took at most so long; `of`: which of its series, as a selector."""
    buckets = f"rate({histogram}_bucket{of}[{RATE}])"
    return f"histogram_quantile({share}, sum by (le{', ' + by if by else ''}) ({buckets}))"


def share_in(window: str, objective: str = "") -> str:
    """The share of good outcomes, 0 to 1."""
    of = f'{{objective="{objective}"}}' if objective else ""
    return f"1 - {recorded(window)}{of}"


LAG: Final = runbook("Lag grows")
PARKED: Final = runbook("Something is parked")
GONE: Final = runbook("Kafka or PostgreSQL is gone")
SLOW: Final = runbook("PostgreSQL or Kafka is slow")
CALLS: Final = runbook("Calls wait too long")
HTTP: Final = runbook("HTTP answers nobody")

BOARDS: Final = (
    Board(
        "hotline-night",
        "Is the city kept",
        (
            Panel("Alerts", "How many alerts fire. Each one names a heading of the runbook.", "short",
                  runbook("A process is away"),
                  (Query('count(ALERTS{alertstate="firing"}) or vector(0)', "firing"),), now=True),
            Panel("Processes away", "Processes that do not answer Prometheus.", "short",
                  runbook("A process is away"), (Query("count(up == 0) or vector(0)", "away"),), now=True),
            Panel("Open complaints", "Complaints that have not ended, by stage.", "short", BOARD,
                  (Query("hotline_complaints_open", "{{stage}}"),)),
            Panel("Good outcomes of a day", "Each objective's share over a day; the line below which it is missed "
                  "stands beside.", "percentunit", LAG,
                  (Query(share_in("1d"), "{{objective}}"),
                   Query("hotline:objective:percent / 100", "at least, {{objective}}"))),
            Panel("Budgets burn", "How many times faster than allowed each budget is spent, over an hour. 1 is just "
                  "allowed.", "short", LAG,
                  tuple(Query(f'{recorded("1h")}{{objective="{one.name}"}} / {one.budget:g}', one.name)
                        for one in OBJECTIVES)),
            Panel("Releases", "Which release each process is of; two at once during an upgrade.", "short",
                  runbook("A process is away"),
                  (Query("sum by (version, log_format) (hotline_build_info)", "{{version}}, log {{log_format}}"),)),
        ),
    ),
    Board(
        "hotline-calls",
        "Do calls come through",
        (
            Panel("Calls", "Calls that ended, a second, by what became of them.", "ops", CALLS,
                  (Query(rate("hotline_calls_total", "outcome"), "{{outcome}}"),)),
            Panel("Waiting", "Calls that were offered and have no outcome yet.", "short", CALLS,
                  (Query("hotline_calls_waiting", "wait"),), now=True),
            Panel("Answered in time", f"Answered within {SECONDS} s, of the answered: an hour, and 24 hours.",
                  "percentunit", CALLS,
                  (Query(share_in("1h", "calls_in_time"), "an hour"), Query(share_in("1d", "calls_in_time"), "a day"))),
            Panel("Connected", "Answered, of all that ended: an hour, and 24 hours. The norm is 95 % of any 24.",
                  "percentunit", CALLS,
                  (Query(share_in("1h", "calls_connected"), "an hour"),
                   Query(share_in("1d", "calls_connected"), "a day"))),
            Panel("Taken in", "Messages a second that intake takes in, by door. The switch speaks at `calls`.", "ops",
                  runbook("No call comes through"),
                  (Query(rate('hotline_door_messages_total{job="intake"}', "door"), "{{door}}"),)),
        ),
    ),
    Board(
        "hotline-dispatch",
        "Is dispatch on time",
        (
            Panel("Dispatched and missed", "Orders that went out, and limits of dispatch that passed, a second.", "ops",
                  runbook("Orders go out late"),
                  (Query(rate('hotline_desk_facts_total{type="ComplaintDispatched"}'), "out"),
                   Query(rate('hotline_desk_facts_total{type="DispatchLimitMissed"}'), "missed"))),
            Panel("In time", "Dispatched within the limit: an hour, and a day.", "percentunit",
                  runbook("Orders go out late"),
                  (Query(share_in("1h", "dispatched_in_time"), "an hour"),
                   Query(share_in("1d", "dispatched_in_time"), "a day"))),
            Panel("Waiting for a decision", "Rows of the lists of reviewers and desks.", "short", BOARD,
                  (Query('hotline_list_waiting{list=~"reviews|desks|corrections"}', "{{list}}"),)),
            Panel("Behind", "Messages that dispatch has not taken in, by door.", "short", LAG,
                  (Query('sum by (door) (hotline_door_behind_messages{job="dispatch"})', "{{door}}"),)),
            Panel("A batch", "Half and 99 of a hundred batches of dispatch took at most so long.", "s", TRACES,
                  (Query(quantile(0.5, "hotline_door_batch_seconds", of='{job="dispatch"}'), "half"),
                   Query(quantile(0.99, "hotline_door_batch_seconds", of='{job="dispatch"}'), "99 %"))),
        ),
    ),
    Board(
        "hotline-desks",
        "Which desk is behind, and since when",
        (
            Panel("Behind", "Messages in Kafka that a desk has not taken in.", "short", LAG,
                  (Query("sum by (job) (hotline_door_behind_messages)", "{{job}}"),)),
            Panel("Stands still", "Seconds since a process completed anything. It is ended after 90.", "s", LAG,
                  (Query("time() - hotline_progress_timestamp_seconds", "{{job}}"),)),
            Panel("Taken in", "Messages a second, by desk and door.", "ops", LAG,
                  (Query(rate("hotline_door_messages_total", "job, door"), "{{job}} {{door}}"),)),
            Panel("Tried again", "Times a second that PostgreSQL or Kafka was away from a door.", "ops", GONE,
                  (Query(rate("hotline_door_retries_total", "job"), "{{job}}, PostgreSQL"),
                   Query(rate("hotline_door_unreadable_total", "job"), "{{job}}, Kafka"))),
            Panel("A batch", "99 of a hundred batches took at most so long.", "s", TRACES,
                  (Query(quantile(0.99, "hotline_door_batch_seconds", "job, door"), "{{job}} {{door}}"),)),
            Panel("Decided again", "Batches a second that another desk was faster than.", "ops", LAG,
                  (Query(rate("hotline_desk_decided_again_total", "job"), "{{job}}"),)),
            Panel("Facts", "Facts a second, by desk.", "ops", TRACES,
                  (Query(rate("hotline_desk_facts_total", "job"), "{{job}}"),)),
        ),
    ),
    Board(
        "hotline-parked",
        "What is parked or stopped",
        (
            Panel("Parked now", "Messages that wait for a person.", "short", PARKED,
                  (Query("hotline_parked_messages", "{{desk}}"),), now=True),
            Panel("Stopped now", "Topics of which nothing is taken in.", "short", PARKED,
                  (Query("hotline_stopped_topics", "{{desk}}"),), now=True),
            Panel("Since", "How long the oldest of them waits.", "s", PARKED,
                  (Query("time() - hotline_parked_oldest_timestamp_seconds", "{{desk}}"),)),
            Panel("Parked", "Messages set aside, a second.", "ops", PARKED,
                  (Query(rate("hotline_door_parked_total", "job"), "{{job}}"),)),
            Panel("Stops", "How often each door has stopped a topic, since its process began.", "short", PARKED,
                  (Query("sum by (job, door) (hotline_door_stopped_total)", "{{job}} {{door}}"),)),
            Panel("Unreadable", "Records a second that cannot be read, set apart by their place.", "ops",
                  runbook("A record cannot be read"),
                  (Query(rate("hotline_door_set_apart_total", "job, door"), "{{job}} {{door}}"),)),
            Panel("Repeats", "Messages a second that had had their effect before, and were dropped.", "ops", PARKED,
                  (Query(rate("hotline_door_repeats_total", "job"), "{{job}}"),
                   Query(rate("hotline_door_relay_repeats_total", "job"), "{{job}}, of the relay"))),
        ),
    ),
    Board(
        "hotline-limits",
        "Which limits fall due in the next hour",
        (
            Panel("Due within the hour", "Rows whose limit falls within an hour, by list.", "short", BOARD,
                  (Query("hotline_list_due_within_hour", "{{list}}"),)),
            Panel("Overdue", "Rows whose limit has passed, by list.", "short", BOARD,
                  (Query("hotline_list_overdue", "{{list}}"),)),
            Panel("Waiting", "All rows, by list.", "short", BOARD, (Query("hotline_list_waiting", "{{list}}"),)),
            Panel("Missed", "Limits stated as missed, a second, by which.", "ops", runbook("Units answer late"),
                  (Query(rate('hotline_desk_facts_total{type=~".*Missed"}', "type"), "{{type}}"),)),
            Panel("Answered in time", "Orders answered within their limit, over a day and three.", "percentunit",
                  runbook("Units answer late"),
                  (Query(share_in("1d", "answered_in_time"), "a day"),
                   Query(share_in("3d", "answered_in_time"), "three days"))),
            Panel("The clock is late", "How long ago the timer was due that fires next.", "s", LAG,
                  (Query("hotline_timer_behind_seconds", "next timer"),)),
            Panel("Timers", "Timers a second that fired, and that could not be decided.", "ops", LAG,
                  (Query(rate("hotline_timer_fired_total"), "fired"),
                   Query(rate("hotline_timer_passed_over_total"), "passed over"))),
            Panel("Lateness of misses", "99 of a hundred misses were stated at most so long after the limit.", "s", LAG,
                  (Query(quantile(0.99, "hotline_timer_lateness_seconds"), "99 %"),)),
        ),
    ),
    Board(
        "hotline-brake",
        "Is the relay, PostgreSQL or Kafka the brake",
        (
            Panel("The relay is behind", "How old the oldest fact is that was not sent.", "s", LAG,
                  (Query("hotline_relay_behind_seconds", "oldest unsent"),)),
            Panel("The lists are behind", "How old the oldest fact is that no list has.", "s",
                  runbook("The lists are behind"), (Query("hotline_projector_behind_seconds", "oldest unlisted"),)),
            Panel("PostgreSQL", "Nine of ten batches of a desk were written within so long.", "s", SLOW,
                  (Query(quantile(0.9, "hotline_desk_append_seconds", "job"), "{{job}}"),)),
            Panel("Kafka", "Half and nine of ten pages of the relay were acknowledged within so long.", "s", SLOW,
                  (Query(quantile(0.5, "hotline_relay_send_seconds"), "half"),
                   Query(quantile(0.9, "hotline_relay_send_seconds"), "90 %"))),
            Panel("Sent", "Messages of the relay a second, and facts taken in to lists.", "ops", LAG,
                  (Query(rate("hotline_relay_messages_total"), "sent"),
                   Query(rate("hotline_projector_taken_total"), "listed"))),
            Panel("Away", "Times a second that a server was away.", "ops", GONE,
                  (Query(rate("hotline_kafka_errors_total", "job"), "Kafka, {{job}}"),
                   Query(rate("hotline_relay_retries_total"), "PostgreSQL, relay"),
                   Query(rate("hotline_projector_retries_total"), "PostgreSQL, projector"),
                   Query(rate("hotline_timer_retries_total"), "PostgreSQL, timers"))),
            Panel("Processors", "Processors that each process takes; 1 is a whole one.", "short", LAG,
                  (Query(f"sum by (job) (rate(process_cpu_seconds_total[{RATE}]))", "{{job}}"),)),
            Panel("Memory", "Memory of each process.", "bytes", LAG,
                  (Query("process_resident_memory_bytes", "{{job}}"),)),
            Panel("Files", "Open files and connections, of those allowed.", "percentunit", LAG,
                  (Query("process_open_fds / process_max_fds", "{{job}}"),)),
        ),
    ),
    Board(
        "hotline-http",
        "What do HTTP's callers get",
        (
            Panel("Requests", "Requests a second, by surface.", "ops", HTTP,
                  (Query(rate("hotline_web_requests_total", "surface"), "{{surface}}"),)),
            Panel("Not answered", "Requests a second that were not answered, as something was away.", "ops", HTTP,
                  (Query(rate("hotline_web_unavailable_total", "surface"), "{{surface}}"),)),
            Panel("Refused", "Requests a second that were refused: the key, the event, the rate.", "ops", HTTP,
                  (Query(rate("hotline_web_refused_total", "surface"), "{{surface}}"),)),
            Panel("Answered", "The share that was answered: an hour, and a day.", "percentunit", HTTP,
                  (Query(share_in("1h", "http_answered"), "an hour"), Query(share_in("1d", "http_answered"), "a day"))),
            Panel("How long", "Half and 99 of a hundred requests took at most so long.", "s", TRACES,
                  (Query(quantile(0.5, "hotline_web_seconds", "surface"), "{{surface}}, half"),
                   Query(quantile(0.99, "hotline_web_seconds", "surface"), "{{surface}}, 99 %"))),
            Panel("Acknowledged", "Events a second that Kafka has, and producers made anew.", "ops", GONE,
                  (Query(rate("hotline_web_events_total"), "events"),
                   Query(rate("hotline_web_producers_rebuilt_total"), "producers made anew"))),
            Panel("Live regions", "Regions of pages rendered a second, each once for all who look.", "ops", HTTP,
                  (Query(rate("hotline_web_regions_rendered_total"), "rendered"),)),
            Panel("A live region", "Half and 99 of a hundred renderings took at most so long.", "s", HTTP,
                  (Query(quantile(0.5, "hotline_web_region_seconds"), "half"),
                   Query(quantile(0.99, "hotline_web_region_seconds"), "99 %"))),
        ),
    ),
    Board(
        "hotline-webhooks",
        "Do webhooks arrive",
        tuple(
            Panel(title, says, unit, runbook("Webhooks are refused"), queries)
            for title, says, unit, queries in (
                ("Arrive", "Signed events a second.", "ops",
                 (Query(rate('hotline_web_requests_total{surface="webhook"}'), "arrive"),)),
                ("Refused", "Of them those whose signature, key or content was refused.", "ops",
                 (Query(rate('hotline_web_refused_total{surface="webhook"}'), "refused"),)),
                ("Not answered", "Of them those that could not be taken in, as a server was away.", "ops",
                 (Query(rate('hotline_web_unavailable_total{surface="webhook"}'), "not answered"),)),
                ("How long", "99 of a hundred took at most so long.", "s",
                 (Query(quantile(0.99, "hotline_web_seconds", of='{surface="webhook"}'), "99 %"),)),
            )
        ),
    ),
)  # fmt: skip
