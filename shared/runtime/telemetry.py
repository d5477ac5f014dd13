"""Logs, metrics and traces: set up once, no personal data in any of them. The metrics' names: `metric_names`.

One complaint's life is one trace, and its id is derived from the complaint's. Each decision is a span; its
parent is derived from its cause. So no state is carried, and a life of weeks opens whole. Sampling is by
complaint: a life is followed from end to end or not at all. The batch that did the work is a span of a trace
of its own, linked with the decisions it carried.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, make_server

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from shared.runtime.errors import told
from shared.runtime.health import Health, answering
from shared.runtime.metric_names import CounterName, HistogramName
from shared.runtime.metrics import Metrics, write_target
from shared.trace_ids import is_followed, span_id_of, trace_hex_of, trace_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.events import Fact
    from shared.ids import ComplaintId
    from shared.log import Append
    from shared.runtime.settings import ProcessSettings

LINKS_MAX: Final = 128
"""Links kept on a batch span; viewers and collectors refuse more than this by default."""


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


class _Silent(WSGIRequestHandler):
    """A reader that asks for metrics every few seconds is not worth a line."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name above
        pass


KAFKA_ERROR_SECONDS: Final = 60.0
"""An error of the Kafka client is told once in this time, however often it comes."""


class _KafkaErrors(logging.Handler):
    """Errors of the Kafka client: each counted, each kind told once a minute."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(logging.ERROR)
        self._telemetry = telemetry
        self._told_at: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self._telemetry.count("kafka.errors")
        kind, now = (record.name, str(record.msg)), time.monotonic()
        if now - self._told_at.get(kind, -KAFKA_ERROR_SECONDS) < KAFKA_ERROR_SECONDS:
            return
        self._told_at[kind] = now
        with suppress(Exception):  # a log line must not end its writer
            self._telemetry.log.error("kafka_client", client=record.name, said=record.getMessage()[:300])


class _BatchSpan(NamedTuple):
    """A batch at work, and the decisions on followed lives in it."""

    context: SpanContext
    decisions: list[SpanContext]


class Telemetry:
    """The telemetry of one process."""

    def __init__(self, service: str, *, exporter: SpanExporter | None = None, ratio: float = 0.0) -> None:
        """`ratio` of all complaints is traced, 0 to 1; without an exporter none is."""
        self.service = service
        self.ratio = ratio if exporter is not None else 0.0
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(service=service)
        self.metrics = Metrics(service)
        self.registry = self.metrics.registry
        self.health = Health()
        self._ids = _GivenIds()
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer | None = None
        if exporter is not None:
            self._provider = TracerProvider(
                resource=Resource.create({"service.name": service}), id_generator=self._ids
            )
            self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
            self._tracer = self._provider.get_tracer("hotline")
        # Of the task it is asked in: the doors of a process have batches in hand at the same time.
        self._batch: ContextVar[_BatchSpan | None] = ContextVar("batch", default=None)

    def hear_kafka(self) -> None:
        """Count and tell what the Kafka client complains of: 40 to 60 lines a second while a broker is away."""
        self.keeps("kafka")
        client = logging.getLogger("aiokafka")
        client.setLevel(logging.ERROR)
        client.propagate = False
        client.handlers = [_KafkaErrors(self)]

    def serve_metrics(self, port: int, *, address: str = "127.0.0.1") -> int:
        """Answer Prometheus, `/live` and `/ready` on this port (0: a free one) of this address; returns the port."""
        app = answering(self.health, make_wsgi_app(self.registry))
        server = make_server(address, port, app, ThreadingWSGIServer, _Silent)
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        return int(server.server_port)

    def serve(self, told: ProcessSettings) -> None:
        """Answer as the settings say, and write down where; `OSError` where the port is somebody else's."""
        if told.metrics_port < 0:
            return
        port = self.serve_metrics(told.metrics_port, address=told.metrics_address)
        if told.metrics_targets:
            instance = getattr(told, "instance", "") or self.service
            write_target(told.metrics_targets, self.service, instance, told.metrics_address, port)
        self.log.info("metrics_served", port=port)

    def close(self) -> None:
        """Send what is still held back."""
        if self._provider is not None:
            with suppress(Exception):
                self._provider.shutdown()

    # -- counting

    def keeps(self, part: str, *labels: str) -> None:
        """This process has this part: see `Metrics.keeps`."""
        self.metrics.keeps(part, *labels)

    def count(self, name: CounterName, by: float = 1, *, label: str = "") -> None:
        """Add to a counter; `label`: the value of its label, where it has one."""
        self.metrics.count(name, by, label)

    def observe(self, name: HistogramName, value: float, *, label: str = "") -> None:
        """Add one observation."""
        self.metrics.observe(name, value, label)

    def progressed(self, part: str | None = None) -> None:
        """Something was completed just now, or there was nothing to do; by this part of the process."""
        self.metrics.progressed()
        if part is not None:
            self.health.works(part)

    def obeyed(self, desk: str, append: Append, repeats: int) -> None:
        """A batch was written."""
        self.count("desk.batches")
        if repeats:
            self.count("door.repeats", repeats)
        if append.parked:
            self.count("door.parked", len(append.parked))
            for parked in append.parked[:10]:
                self.log.warning(
                    "message_parked", desk=desk, topic=parked.message.topic, reason=parked.reason[:300]
                )
        by_type: dict[str, int] = {}
        for name in append.fact_type:
            by_type[name] = by_type.get(name, 0) + 1
        for name, number in by_type.items():
            self.count("desk.facts", number, label=name)
        self.progressed()

    def failed(self, desk: str, complaint_id: str, error: Exception) -> None:
        """A rule failed on one complaint, which was parked."""
        self.log.error("rule_failed", desk=desk, complaint_id=complaint_id, error=told(error))

    # -- tracing

    def follows(self, complaint_id: str) -> bool:
        """Whether this life is traced."""
        return self.ratio > 0 and is_followed(complaint_id, self.ratio)

    @contextmanager
    def batch(self, name: str) -> Iterator[None]:
        """A span around the work of one batch, kept only where a followed life was in it."""
        if self._tracer is None:
            yield
            return
        span = self._tracer.start_span(
            name, context=trace.set_span_in_context(trace.INVALID_SPAN), kind=SpanKind.CONSUMER
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
                span.set_attribute("hotline.decisions", len(decisions))
                # Zipkin knows no links: there one goes from one to the other by these two attributes.
                lives = {f"{decision.trace_id:032x}": None for decision in decisions[:LINKS_MAX]}
                span.set_attribute("hotline.lives", list(lives))
                span.end()  # a span never ended is never exported

    def decided(
        self,
        desk: str,
        command: str,
        complaint_id: ComplaintId,
        caused_by: str,
        parent: tuple[str, str] | None,
        facts: Sequence[Fact],
    ) -> None:
        """A decision on a followed life: one span, child of the decision that led to it.

        `parent`: what caused that decision, and its desk; None where it was a message from outside.
        """
        tracer = self._tracer
        if tracer is None:
            return
        trace_id = trace_id_of(complaint_id)
        root = span_id_of(complaint_id, "life", "")
        own = span_id_of(complaint_id, caused_by, desk)
        opens = type(facts[0]).__name__ == "ComplaintReceived"
        if opens:
            own, context = root, trace.set_span_in_context(trace.INVALID_SPAN)
        else:
            before = root if parent is None else self.decision_span(complaint_id, *parent)
            context = trace.set_span_in_context(
                NonRecordingSpan(
                    SpanContext(trace_id, before, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
                )
            )
        self._ids.trace_id, self._ids.span_id = trace_id, own
        batch = self._batch.get()
        last = facts[-1]
        span = tracer.start_span(
            f"{desk} {command}",
            context=context,
            kind=SpanKind.CONSUMER,
            links=[] if batch is None else [Link(batch.context)],
            attributes={
                "complaint.id": complaint_id,
                "hotline.batch": "" if batch is None else f"{batch.context.trace_id:032x}",
                "hotline.facts": [type(fact).__name__ for fact in facts],
                "hotline.city_time": getattr(last, last.TIME).isoformat(),
                "hotline.caused_by": caused_by,
            },
        )
        span.end()
        self._ids.trace_id = None
        if batch is not None:
            batch.decisions.append(span.get_span_context())

    def decision_span(self, complaint_id: str, caused_by: str, desk: str) -> int:
        """The span id of an earlier decision: intake's opening one is the life's root."""
        if desk == "intake":
            return span_id_of(complaint_id, "life", "")
        return span_id_of(complaint_id, caused_by, desk)


def exporter_of(kind: str, endpoint: str) -> SpanExporter | None:
    """The exporter a setting asks for: `zipkin`, `otlp` or `none`."""
    if kind == "none" or not endpoint:
        return None
    if kind == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415 -- only where chosen

        return ZipkinExporter(endpoint=endpoint.rstrip("/") + "/api/v2/spans")
    if kind == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- only where chosen
            OTLPSpanExporter,
        )

        return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    message = f"traces: expected zipkin, otlp or none, got '{kind}'"
    raise ValueError(message)


def set_up_logs(level: str = "INFO") -> None:
    """JSON lines on standard error, with the trace where one is open; once a process."""

    def with_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
        elif (complaint_id := event.get("complaint_id")) is not None:
            event["trace_id"] = trace_hex_of(complaint_id)
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            with_trace,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
