"""Every counter and histogram there is, with what it counts."""

from __future__ import annotations

from typing import Final, Literal

CounterName = Literal[
    # Facts appended, by type.
    "desk.facts",
    # Batches written.
    "desk.batches",
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
    # Anchors written.
    "relay.anchors",
    # Timers that fired.
    "timer.fired",
    # Timers that could not be decided and were left for a while: somebody must look.
    "timer.passed_over",
    # Facts, or calls, the projector has taken in to the read side.
    "projector.taken",
    # Spans of lives that a trace viewer or a collector took.
    "traces.spans",
    # Lives in which something went wrong and that are not stated: too many began in one minute.
    "traces.left_out",
    # Requests the HTTP door has answered.
    "web.requests",
    # Of them those it refused: the key, the event, the rate.
    "web.refused",
    # Regions of pages rendered, each once for all who look at it.
    "web.regions_rendered",
    # Of them those it could not answer, as Kafka or PostgreSQL was away.
    "web.unavailable",
    # Events the HTTP door had acknowledged by Kafka.
    "web.events",
    # Times a producer of the HTTP door was thrown away and made anew.
    "web.producers_rebuilt",
]
HistogramName = Literal[
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
]

COUNTERS: Final[dict[CounterName, tuple[str, tuple[str, ...]]]] = {
    "desk.facts": ("facts appended", ("type",)),
    "desk.batches": ("batches written", ()),
    "desk.decided_again": ("batches decided again on a moved head", ()),
    "door.repeats": ("inputs that had had their effect before", ()),
    "door.messages": ("messages taken from Kafka", ()),
    "door.parked": ("messages set aside for a person", ()),
    "door.stopped": ("times a topic stopped, because most of it would have been parked", ()),
    "door.fenced": ("times the offsets belonged to another consumer", ()),
    "door.retries": ("times PostgreSQL or Kafka was away", ()),
    "door.unreadable": ("times a door could not read from Kafka", ()),
    "door.set_apart": ("records set aside because they cannot be read", ()),
    "door.offsets_skipped": ("offsets passed unread because Kafka no longer has them", ()),
    "kafka.errors": ("errors the Kafka client told of", ()),
    "door.relay_repeats": ("relay messages seen before", ()),
    "relay.messages": ("messages acknowledged by Kafka", ()),
    "relay.producers_rebuilt": ("producers thrown away and made anew", ()),
    "relay.anchors": ("stretches of the log anchored", ()),
    "timer.fired": ("timers fired", ()),
    "timer.passed_over": ("timers that could not be decided and were left for a while", ()),
    "projector.taken": ("facts and calls taken in to the read side", ()),
    "traces.spans": ("spans of lives that a trace viewer took", ()),
    "traces.left_out": ("lives not stated to the trace viewer, as too many went wrong in a minute", ()),
    "web.requests": ("requests answered over HTTP", ()),
    "web.refused": ("requests refused over HTTP", ()),
    "web.regions_rendered": ("regions of pages rendered, once for all who look at one", ()),
    "web.unavailable": ("requests not answered, as Kafka or PostgreSQL was away", ()),
    "web.events": ("events over HTTP acknowledged by Kafka", ()),
    "web.producers_rebuilt": ("producers of the HTTP door thrown away and made anew", ()),
}
HISTOGRAMS: Final[dict[HistogramName, tuple[str, tuple[float, ...]]]] = {
    "door.batch_seconds": (
        "from taking a batch to its commit",
        (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
    ),
    "door.batch_size": ("messages in a batch", (1, 10, 100, 500, 1000, 2000, 4000, 8000)),
    "timer.lateness_seconds": ("from a limit to the fact that it was missed", (0.1, 0.5, 1, 5, 60, 3600)),
    "web.seconds": (
        "from a request's headers to its answer",
        (0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 0.5, 1, 5, 10),
    ),
    "projector.step_seconds": ("from a look at what is new to its commit", (0.01, 0.05, 0.1, 0.5, 1, 5)),
}
