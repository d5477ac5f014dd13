"""The words that may tell an error in a log line, a span or the reason of a parked message.

The texts of asyncpg, msgspec, json and Python itself quote the value they fell over, and that is what a
citizen or a unit typed. Said is what kind of error it was, where, and the names of ours it touches.
"""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from ssl import SSLCertVerificationError
from traceback import extract_tb
from typing import Final, get_args

import asyncpg
import msgspec
from aiokafka.errors import KafkaError


class UserError(Exception):
    """One clear sentence for a person: what is wrong and what to do. It is shown without a stack trace."""


class BadInput(Exception):  # noqa: N818 -- a message to set aside, not our failure
    """A message no desk can act on; the text names the field and what was expected."""

    def __init__(self, text: str, complaint_id: str | None = None) -> None:
        """With the complaint it is parked with, where later messages must not overtake it."""
        super().__init__(text)
        self.complaint_id = complaint_id


_ENUM: Final = re.compile(r"Invalid (enum )?value .*?( - at `[^`]*`)?", re.DOTALL)
_ARGUMENT: Final = re.compile(r"query argument \$\d+")


def told(error: BaseException) -> str:
    """One sentence without any value somebody sent."""
    kind = type(error).__name__
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        argument = _ARGUMENT.search(str(error))
        names = (getattr(error, f"{what}_name", None) for what in ("table", "column", "constraint"))
        said = (getattr(error, "sqlstate", None), argument and argument[0], *names)
        return " ".join((kind, *(one for one in said if one)))
    if isinstance(error, msgspec.ValidationError):
        return told_invalid(error)
    if isinstance(error, KafkaError):
        return f"{kind} {error}"[:200]  # topics and nodes
    if isinstance(error, SSLCertVerificationError):
        return not_believed(error)
    if isinstance(error, OSError):
        return f"{kind} {error.errno or ''} {error.strerror or ''}".strip()
    frames = extract_tb(error.__traceback__)
    return f"{kind} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else kind


def not_believed(error: SSLCertVerificationError) -> str:
    """The sentence about a server with a certificate that does not hold; it quotes the host we asked, no sent text."""
    reason = error.verify_message.rstrip(".")
    return f"The server's certificate is not believed ({reason}). The address names the authority's file: look there."


def told_invalid(error: msgspec.ValidationError, kind: type[msgspec.Struct] | None = None) -> str:
    """The fault of data, by its field; of a value outside a list only that it is, and the list of `kind`."""
    text = str(error)
    found = _ENUM.fullmatch(text)
    if found is None:
        return text
    path = found[2] or ""
    listed = [] if kind is None else _listed(kind, path.removeprefix(" - at `$.").removesuffix("`"))
    return f"Expected {' or '.join(listed) or 'one of a list of values'}, got another text{path}"


def _listed(kind: type[msgspec.Struct], name: str) -> list[str]:
    """The values a field may have."""
    for field in msgspec.structs.fields(kind):
        if field.encode_name == name:
            for one in (field.type, *get_args(field.type)):
                if isinstance(one, type) and issubclass(one, Enum):
                    return [str(value.value) for value in one]
    return []
