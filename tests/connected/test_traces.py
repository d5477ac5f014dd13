"""One life is one trace across all desks, whichever exporter carries it; the batches that did the work are beside."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from deploy.city.endpoints import DESKS
from deploy.embedded.stack import Addresses
from hotline.tracing.exporter import LifeExporter
from shared.cloudevents import input_headers
from shared.events import ComplaintClosed, ComplaintDispatched, VisitScheduled
from shared.inputs import RecordRequest, RecordVisit
from shared.runtime.telemetry import Telemetry, exporter_of
from shared.topics import COMPLAINTS_LOG, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS
from shared.trace_ids import is_followed, trace_id_of
from tests.city import City, open_city, until
from tests.city import request as asked
from tests.sources import Databases

pytestmark = pytest.mark.connected

_FIRST = [("ce_specversion", b"1.0")]
Exporter = Literal["zipkin", "otlp"]


class Span(NamedTuple):
    """What both formats tell of a span."""

    trace: str
    id: str
    parent: str
    service: str
    name: str
    tags: dict[str, str]
    links: tuple[tuple[str, str], ...]
    """(trace, span); Zipkin's format has none."""
    peer: str
    kind: str

    @property
    def is_decision(self) -> bool:
        """Whether a desk sent it; else the facts of the life gave it."""
        return "hotline.caused_by" in self.tags


@dataclass
class Collector:
    """Takes spans as Zipkin does and as an OTLP collector does."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    away: bool = False
    """Whether it takes nothing."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of_zipkin(self, body: bytes) -> None:
        for span in json.loads(body):
            self.spans.append(
                Span(
                    span["traceId"],
                    span["id"],
                    span.get("parentId", ""),
                    span["localEndpoint"]["serviceName"],
                    span["name"],
                    span.get("tags", {}),
                    (),
                    span.get("remoteEndpoint", {}).get("serviceName", ""),
                    span.get("kind", "INTERNAL"),
                )
            )

    def of_otlp(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
            )
            for scope in resource.scope_spans:
                for span in scope.spans:
                    tags = {a.key: _told(a.value) for a in span.attributes}
                    self.spans.append(
                        Span(
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            service,
                            span.name,
                            tags,
                            tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                            tags.get("service.peer.name", ""),
                            ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                        )
                    )


