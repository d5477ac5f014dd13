"""Logs, metrics and traces: set up once, no personal data in any of them.

The metrics' names: `metric_names`. The spans: `desk_spans`.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import structlog
from opentelemetry import trace
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from shared.runtime.desk_spans import DeskSpans
from shared.runtime.errors import told
from shared.runtime.health import Health, answering
from shared.runtime.metric_names import CounterName, HistogramName
from shared.runtime.metrics import Metrics, write_target
from shared.runtime.processor_time import ProcessorWork
from shared.trace_ids import trace_hex_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from shared.log import Append
    from shared.runtime.settings import ProcessSettings


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


class Telemetry:
    """The telemetry of one process."""

    def __init__(
        self, service: str, *, exporter: SpanExporter | None = None, ratio: float = 0.0, prefix: str = ""
    ) -> None:
        """`ratio` of all complaints is traced, 0 to 1, without an exporter none; `prefix`: of the city's topics."""
        self.service = service
        self.spans = DeskSpans(service, exporter, ratio, prefix)
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(service=service)
        self.metrics = Metrics(service)
        self.registry = self.metrics.registry
        self.health = Health()

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
        self.spans.close()

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

    def spent(self, work: ProcessorWork, seconds: float) -> None:
        """So many seconds of the processor went into this kind of work."""
        self.metrics.count("desk.processor_seconds", seconds, work)

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


def exporter_of(kind: str, endpoint: str) -> SpanExporter | None:
    """The exporter a setting asks for: `zipkin`, `otlp` or `none`."""
    if kind == "none" or not endpoint:
        return None
    if kind == "zipkin":
        from shared.runtime.zipkin import ZipkinSpans  # noqa: PLC0415 -- only where chosen

        return ZipkinSpans(endpoint)
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
