"""Every counter, gauge and histogram that a process keeps, with what it counts.

The part of a process that keeps a metric is its name before the dot; `PARTS` names those that only some such parts
have. A process shows the metrics of the parts that it has, and no others.
"""

from __future__ import annotations

from typing import Final, Literal

CounterName = Literal[
    # Facts appended, by type.
    "desk.facts",
    # Batches written.
    "desk.batches",
    # Seconds of the processor that a desk took, by what they went to (`shared.runtime.processor_time`).
    "desk.processor_seconds",
    # Batches decided again because another desk had appended first.
    "desk.decided_again",
    # Inputs that had had their effect before and were dropped.
    "door.repeats",
    # Messages taken from Kafka.
    "door.messages",
    # Messages set aside for a person.
    "door.parked",
    # Times a door stopped taking in from a topic, because most of it would have been parked.
    "door.stopped",
    # Times the offsets were found moved by another consumer of the group.
    "door.fenced",
    # Times PostgreSQL or Kafka was away and the work was tried again.
    "door.retries",
    # Times a door could not read from Kafka: not authorized, no such offset, no answer.
    "door.unreadable",
    # Records that could not be read and were set aside by their place; a batch of them counts once.
    "door.set_apart",
    # Offsets a door had to go past without reading them: Kafka no longer has them.
    "door.offsets_skipped",
    # Errors the Kafka client told of, an unreachable broker above all.
    "kafka.errors",
    # Messages of the relay that had been seen before and were dropped.
    "door.relay_repeats",
    # Messages the relay had acknowledged by Kafka.
    "relay.messages",
    # Times the relay's producer was thrown away and made anew.
    "relay.producers_rebuilt",
    # Times the relay could not go on, as PostgreSQL was away.
    "relay.retries",
    # Anchors written.
    "relay.anchors",
    # Timers that fired.
    "timer.fired",
    # Timers that could not be decided and were left for a while: somebody must look.
    "timer.passed_over",
    # Times the tick could not go on, as PostgreSQL was away.
    "timer.retries",
    # Times the projector could not go on, as PostgreSQL was away.
    "projector.retries",
    # Facts, or calls, the projector has taken in to the read side.
    "projector.taken",
    # Looks of the projector at the whole city, and those at which a fact had waited too long to be sent.
    "relay.looks",
    "relay.late_looks",
    # Spans of lives that a trace viewer or a collector took.
    "traces.spans",
    # Lives in which something went wrong and that are not stated: too many began in one minute.
    "traces.left_out",
    # Requests the HTTP door has answered.
    "web.requests",
    # Of them those it refused: the key, the event, the rate.
    "web.refused",
    # Of them those it could not answer, as Kafka or PostgreSQL was away.
    "web.unavailable",
    # Regions of pages rendered, each once for all who look at it.
    "web.regions_rendered",
    # Events the HTTP door had acknowledged by Kafka.
    "web.events",
    # Times a producer of the HTTP door was thrown away and made anew.
    "web.producers_rebuilt",
]
GaugeName = Literal[
    # Messages that lie in Kafka and that a door has not taken in, of the partitions it holds.
    "door.behind_messages",
    # Topics a door takes nothing in from until a person resumes them.
    "door.stopped_topics",
]
HistogramName = Literal[
    # Seconds that PostgreSQL took to write a batch of a desk.
    "desk.append_seconds",
    # Seconds that Kafka took to acknowledge a page of the relay.
    "relay.send_seconds",
    # Seconds from taking a batch to its commit.
    "door.batch_seconds",
    # Messages in a batch.
    "door.batch_size",
    # Seconds between a limit and the fact that it was missed.
    "timer.lateness_seconds",
    # Seconds from the projector's look at what is new to its commit.
    "projector.step_seconds",
    # Seconds from a request's headers to its answer.
    "web.seconds",
    # Seconds that a region of a page took to be rendered.
    "web.region_seconds",
]

