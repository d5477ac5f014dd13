"""The application of one listener: its routes, who may use them, and how whatever goes wrong is answered."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hotline.web.asking import HttpAsk, HttpReply, HttpStream, HttpWire, Rooms
from hotline.web.document import EVENT_STREAM, document
from hotline.web.keys import NOBODY, Key, KeyRing, KeyUnknowable
from hotline.web.open311.wire import GeoReportWire
from hotline.web.pages.routes import page_routes
from hotline.web.problems import CONTENT_TYPE, HttpRefusal, ProblemKind
from hotline.web.roles import LISTENER_OF, HttpListener
from hotline.web.routes import HttpRoute, WireName, at
from shared.log.away import is_away
from shared.runtime.errors import told

JSON: Final = "application/json"
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Of every answer that says nothing else itself: it is for no cache, no guess and no frame."""
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
AWAY_SECONDS: Final = 2
_encoder: Final = msgspec.json.Encoder()
_BY_STATUS: Final = {
    404: (ProblemKind.NOT_FOUND, "There is no such path here."),
    405: (ProblemKind.WRONG_METHOD, "This path has no such method."),
}


class Gate:
    """Lets a request through to its route: by its key, the key's role and scope, and its rate."""

    def __init__(self, listener: HttpListener, rooms: Rooms, keys: KeyRing) -> None:
        """Keys are let through whose role belongs to this listener."""
        self._listener = listener
        self._rooms = rooms
        self._keys = keys

    def to(self, route: HttpRoute) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of this route."""
        wire = _WIRES[route.wire]

        async def endpoint(request: Request) -> Response:
            began_at = time.monotonic()
            try:
                key = await self._key(request, route, await wire.typed_key(request))
                reply = await route.handle(HttpAsk(request, key, self._rooms))
                response = wire.answer(request, reply)
            except HttpRefusal as refused:
                response = wire.refusal(request, self._refused(refused))
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing of it goes out
                response = wire.refusal(request, self._refused(self._failed(route, error)))
            self._rooms.telemetry.count("web.requests")
            self._rooms.telemetry.observe("web.seconds", time.monotonic() - began_at)
            return response

        return endpoint

    async def _key(self, request: Request, route: HttpRoute, typed: str) -> Key:
        """The key of a request, which may do what its route does; its rate is counted."""
        if typed:
            try:
                key = await self._keys.key_of(typed)
            except KeyUnknowable:
                raise HttpRefusal(
                    ProblemKind.AWAY,
                    "Keys cannot be looked up just now.",
                    headers={"Retry-After": str(AWAY_SECONDS)},
                ) from None
            if key is not None:
                self._allowed(key, route)
                self._rooms.rates.spend(key, 1)
                return key
        client = request.client.host if request.client is not None else ""
        self._rooms.rates.spend_stranger(client)
        if route.keyless and not typed:
            return NOBODY
        expected = "Authorization: Bearer ID.SECRET"
        raise HttpRefusal(
            ProblemKind.NO_KEY,
            "No key came with the request, or none that is valid.",
            field="authorization",
            expected=expected,
            headers=CHALLENGE,
        )

    def _allowed(self, key: Key, route: HttpRoute) -> None:
        if LISTENER_OF.get(key.role) is not self._listener or key.role not in self._rooms.speakers.roles:
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"A key of the role {key.role} is not answered here.")
        if key.role not in route.roles:
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"A key of the role {key.role} may not do this.")
        if not key.may(route.scope):
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"The key has no scope {route.scope}.")

    def _refused(self, refused: HttpRefusal) -> HttpRefusal:
        away = refused.kind is ProblemKind.AWAY
        self._rooms.telemetry.count("web.unavailable" if away else "web.refused")
        return refused

    def _failed(self, route: HttpRoute, error: Exception) -> HttpRefusal:
        away = is_away(error)
        log = self._rooms.telemetry.log
        if away:
            log.warning("waiting_for_postgres", route=route.name, error=told(error))
        else:
            log.error("request_failed", route=route.name, error=told(error))
        detail = "The log cannot be read just now." if away else "It cannot be answered just now."
        return HttpRefusal(ProblemKind.AWAY, detail, headers={"Retry-After": str(AWAY_SECONDS)})


class _Streamed(StreamingResponse):
    """A stream that gives back what it holds, even where nobody has read the first of it."""

    def __init__(self, stream: HttpStream) -> None:
        super().__init__(stream.chunks, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stream.close()


def answered(reply: HttpReply) -> Response:
    """The response of a reply."""
    return Response(_encoder.encode(reply.body), reply.status, headers=dict(reply.headers), media_type=JSON)


def streamed(stream: HttpStream) -> Response:
    """The response of a stream."""
    return _Streamed(stream)


def problem_response(refused: HttpRefusal) -> Response:
    """The response of a problem."""
    body = _encoder.encode(refused.problem)
    return Response(body, refused.kind.status, headers=refused.headers, media_type=CONTENT_TYPE)


class OwnWire:
    """See `HttpWire`: the hotline's own."""

    async def typed_key(self, request: Request) -> str:
        """See `HttpWire.typed_key`."""
        scheme, _, typed = request.headers.get("authorization", "").partition(" ")
        return typed.strip() if scheme.lower() == "bearer" else ""

    def answer(self, request: Request, reply: HttpReply | HttpStream) -> Response:
        """See `HttpWire.answer`."""
        del request
        return answered(reply) if isinstance(reply, HttpReply) else streamed(reply)

    def refusal(self, request: Request, refused: HttpRefusal) -> Response:
        """See `HttpWire.refusal`."""
        del request
        return problem_response(refused)


_WIRES: Final[Mapping[WireName, HttpWire]] = {
    WireName.HOTLINE: OwnWire(),
    WireName.OPEN311: GeoReportWire(),
}


async def _by_starlette(request: Request, error: Exception) -> Response:
    """The answers that Starlette gives by itself: no such path, no such method."""
    del request
    assert isinstance(error, HTTPException)  # noqa: S101 -- it is called for no other
    kind, detail = _BY_STATUS.get(
        error.status_code, (ProblemKind.BAD_EVENT, "The request is not as it must be.")
    )
    return problem_response(HttpRefusal(kind, detail, headers=dict(error.headers or {})))


class WithHeaders:
    """Puts `HEADERS` on every answer that does not have them."""

    def __init__(self, app: ASGIApp) -> None:
        """`app`: what answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                more = [one for one in HEADERS if one[0] not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, sent)


def application(listener: HttpListener, rooms: Rooms, keys: KeyRing) -> ASGIApp:
    """The application of a listener."""
    gate = Gate(listener, rooms, keys)
    described = _encoder.encode(document(at(listener)))

    async def contract(request: Request) -> Response:
        del request
        return Response(described, media_type=JSON)

    routes: list[BaseRoute] = [Route("/openapi.json", contract, methods=["GET"])]
    routes += [Route(one.path, gate.to(one), methods=[one.method], name=one.name) for one in at(listener)]
    if listener is HttpListener.STAFF:
        routes += page_routes(rooms)
    handlers: dict[Any, Any] = {HTTPException: _by_starlette}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return WithHeaders(app)
