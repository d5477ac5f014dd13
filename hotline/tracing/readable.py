"""A life's spans as OpenTelemetry has them, so that each of its exporters can send them. Pure."""

from __future__ import annotations

from functools import cache
from typing import Final
from uuid import UUID

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from hotline.tracing.span import LifeSpan
from shared.runtime import span_names as names
from shared.runtime.desk_spans import nanoseconds, resource_of

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


def readable(span: LifeSpan) -> ReadableSpan:
    """The span, with its service as the resource, its other side as an attribute, its missed limits as its status."""
    trace_id = int(span.trace_id, 16)
    attributes: dict[str, str | int] = {
        **dict(span.attributes),
        names.COMPLAINT: str(UUID(hex=span.trace_id)),
    }
    if span.peer:
        attributes[names.PEER_NAME] = span.peer
    return ReadableSpan(
        name=span.name,
        context=SpanContext(trace_id, int(span.span_id, 16), is_remote=False, trace_flags=_SAMPLED),
        parent=None
        if span.parent_id is None
        else SpanContext(trace_id, int(span.parent_id, 16), is_remote=False, trace_flags=_SAMPLED),
        resource=_resource(span.service),
        attributes=attributes,
        events=[
            Event(event.name, {names.VERSION: event.version}, timestamp=nanoseconds(event.at))
            for event in span.events
        ],
        kind=SpanKind[span.kind],
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
        start_time=nanoseconds(span.started_at),
        end_time=nanoseconds(span.ended_at),
    )


@cache
def _resource(service: str) -> Resource:
    return resource_of(service)
