"""The names that spans carry: OpenTelemetry's where it has one, ours under `hotline.`; nowhere else is a name.

Conventions for messaging: OpenTelemetry's semantic conventions 1.43.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
PEER_NAME: Final = "service.peer.name"
"""The other side of a span: a unit, the dialler, the reviewers."""
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "otel.status_code"
"""How a format without a status says one."""
ERROR: Final = "error"
"""Zipkin's own tag: a span that has it is drawn red."""

MESSAGING_SYSTEM: Final = "messaging.system"
KAFKA: Final = "kafka"
OPERATION: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
PROCESS: Final = "process"
DESTINATION: Final = "messaging.destination.name"
PARTITION: Final = "messaging.destination.partition.id"
OFFSET: Final = "messaging.kafka.offset"
GROUP: Final = "messaging.consumer.group.name"
BATCH_COUNT: Final = "messaging.batch.message_count"

COMPLAINT: Final = "complaint.id"
"""Of a life's stages and of the desks' decisions."""
CAUSED_BY: Final = "hotline.caused_by"
"""The message or fact that led to a decision."""
FACTS: Final = "hotline.facts"
"""The facts that a decision stated."""
BATCH: Final = "hotline.batch"
"""The trace of the batch that carried a decision."""
LIVES: Final = "hotline.lives"
"""The traces that a batch carried decisions for. Zipkin knows no links: these two lead from one to the other."""
DECISIONS: Final = "hotline.decisions"
STAGE: Final = "hotline.stage"
FACT: Final = "hotline.fact"
"""The fact that a span of one instant tells."""
VERSION: Final = "hotline.version"
"""The place of a fact in its life, 1 and on."""
ENDED_BY: Final = "hotline.ended_by"
"""The fact that ended a stage."""
ASSIGNMENT: Final = "hotline.assignment"
ROUND: Final = "hotline.round"
UNIT: Final = "hotline.unit"
QUESTION: Final = "hotline.question"
WHISTLE: Final = "hotline.whistle"
VISIT: Final = "hotline.visit"
ATTEMPT: Final = "hotline.attempt"
OUTCOME: Final = "hotline.outcome"

HOTLINE: Final = "hotline"
"""The service of the life itself, which is no desk's."""
DIALLER: Final = "dialler"
REVIEWERS: Final = "reviewers"


class Kind(StrEnum):
    """A span's kind, as OpenTelemetry has them."""

    INTERNAL = "INTERNAL"
    CLIENT = "CLIENT"
    """Somebody else is asked and must answer: the stage lasts until then."""
    PRODUCER = "PRODUCER"
    """A speaker from outside said something."""