COUNTERS: Final[dict[CounterName, tuple[str, tuple[str, ...]]]] = {
    "desk.facts": ("facts appended", ("type",)),
    "desk.batches": ("batches written", ()),
    "desk.processor_seconds": ("seconds of the processor a desk took", ("work",)),
    "desk.decided_again": ("batches decided again on a moved head", ()),
    "door.repeats": ("inputs that had had their effect before", ()),
    "door.messages": ("messages taken from Kafka", ("door",)),
    "door.parked": ("messages set aside for a person", ()),
    "door.stopped": ("times a topic stopped, because most of it would have been parked", ("door",)),
    "door.fenced": ("times the offsets belonged to another consumer", ("door",)),
    "door.retries": ("times PostgreSQL or Kafka was away", ("door",)),
    "door.unreadable": ("times a door could not read from Kafka", ("door",)),
    "door.set_apart": ("records set aside because they cannot be read", ("door",)),
    "door.offsets_skipped": ("offsets passed unread because Kafka no longer has them", ("door",)),
    "kafka.errors": ("errors the Kafka client told of", ()),
    "door.relay_repeats": ("relay messages seen before", ()),
    "relay.messages": ("messages acknowledged by Kafka", ()),
    "relay.producers_rebuilt": ("producers thrown away and made anew", ()),
    "relay.retries": ("times PostgreSQL was away from the relay", ()),
    "relay.anchors": ("stretches of the log anchored", ()),
    "timer.fired": ("timers fired", ()),
    "timer.passed_over": ("timers that could not be decided and were left for a while", ()),
    "timer.retries": ("times PostgreSQL was away from the tick", ()),
    "projector.retries": ("times PostgreSQL was away from the projector", ()),
    "projector.taken": ("facts and calls taken in to the read side", ()),
    "relay.looks": ("looks at how far the relay is", ()),
    "relay.late_looks": ("looks at which a fact had waited more than 5 s to be sent", ()),
    "traces.spans": ("spans of lives that a trace viewer took", ()),
    "traces.left_out": ("lives not stated to the trace viewer, as too many went wrong in a minute", ()),
    "web.requests": ("requests answered over HTTP", ("surface",)),
    "web.refused": ("requests refused over HTTP", ("surface",)),
    "web.unavailable": ("requests not answered, as Kafka or PostgreSQL was away", ("surface",)),
    "web.regions_rendered": ("regions of pages rendered, once for all who look at one", ()),
    "web.events": ("events over HTTP acknowledged by Kafka", ()),
    "web.producers_rebuilt": ("producers of the HTTP door thrown away and made anew", ()),
}
GAUGES: Final[dict[GaugeName, tuple[str, tuple[str, ...]]]] = {
    "door.behind_messages": ("messages in Kafka that a door has not taken in", ("door",)),
    "door.stopped_topics": ("topics a door takes nothing in from until a person resumes them", ("door",)),
}
HISTOGRAMS: Final[dict[HistogramName, tuple[str, tuple[str, ...], tuple[float, ...]]]] = {
    "desk.append_seconds": (
        "that PostgreSQL took to write a batch",
        (),
        (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
    ),
    "relay.send_seconds": (
        "that Kafka took to acknowledge a page",
        (),
        (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30),
    ),
    "door.batch_seconds": (
        "from taking a batch to its commit",
        ("door",),
        (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
    ),
    "door.batch_size": ("messages in a batch", ("door",), (1, 10, 100, 500, 1000, 2000, 4000, 8000)),
    "timer.lateness_seconds": (
        "from a limit to the fact that it was missed",
        (),
        (0.1, 0.5, 1, 5, 60, 3600),
    ),
    "web.seconds": (
        "from a request's headers to its answer",
        ("surface",),
        (0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 0.5, 1, 5, 10),
    ),
    "web.region_seconds": (
        "that a region of a page took to be rendered, its reading with it",
        (),
        (0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
    ),
    "projector.step_seconds": (
        "from a look at what is new to its commit",
        (),
        (0.01, 0.05, 0.1, 0.5, 1, 5),
    ),
}
FigureName = Literal[
    # Complaints that have not ended, by stage.
    "complaints.open",
    # Rows that wait on a list, those whose limit has passed, and those whose limit falls within an hour.
    "list.waiting",
    "list.overdue",
    "list.due_within_hour",
    # Messages set aside now, and when the first of them was, in Unix time.
    "parked.messages",
    "parked.oldest_timestamp_seconds",
    # Topics that wait for a person now.
    "stopped.topics",
    # How old the oldest fact is that the relay has not sent, and that no list has; how late the next timer is.
    "relay.behind_seconds",
    "projector.behind_seconds",
    "timer.behind_seconds",
    # Calls offered, by what became of them; and those that wait.
    "calls",
    "calls.waiting",
]
FIGURES: Final[dict[FigureName, tuple[str, str]]] = {
    "complaints.open": ("complaints that have not ended", "stage"),
    "list.waiting": ("rows that wait on a list", "list"),
    "list.overdue": ("rows of a list whose limit has passed", "list"),
    "list.due_within_hour": ("rows of a list whose limit falls within the next hour", "list"),
    "parked.messages": ("messages that are set aside now, for a person", "desk"),
    "parked.oldest_timestamp_seconds": ("when the first message set aside came, in Unix time", "desk"),
    "stopped.topics": ("topics of which nothing is taken in until a person resumes them", "desk"),
    "relay.behind_seconds": ("how old the oldest fact is that was not sent", ""),
    "projector.behind_seconds": ("how old the oldest fact is that no list has", ""),
    "timer.behind_seconds": ("how long ago the timer was due that fires next", ""),
    "calls": ("calls that have come to an end, by what became of them", "outcome"),
    "calls.waiting": ("calls that were offered and have no outcome yet", ""),
}
"""The figures of the city as a whole: its name, what it is, its label. The projector that is at work shows them."""
COUNTED: Final[frozenset[FigureName]] = frozenset({"calls"})
"""The figures that only grow."""
OF_EVERY_PROCESS: Final = (
    "hotline_build_info",
    "hotline_progress_timestamp_seconds",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""The samples that every process shows, whatever it does."""
PARTS: Final[dict[str, str]] = {
    "desk.facts": "facts",
    "door.repeats": "desk",
    "relay.looks": "city",
    "relay.late_looks": "city",
    "door.parked": "desk",
    "door.relay_repeats": "log",
    "web.regions_rendered": "pages",
    "web.region_seconds": "pages",
    "web.events": "speaking",
    "web.producers_rebuilt": "speaking",
}
"""The part that keeps a metric, where its name does not say so."""


def part_of(name: str) -> str:
    """The part of a process that keeps this metric."""
    return PARTS.get(name) or name.partition(".")[0]


def shown_as(name: str) -> str:
    """Its name as Prometheus reads it, of a counter without the `_total` at its end."""
    return f"hotline_{name.replace('.', '_')}"


def every_sample() -> frozenset[str]:
    """The name of every sample that some process may show."""
    return frozenset(
        {
            *(f"{shown_as(name)}_total" for name in COUNTERS),
            *(shown_as(name) for name in GAUGES),
            *(shown_as(name) + end for name in HISTOGRAMS for end in ("_bucket", "_count", "_sum")),
            *(shown_as(name) + ("_total" if name in COUNTED else "") for name in FIGURES),
            *OF_EVERY_PROCESS,
        }
    )
