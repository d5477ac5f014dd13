"""The spans of the desks: what the facts of a life do not know, which is machine time and the batch.

One complaint's life is one trace, and its id is derived from the complaint's. Each decision is a span; its parent is
derived from its cause. So no state is carried, and a life of weeks opens whole. The stages of the life are stated
from its facts (`hotline.tracing`); the first of them holds all decisions. Sampling is by complaint: a life is followed
from end to end or not at all. The batch that did the work is a span of a trace of its own, linked with the decisions
it carried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from shared.doors.heard import line_of
from shared.runtime import span_names as names
from shared.topic_names import speaker_of
from shared.trace_ids import is_followed, life_span_of, span_id_of, trace_id_of
from shared.versions import release

if TYPE_CHECKING:
    from shared.events import Fact
    from shared.ids import ComplaintId
    from shared.log import Incoming

LINKS_MAX: Final = 128
"""Links kept on a batch span; viewers and collectors refuse more than this by default."""
EXPORT_MILLISECONDS: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class _GivenIds(IdGenerator):
    """Hands out ids decided beforehand; random ones where none were given."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.trace_id: int | None = None
        self.span_id: int | None = None

    def generate_trace_id(self) -> int:
        given, self.trace_id = self.trace_id, None
        return given or self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        given, self.span_id = self.span_id, None
        return given or self._random.generate_span_id()


class _BatchSpan(NamedTuple):
    """A batch at work, and the decisions on followed lives in it."""

    context: SpanContext
    decisions: list[SpanContext]


class Decision(NamedTuple):
    """A decision of a desk on one complaint."""

    command: str
    complaint_id: ComplaintId
    caused_by: str
    """The message or fact that led to it."""
    parent: tuple[str, str] | None
    """The cause of the decision before, and its desk; None where this came from outside or by a timer."""
    message: Incoming | None
    """The message it came in; None where a timer led to it."""
    facts: Sequence[Fact]


class DeskSpans:
    """The spans of one process."""

    def __init__(self, service: str, exporter: SpanExporter | None, ratio: float, prefix: str = "") -> None:
        """`ratio` of all complaints is traced, 0 to 1, without an exporter none; `prefix`: of the city's topics."""
        self._service = service
        self._ratio = ratio if exporter is not None else 0.0
        self._prefix = prefix
        self._ids = _GivenIds()
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer | None = None
        if exporter is not None:
            self._provider = TracerProvider(resource=resource_of(service), id_generator=self._ids)
            self._provider.add_span_processor(
                BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_MILLISECONDS)
            )
            self._tracer = self._provider.get_tracer("hotline")
        # Of the task it is asked in: the doors of a process have batches in hand at the same time.
        self._batch: ContextVar[_BatchSpan | None] = ContextVar("batch", default=None)

    def close(self) -> None:
        """Send what is still held back."""
        if self._provider is not None:
            with suppress(Exception):
                self._provider.shutdown()

    def follows(self, complaint_id: str) -> bool:
        """Whether this life is traced."""
        return self._ratio > 0 and is_followed(complaint_id, self._ratio)

    @contextmanager
    def batch(self, name: str, *, messages: int = 0, group: str = "") -> Iterator[None]:
        """A span around the work of one batch, kept only where a followed life was in it.

        `messages` and `group` say how many were taken and by which consumer group; a batch of timers has neither.
        """
        if self._tracer is None:
            yield
            return
        span = self._tracer.start_span(
            name,
            context=trace.set_span_in_context(trace.INVALID_SPAN),
            kind=SpanKind.CONSUMER if group else SpanKind.INTERNAL,
        )
        batch = _BatchSpan(span.get_span_context(), [])
        token = self._batch.set(batch)
        try:
            yield
        finally:
            self._batch.reset(token)
            decisions = batch.decisions
            if decisions:
                for decision in decisions[:LINKS_MAX]:
                    span.add_link(decision)
                span.set_attribute(names.DECISIONS, len(decisions))
                lives = {f"{decision.trace_id:032x}": None for decision in decisions[:LINKS_MAX]}
                span.set_attribute(names.LIVES, list(lives))
                if group:
                    span.set_attributes(
                        {
                            names.MESSAGING_SYSTEM: names.KAFKA,
                            names.OPERATION: names.PROCESS,
                            names.OPERATION_TYPE: names.PROCESS,
                            names.GROUP: group,
                            names.BATCH_COUNT: messages,
                        }
                    )
                span.end()  # a span never ended is never exported

    def decided(self, decision: Decision) -> None:
        """A decision on a followed life: one span, child of the decision that led to it, else of the life.

        It stands at the instant of its last fact, in the city's time as the life's stages do. Machine time is
        its batch's.
        """
        tracer = self._tracer
        if tracer is None:
            return
        about, parent = decision.complaint_id, decision.parent
        before = life_span_of(about) if parent is None else span_id_of(about, *parent)
        self._ids.trace_id = trace_id_of(about)
        self._ids.span_id = span_id_of(about, decision.caused_by, self._service)
        context = SpanContext(
            self._ids.trace_id, before, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        )
        batch = self._batch.get()
        last = decision.facts[-1]
        at = nanoseconds(getattr(last, last.TIME))
        heard = self._heard(decision)
        span = tracer.start_span(
            f"{self._service} {decision.command}",
            context=trace.set_span_in_context(NonRecordingSpan(context)),
            kind=SpanKind.CONSUMER if heard else SpanKind.INTERNAL,
            start_time=at,
            links=[] if batch is None else [Link(batch.context)],
            attributes={
                names.COMPLAINT: about,
                names.BATCH: "" if batch is None else f"{batch.context.trace_id:032x}",
                names.FACTS: [type(fact).__name__ for fact in decision.facts],
                names.CAUSED_BY: decision.caused_by,
                **heard,
            },
        )
        span.end(end_time=at)
        self._ids.trace_id = None
        if batch is not None:
            batch.decisions.append(span.get_span_context())

    def _heard(self, decision: Decision) -> dict[str, Any]:
        """The message that led to it, by OpenTelemetry's conventions, and its speaker as the other side."""
        message = decision.message
        if message is None:
            return {}
        return {
            names.MESSAGING_SYSTEM: names.KAFKA,
            names.OPERATION: decision.command,
            names.OPERATION_TYPE: names.PROCESS,
            names.DESTINATION: message.topic,
            names.PARTITION: str(message.partition),
            names.OFFSET: message.offset,
            names.PEER_NAME: _speaks_on(message.topic, self._prefix),
        }


def nanoseconds(at: datetime) -> int:
    """Since 1970; whole microseconds, as facts have them."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def resource_of(service: str) -> Resource:
    """The resource of a service's spans: its name and the release that runs."""
    return Resource.create({names.SERVICE_NAME: service, names.SERVICE_VERSION: release()})


@cache
def _speaks_on(topic: str, prefix: str) -> str:
    """The speaker on a topic: the unit on a unit's, else the role; the relay on its own; empty where it is none."""
    line = line_of(topic, prefix)
    if line is None:
        return ""
    return speaker_of(topic, prefix, line) if line.is_door and line.per_unit else line.speaker
