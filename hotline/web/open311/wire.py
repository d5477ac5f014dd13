"""How GeoReport is spoken: the key where its clients put it, answers in two formats, errors as its own list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hotline.web.asking import HttpAsk, HttpReply, HttpStream
from hotline.web.open311.forms import GivenForm, form_of
from hotline.web.open311.markup import xml_of
from hotline.web.open311.shapes import GeoReportError, GeoReportList
from hotline.web.problems import HttpRefusal, ProblemKind

API_KEY: Final = "api_key"
JSON: Final = "application/json"
XML: Final = "text/xml"
_encoder: Final = msgspec.json.Encoder()


def json_of(body: msgspec.Struct) -> bytes:
    """The same body as JSON."""
    return _encoder.encode(list(body.items) if isinstance(body, GeoReportList) else body)


FORMATS: Final[Mapping[str, tuple[str, Callable[[msgspec.Struct], bytes]]]] = {
    "json": (JSON, json_of),
    "xml": (f"{XML}; charset=utf-8", xml_of),
}
"""By the ending of a path its content type, and how it is written."""
_STATUSES: Final[Mapping[ProblemKind, int]] = {
    ProblemKind.NO_KEY: 403,
    ProblemKind.REFUSED: 400,
    ProblemKind.SET_ASIDE: 400,
    ProblemKind.WRONG_TYPE: 400,
}
"""The statuses that the standard has for them; every other problem has its own."""


def status_of(kind: ProblemKind) -> int:
    """The status of a problem, as GeoReport has it."""
    return _STATUSES.get(kind, kind.status)


class GeoReportWire:
    """See `HttpWire`."""

    async def typed_key(self, request: Request) -> str:
        """The key of a header, of the query or of the form; the form is read here, for it may be the only place."""
        if request.path_params["format"] not in FORMATS:
            raise HttpRefusal(
                ProblemKind.NOT_FOUND, "There is no such format.", expected=" or ".join(FORMATS)
            )
        if request.method == "POST":
            request.state.form = await form_of(request)
        scheme, _, typed = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return typed.strip()
        if API_KEY in request.query_params:
            return str(request.query_params[API_KEY])
        return form_given(request).one(API_KEY)

    def answer(self, request: Request, reply: HttpReply | HttpStream) -> Response:
        """The response of a reply, in the format of its path."""
        assert isinstance(reply, HttpReply)  # noqa: S101 -- no route of GeoReport streams
        return _written(request, reply.body, reply.status, reply.headers)

    def refusal(self, request: Request, refused: HttpRefusal) -> Response:
        """The response of a problem, in the format of its path, or in XML where that is none."""
        status = status_of(refused.kind)
        error = GeoReportError(code=status, description=refused.problem.detail)
        headers = {name: text for name, text in refused.headers.items() if name != "WWW-Authenticate"}
        return _written(request, GeoReportList(kind=GeoReportError, items=[error]), status, headers)


def form_given(request: Request) -> GivenForm:
    """The form that came with a request; empty where none did."""
    form: GivenForm = getattr(request.state, "form", None) or GivenForm()
    return form


def form(ask: HttpAsk) -> GivenForm:
    """See `form_given`."""
    return form_given(ask.request)


def _written(request: Request, body: msgspec.Struct, status: int, headers: Mapping[str, str]) -> Response:
    content_type, write = FORMATS.get(request.path_params.get("format", ""), FORMATS["xml"])
    return Response(write(body), status, headers=dict(headers), media_type=content_type)
