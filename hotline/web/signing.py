"""Signatures of Standard Webhooks: the other way of proving who sends events (decision 0061). Pure but for new secrets.

A signature covers the id, the time and the body, and no other header. So only modes whose whole event is the body are
taken so. A request that comes again within the window holds the same events, which have one effect.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final, NamedTuple

from standardwebhooks import Webhook

from hotline.web.limits import SIGNATURES_MAX, SIGNED_SECONDS_MAX

ID, TIMESTAMP, SIGNATURE = SIGNED_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
PREFIX: Final = "whsec_"
"""How a secret begins where it is typed."""
SECRET_BYTES: Final = 32
SECRET_ID_BYTES: Final = 6
_VERSION: Final = "v1"
_DIGITS_MAX: Final = 12
"""Digits of a time in seconds."""


class MadeSecret(NamedTuple):
    """A secret that was just made, and the text that is shown this once."""

    secret_id: str
    typed: str
    secret: bytes


class WrongTime(Exception):  # noqa: N818 -- what a client sent, not our failure
    """The time of the signature is none, or too far from now."""


def new_secret() -> MadeSecret:
    """A secret of fresh random bytes."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return MadeSecret(secrets.token_hex(SECRET_ID_BYTES), PREFIX + b64encode(secret).decode(), secret)


def signed_at(headers: Mapping[str, str], now: float) -> datetime:
    """The time that the signature covers; `WrongTime` where it is outside the window around `now`."""
    told = headers.get(TIMESTAMP, "")
    if not (told.isascii() and told.isdecimal() and len(told) <= _DIGITS_MAX):
        raise WrongTime
    if abs(int(told) - now) > SIGNED_SECONDS_MAX:
        raise WrongTime
    return datetime.fromtimestamp(int(told), UTC)


def is_signed(headers: Mapping[str, str], at: datetime, body: bytes, known: Sequence[bytes]) -> bool:
    """Whether one of the signatures is that of one of these secrets."""
    if not headers.get(ID):
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    given = [
        sent for one in headers.get(SIGNATURE, "").split(" ")[:SIGNATURES_MAX] if (sent := _bytes_of(one))
    ]
    wanted = [_bytes_of(Webhook(secret).sign(headers[ID], at, text)) for secret in known]
    return any(compare_digest(one, other) for one in given for other in wanted)


def _bytes_of(signature: str) -> bytes:
    """The bytes of a signature of our version; none where it is another or no signature."""
    version, _, text = signature.partition(",")
    if version != _VERSION:
        return b""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