def _told(value: Any) -> str:
    if value.WhichOneof("value") == "array_value":
        return json.dumps([one.string_value for one in value.array_value.values])
    return value.string_value or str(value.int_value)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free loopback port."""
    collector = Collector()
    takes: dict[str, Callable[[bytes], None]] = {
        "/api/v2/spans": collector.of_zipkin,
        "/v1/traces": collector.of_otlp,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = decompress(body)
            if collector.away:
                self.send_error(503)
                return
            collector.bodies.append(body)
            take = takes.get(self.path)
            if take is None:
                collector.strange.append(self.path)
            else:
                take(body)
            self.send_response(202 if self.path == "/api/v2/spans" else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not a word."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Traced(NamedTuple):
    """A city whose processes send their spans to a collector of ours."""

    exporter: Exporter
    city: City
    collector: Collector


@pytest.fixture(scope="module", params=["zipkin", "otlp"])
async def traced(
    request: pytest.FixtureRequest,
    stack: Addresses,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Traced]:
    with collecting() as collector:
        settings = {
            f"{desk.upper()}_{name}": value
            for desk in (*DESKS, "relay")
            for name, value in (
                ("TRACES", request.param),
                ("TRACES_ENDPOINT", collector.address),
                ("TRACES_RATIO", "0.5"),
            )
        }
        async with open_city(
            stack, databases, tmp_path_factory.mktemp("traced"), ruleset="boston-311-2011", extra=settings
        ) as city:
            await city.start()
            exporter = exporter_of(request.param, collector.address)
            assert exporter is not None
            lives = LifeExporter(city.endpoints.login("projector"), exporter, 0.5, Telemetry("projector"))
            task = asyncio.create_task(lives.run())
            yield Traced(request.param, city, collector)
            task.cancel()


async def _whole_life(city: City, stream: str) -> None:
    """Dispatched, its limit missed, escalated, the citizen asked and content: every desk has decided."""
    await city.until_fact(stream, VisitScheduled)
    await city.visit(stream)
    await city.until_fact(stream, ComplaintClosed)


async def test_a_life_is_one_trace_of_spans_from_all_desks_beside_the_batches_that_carried_it(
    traced: Traced,
) -> None:
    city, collector = traced.city, traced.collector
    streams = [
        await city.record(f"traced-{number}", given_due_at=datetime.now(UTC) + timedelta(seconds=1.5))
        for number in range(12)
    ]
    followed = {stream for stream in streams if is_followed(stream, 0.5)}
    assert followed
    assert len(followed) < len(streams)
    for stream in streams:
        await _whole_life(city, stream)

    def spans_of(stream: str) -> list[Span]:
        return [span for span in collector.spans if span.tags.get("complaint.id") == stream]

    def decisions_of(stream: str) -> list[Span]:
        return [span for span in spans_of(stream) if span.is_decision]

    expected = {
        "intake RecordRequest",
        "dispatch DispatchComplaint",
        "escalation FireDeadlines",
        "feedback ScheduleVisit",
        "feedback RecordVisit",
    }

    async def all_sent() -> bool:
        told = [{span.name for span in spans_of(stream)} for stream in streams]
        followed_told = all({span.name for span in spans_of(stream)} >= expected for stream in followed)
        return followed_told and all(
            "life" in names for names in told
        )  # every limit was missed: none is left out

    await until(all_sent, within=15, what="the spans of every desk")
    assert collector.strange == []

    for stream in streams:
        spans = spans_of(stream)
        trace = f"{trace_id_of(stream):032x}"
        assert {span.trace for span in spans} == {trace}
        by_id = {span.id: span for span in spans}
        (root,) = [span for span in by_id.values() if not span.parent]
        assert root.name == "life"
        assert {span.parent for span in by_id.values() if span is not root} <= by_id.keys()
        assert {span.trace for span in collector.spans if span.id in by_id} == {trace}
        stages = {span.tags["hotline.stage"] for span in spans if not span.is_decision}
        assert stages >= {"life", "dispatch", "order", "visit", "attempt", "word"}
        if stream not in followed:
            assert decisions_of(stream) == []
            continue

        decisions = decisions_of(stream)
        assert {span.service for span in decisions} == set(DESKS)
        assert sorted(span.name for span in decisions) == sorted(expected)  # each decision once
        assert len({span.id for span in decisions}) == len(decisions)
        spoke = {span.name: (span.kind, span.peer) for span in decisions}
        assert spoke == {
            "intake RecordRequest": ("CONSUMER", "agents"),
            "dispatch DispatchComplaint": ("CONSUMER", "relay"),
            "escalation FireDeadlines": ("INTERNAL", ""),
            "feedback ScheduleVisit": ("CONSUMER", "relay"),
            "feedback RecordVisit": ("CONSUMER", "dialler"),
        }
        recorded = next(span for span in decisions if span.name == "intake RecordRequest")
        assert recorded.parent == root.id
        assert recorded.tags["messaging.system"] == "kafka"
        assert recorded.tags["messaging.operation.type"] == "process"
        assert recorded.tags["messaging.destination.name"] == city.topic(INTAKE_REQUESTS)
        assert recorded.tags["messaging.kafka.offset"].isdecimal()
        assert recorded.tags["messaging.destination.partition.id"].isdecimal()

        batches = {span.trace: span for span in collector.spans if "hotline.lives" in span.tags}
        for span in decisions:
            batch = batches[span.tags["hotline.batch"]]
            assert batch.service == span.service
            assert batch.trace != trace
            assert trace in json.loads(batch.tags["hotline.lives"])
            if traced.exporter == "otlp":
                assert span.links == ((batch.trace, batch.id),)
                assert (trace, span.id) in batch.links


async def test_a_life_that_is_not_followed_and_goes_well_leaves_no_span_at_all(traced: Traced) -> None:
    city, collector = traced.city, traced.collector
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    streams = [await city.record(f"followed-or-not-{number}", given_due_at=tomorrow) for number in range(12)]
    for stream in streams:
        await city.until_fact(stream, ComplaintDispatched)
    await city.settled()
    followed = {stream for stream in streams if is_followed(stream, 0.5)}
    assert 0 < len(followed) < len(streams)

    def told() -> list[str]:
        return [span.tags["complaint.id"] for span in collector.spans if "complaint.id" in span.tags]

    async def all_sent() -> bool:
        return {stream for stream in told() if stream in streams} >= followed

    await until(all_sent, within=15, what="the spans of the lives that are followed")
    assert {stream for stream in streams if stream in told()} == followed
    messages = await city.messages(city.topic(COMPLAINTS_LOG))
    for message in messages:
        headers = dict(message.headers)
        stream = message.key.decode()
        assert ("traceparent" in headers) == is_followed(stream, 0.5)
        if "traceparent" in headers:
            _, trace, _, flags = headers["traceparent"].decode().split("-")
            assert (trace, flags) == (f"{trace_id_of(stream):032x}", "01")


async def test_no_span_and_no_log_line_holds_what_a_citizen_said(traced: Traced) -> None:
    city, collector = traced.city, traced.collector
    secrets = ("我家的秘密", "13800001111", "暗号路1号", "还是没有人来过")
    title, content, address, complains = secrets
    said = {"title": title, "content": f"电话{content}", "address": address}
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    stream = await city.record("told-in-private", given_due_at=tomorrow, **said)
    assert is_followed(stream, 0.5)
    await city.until_fact(stream, ComplaintDispatched)
    await city.record("told-in-private", given_due_at=tomorrow, **{**said, "content": content})
    await until(city.parked, what="another content under its number set aside")
    await city.record("parked", **said)  # without the limit this rule set needs
    wrong = msgspec.to_builtins(asked("parked", **said)) | {"urgency": content, "request_type": title}
    strange = [("ce_type", content.encode()), ("ce_time", address.encode())]
    for headers in (input_headers(RecordRequest, "/test", "wrong", datetime.now(UTC)), _FIRST + strange):
        await city.send(
            city.topic(INTAKE_REQUESTS), "wrong", msgspec.json.encode(wrong), headers, partitions=4
        )
    await city.answer(stream)
    await city.until_fact(stream, VisitScheduled)
    no = RecordVisit(complaint_id=stream, visit=1, attempt=1, solved=False, satisfied=False, reason=complains)
    await city.tell(FEEDBACK_VISIT_RESULTS, stream, no)
    await city.until_fact(stream, ComplaintDispatched, count=2)
    await city.settled()
    assert [row for row in await city.parked() if title in row["value"].decode()]

    async def all_sent() -> bool:
        told = {span.name for span in collector.spans if span.tags.get("complaint.id") == stream}
        return told >= {"intake RecordRequest", "dispatch AnswerOrder", "feedback RecordVisit"}

    await until(all_sent, within=15, what="the spans of this life")
    parked = await city.parked()
    assert {row["key"] for row in parked} >= {b"wrong"}
    reasons = "".join(row["reason"] for row in parked)
    assert not [secret for secret in secrets if secret in reasons]
    logs = [file.read_bytes() for file in (city.folder / "logs").glob("*.log")]
    assert all(logs)
    for secret in secrets:
        for written in (secret.encode(), json.dumps(secret).strip('"').encode()):
            assert not any(written in text for text in (*collector.bodies, *logs))
