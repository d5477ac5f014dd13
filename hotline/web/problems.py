"""The problems of a client, as RFC 9457 has them: a table of kinds, and the exception that carries one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from hotline.web.answers import StatedFact

CONTENT_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:hotline:problem:{name}"


class HttpProblem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why a request was not done, for a program and for a person (RFC 9457)."""

    type: str
    """The kind, as a URN; it never changes."""
    title: str
    """The kind in words."""
    status: int
    """The status of the answer."""
    detail: str
    """The fault of this request."""
    field: str | UnsetType = UNSET
    """The header, attribute or field that is wrong; left out where it is the request as a whole."""
    expected: str | UnsetType = UNSET
    """The value that was expected there."""
    index: int | UnsetType = UNSET
    """Of a batch: which event it is, from 0."""
    fact: str | UnsetType = UNSET
    """Of a refusal: the fact that states it."""
    facts: list[StatedFact] | UnsetType = UNSET
    """Of a refusal: the facts that the act led to, that one among them."""
    outcome: str | UnsetType = UNSET
    """Where to ask again what came of it."""
    refused: str | UnsetType = UNSET
    """Of a contact: how the unit stands to the complaint, STRANGER or OVER."""


class _Kind(NamedTuple):
    status: int
    title: str


class ProblemKind(Enum):
    """Every kind there is."""

    BAD_EVENT = _Kind(400, "The event or the request is not as it must be.")
    NO_KEY = _Kind(401, "No valid key came with the request.")
    NOT_ALLOWED = _Kind(403, "The key may not do this.")
    CONTACT_REFUSED = _Kind(403, "The contact is not for this unit.")
    NOT_FOUND = _Kind(404, "There is no such thing, or it is none of yours.")
    WRONG_METHOD = _Kind(405, "This path has no such method.")
    TOO_SLOW = _Kind(408, "The body did not arrive in time.")
    REFUSED = _Kind(409, "The hotline refused it, and says why.")
    TOO_LARGE = _Kind(413, "The body is too large.")
    WRONG_TYPE = _Kind(415, "The content type is none that is read here.")
    SET_ASIDE = _Kind(422, "The hotline set the message aside, and says why.")
    TOO_MANY = _Kind(429, "Too much came in too short a time.")
    AWAY = _Kind(503, "It cannot be done just now; the same request may be sent again.")

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.value.status

    @property
    def title(self) -> str:
        """The kind in words."""
        return self.value.title

    @property
    def urn(self) -> str:
        """The kind as a URN."""
        return TYPE.format(name=self.name.lower().replace("_", "-"))


class HttpRefusal(Exception):  # noqa: N818 -- an answer, not our failure
    """The request ends with this problem."""

    def __init__(
        self, kind: ProblemKind, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """`more`: further members of the problem."""
        super().__init__(detail)
        self.kind = kind
        self.headers = dict(headers or {})
        self.problem = HttpProblem(type=kind.urn, title=kind.title, status=kind.status, detail=detail, **more)


def sentence(text: str) -> str:
    """A reason as a sentence: a capital letter first, a full stop last."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!', '。')) else '.'}"
