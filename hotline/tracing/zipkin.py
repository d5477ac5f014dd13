"""Spans in Zipkin's second format, as JSON. It has no links and no status: the tag `error` says that one failed. Pure.

Times are whole microseconds since 1970. A duration is at least one of them, a word's too: Zipkin leaves out a
span without one. Zipkin reads names of services and spans in small letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from hotline.tracing import conventions as c
from hotline.tracing.conventions import Kind
from hotline.tracing.span import LifeSpan, SpanEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def encoded(spans: Iterable[LifeSpan]) -> bytes:
    """The body of a POST to `/api/v2/spans`."""
    return msgspec.json.encode([_span(span) for span in spans])


def micros(at: datetime) -> int:
    """Whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _span(span: LifeSpan) -> dict[str, Any]:
    told: dict[str, Any] = {
        "traceId": span.trace_id,
        "id": span.span_id,
        "name": span.name,
        "timestamp": micros(span.started_at),
        "duration": max(1, micros(span.ended_at) - micros(span.started_at)),
        "localEndpoint": {"serviceName": span.service},
        "tags": _tags(span),
    }
    if span.parent_id is not None:
        told["parentId"] = span.parent_id
    if span.kind is not Kind.INTERNAL:  # Zipkin has no such kind: it says none
        told["kind"] = str(span.kind)
    if span.peer:
        told["remoteEndpoint"] = {"serviceName": span.peer}
    if span.events:
        told["annotations"] = [_annotation(event) for event in span.events]
    return told


def _annotation(event: SpanEvent) -> dict[str, Any]:
    """An event's number is in its text: an annotation has no attributes."""
    return {"timestamp": micros(event.at), "value": f"{event.version} {event.name}"}


def _tags(span: LifeSpan) -> dict[str, str]:
    tags = {name: str(value) for name, value in span.attributes}
    if span.error:
        tags[c.ERROR] = span.error
        tags[c.STATUS_CODE] = "ERROR"
    return tags
