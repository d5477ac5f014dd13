"""Facts of the log as they are read for spans, and spans as they are sent: as often as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from hotline.tracing.readable import readable
from hotline.tracing.span import LifeSpan
from shared.log.codec import decoded


def fact_of(row: Any) -> Any:
    """The fact of a row of the log with its type, schema_version and body."""
    return decoded(row["type"], row["schema_version"], row["body"])


async def state(exporter: SpanExporter, spans: Sequence[LifeSpan]) -> bool:
    """Tell a viewer or a collector all of them at once; whether it took them. Told again they are the same."""
    told = [readable(span) for span in spans]
    return await asyncio.to_thread(exporter.export, told) is SpanExportResult.SUCCESS
