"""The head: a complaint as it is stored beside the log."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.complaint.state import Complaint

STATE_SCHEMA: Final = 10
"""Version of the stored head; a change means rebuilding the heads, never editing them."""


class UnreadableHead(Exception):  # noqa: N818 -- a complaint to leave alone, not our failure
    """A stored head this code must not decide on."""


_encoder: Final = msgspec.json.Encoder()


_decoder: Final = msgspec.json.Decoder(Complaint)


def head_text(case: Complaint) -> str:
    """The head as it is stored: the same case always gives the same text."""
    return _encoder.encode(case).decode()


def head_of(text: str | bytes) -> Complaint:
    """The case a stored head holds."""
    return _decoder.decode(text)


def stored_head(complaint_id: str, text: str, state_schema: int) -> Complaint:
    """The case a stored head holds; `UnreadableHead` where a newer system wrote it, or it holds none."""
    if state_schema > STATE_SCHEMA:
        message = (
            f"complaint {complaint_id}: its head has state schema {state_schema}, "
            f"expected at most {STATE_SCHEMA}: a newer desk wrote it"
        )
        raise UnreadableHead(message)
    try:
        return head_of(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"complaint {complaint_id}: its head cannot be read, `hotline verify` says more"
        raise UnreadableHead(message) from error
