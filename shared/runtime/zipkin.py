"""Spans in Zipkin's second format, as JSON over HTTP.

Zipkin knows no links and no status: the tag `error` says that a span failed. In its graph of services stand
only those spans of consumers and producers that name the other side. OpenTelemetry's own exporter never names it.

Times are whole microseconds since 1970. A duration is at least one of them: Zipkin leaves out a span without one.
Zipkin reads names of services and spans in small letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import msgspec
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from shared.runtime import span_names as names

POST_SECONDS_MAX: Final = 30.0
"""How long the viewer is waited for; one that has just started takes some seconds."""
_TAKEN: Final = 202
_MICROSECOND: Final = 1000
"""Nanoseconds."""
# A proxy of the network leads to no viewer of ours.
_OPENER: Final = build_opener(ProxyHandler({}))


class ZipkinSpans(SpanExporter):
    """Sends spans to a viewer."""

    def __init__(self, viewer: str) -> None:
        """`viewer`: its address, without a path."""
        self._address = viewer.rstrip("/") + "/api/v2/spans"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them; a failure where the viewer does not take them."""
        request = Request(self._address, encoded(spans), {"Content-Type": "application/json"})  # noqa: S310 -- http
        try:
            with _OPENER.open(request, timeout=POST_SECONDS_MAX) as answer:
                taken = answer.status == _TAKEN
        except (URLError, OSError):
            taken = False
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Nothing is held back here."""


def encoded(spans: Iterable[ReadableSpan]) -> bytes:
    """The body of a POST to `/api/v2/spans`."""
    return msgspec.json.encode([_told(span) for span in spans])


def _told(span: ReadableSpan) -> dict[str, Any]:
    context, attributes = span.get_span_context(), dict(span.attributes or {})
    assert context is not None  # noqa: S101 -- a span that has ended
    peer = attributes.pop(names.PEER_NAME, "")
    start, end = span.start_time or 0, span.end_time or 0
    told: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "id": f"{context.span_id:016x}",
        "name": span.name,
        "timestamp": start // _MICROSECOND,
        "duration": max(1, end // _MICROSECOND - start // _MICROSECOND),
        "localEndpoint": {"serviceName": span.resource.attributes[names.SERVICE_NAME]},
        "tags": _tags(span, attributes),
    }
    if span.parent is not None:
        told["parentId"] = f"{span.parent.span_id:016x}"
    if span.kind is not SpanKind.INTERNAL:  # Zipkin has no such kind: it says none
        told["kind"] = span.kind.name
    if peer:
        told["remoteEndpoint"] = {"serviceName": peer}
    if span.events:
        told["annotations"] = [_annotation(event) for event in span.events]
    return told


def _annotation(event: Any) -> dict[str, Any]:
    """An annotation has no attributes: the place of its fact stands in its text."""
    version = (event.attributes or {}).get(names.VERSION)
    return {
        "timestamp": event.timestamp // _MICROSECOND,
        "value": event.name if version is None else f"{version} {event.name}",
    }


def _tags(span: ReadableSpan, attributes: dict[str, Any]) -> dict[str, str]:
    tags = {name: _text(value) for name, value in attributes.items()}
    if version := span.resource.attributes.get(names.SERVICE_VERSION):
        tags[names.SERVICE_VERSION] = str(version)
    if span.status.status_code is StatusCode.ERROR:
        tags[names.ERROR] = span.status.description or "error"
        tags[names.STATUS_CODE] = StatusCode.ERROR.name
    return tags


def _text(value: Any) -> str:
    return msgspec.json.encode(list(value)).decode() if isinstance(value, (tuple, list)) else str(value)
