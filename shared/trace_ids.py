"""The ids of traces and spans, derived from a complaint's id: every process says the same, and none is carried."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

LIFE: Final = "life"
"""The stage that the first fact begins."""


def trace_id_of(complaint_id: str) -> int:
    """The trace of a complaint's life, the same in every process: the complaint's own 128 bits."""
    return int(complaint_id.replace("-", ""), 16)


def trace_hex_of(complaint_id: str) -> str:
    """The same as a viewer and a header write it: 32 hexadecimal digits."""
    return f"{trace_id_of(complaint_id):032x}"


def trace_page(viewer: str, complaint_id: str) -> str:
    """The address at which a viewer at this address shows the life."""
    return f"{viewer}/zipkin/traces/{trace_hex_of(complaint_id)}"


def stage_span_of(complaint_id: str, version: int, stage: str) -> int:
    """The span of the stage that the fact of this version began, or of the word that it is."""
    return span_id_of(complaint_id, f"version/{version}", stage)


def life_span_of(complaint_id: str) -> int:
    """The span of the life itself: all others lie below it."""
    return stage_span_of(complaint_id, 1, LIFE)


def span_id_of(complaint_id: str, caused_by: str, desk: str) -> int:
    """The span of one desk's decision on one cause; of a life's stage on the version that began it."""
    text = f"{complaint_id}|{caused_by}|{desk}".encode()
    return int.from_bytes(sha256(text).digest()[:8]) or 1


def is_followed(complaint_id: str, ratio: float) -> bool:
    """Whether this life is traced; every process says the same of one complaint."""
    # Its low 48 bits, the last group of the id: all of them hash, none of the UUID's version and variant.
    return int(complaint_id[24:], 16) < ratio * 0x1_0000_0000_0000
