"""The application of one listener: its routes, who may use them, and how whatever goes wrong is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hotline.contract import asyncapi
from hotline.web.asking import HttpAsk, HttpReply, HttpStream, HttpWire, Rooms, body_of
from hotline.web.document import document
from hotline.web.documented_answers import EVENT_STREAM
from hotline.web.keys import NOBODY, Key, KeyRing, KeyUnknowable
from hotline.web.limits import SIGNED_SECONDS_MAX
from hotline.web.open311.wire import GeoReportWire
from hotline.web.page import CONTENT_TYPE as HTML
from hotline.web.page import POLICY, page
from hotline.web.pages.citizen.routes import citizen_routes
from hotline.web.pages.routes import page_routes
from hotline.web.paths import ASYNCAPI, DOCS, OPENAPI
from hotline.web.problems import CONTENT_TYPE, HttpRefusal, ProblemKind
from hotline.web.roles import LISTENER_OF, HttpListener
from hotline.web.route_shapes import HttpParameter, HttpRoute, WireName
from hotline.web.routes import at
from hotline.web.signing import SIGNATURE, TIMESTAMP, WrongTime, is_signed, signed_at
from shared.log.away import is_away
from shared.runtime.errors import told

Endpoint = Callable[[Request], Awaitable[Response]]
JSON: Final = "application/json"
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Of every answer that says nothing else itself: it is for no cache, no guess and no frame."""
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
AWAY_SECONDS: Final = 2
WEBHOOK: Final = "webhook"
"""In metrics, the surface of signed events; any other route's is its wire."""
FIELD_SHOWN_MAX: Final = 64
"""Characters of an unknown name that an answer repeats."""
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

    def to(self, route: HttpRoute) -> Endpoint:
        """The endpoint of this route."""
        wire = _WIRES[route.wire]
        own = route.wire is WireName.HOTLINE
        known, never_empty = route.queries, route.never_empty
        surface = WEBHOOK if route.signed else str(route.wire)
        self._rooms.telemetry.keeps("web", surface)

        async def endpoint(request: Request) -> Response:
            began_at = time.monotonic()
            try:
                taken = None
                if route.signed:
                    key, taken = await self._signed(request, route)
                else:
                    key = await self._key(request, route, await wire.typed_key(request))
                if own:
                    _named(request, known)
                    _said(request, never_empty)
                reply = await route.handle(HttpAsk(request, key, self._rooms, taken))
                response = wire.answer(request, reply)
            except HttpRefusal as refused:
                response = wire.refusal(request, self._refused(refused, surface))
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing of it goes out
                response = wire.refusal(request, self._refused(self._failed(route, error), surface))
            self._rooms.telemetry.count("web.requests", label=surface)
            self._rooms.telemetry.observe("web.seconds", time.monotonic() - began_at, label=surface)
            return response

        return endpoint

    def shown(
        self, made: Callable[[], bytes], media_type: str, headers: Mapping[str, str] | None = None
    ) -> Endpoint:
        """The endpoint of what everybody may read: it is counted as a request without a key. `made`: once is enough."""

        async def endpoint(request: Request) -> Response:
            try:
                self._rooms.rates.spend_stranger(_client(request))
            except HttpRefusal as refused:
                return problem_response(self._refused(refused, str(WireName.HOTLINE)))
            # The first one makes it, which takes a second: others are answered meanwhile.
            content = await asyncio.to_thread(made)
            return Response(content, media_type=media_type, headers=dict(headers or {}))

        return endpoint

    async def _key(self, request: Request, route: HttpRoute, typed: str) -> Key:
        """The key of a request, which may do what its route does; its rate is counted."""
        if typed:
            with _knowable():
                key = await self._keys.key_of(typed)
            if key is not None:
                self._allowed(key, route)
                self._rooms.rates.spend(key, 1)
                return key
        elif route.keyless:
            self._rooms.rates.spend_stranger(_client(request))
            return NOBODY
        raise self._stranger(
            request,
            "No key came with the request, or none that is valid.",
            "authorization",
            "Authorization: Bearer ID.SECRET",
        )

    async def _signed(self, request: Request, route: HttpRoute) -> tuple[Key, bytes]:
        """The key whose secret has signed the body, and the body."""
        try:
            at = signed_at(request.headers, time.time())
        except WrongTime:
            raise self._stranger(
                request,
                "The time of the signature is none, or too far from now.",
                TIMESTAMP,
                f"seconds since 1970, at most {SIGNED_SECONDS_MAX} from now",
            ) from None
        with _knowable():
            signer = await self._keys.signer(str(request.path_params["key"]))
        if signer is not None and signer.secrets:
            body = await body_of(request)
            if is_signed(request.headers, at, body, signer.secrets):
                self._keys.used(signer.key)
                self._allowed(signer.key, route)
                self._rooms.rates.spend(signer.key, 1)
                return signer.key, body
        raise self._stranger(
            request, "No secret of such a key has signed this body.", SIGNATURE, "v1,BASE64 of HMAC-SHA256"
        )

    def _stranger(self, request: Request, detail: str, field: str, expected: str) -> HttpRefusal:
        """The refusal of somebody who has not proved who he is; too many of them are refused as that."""
        self._rooms.rates.spend_stranger(_client(request))
        return HttpRefusal(ProblemKind.NO_KEY, detail, field=field, expected=expected, headers=CHALLENGE)

    def _allowed(self, key: Key, route: HttpRoute) -> None:
        if LISTENER_OF.get(key.role) is not self._listener or key.role not in self._rooms.speakers.roles:
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"A key of the role {key.role} is not answered here.")
        if key.role not in route.roles:
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"A key of the role {key.role} may not do this.")
        if route.scope is not None and not key.may(route.scope):
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"The key has no scope {route.scope}.")

    def _refused(self, refused: HttpRefusal, surface: str) -> HttpRefusal:
        away = refused.kind is ProblemKind.AWAY
        self._rooms.telemetry.count("web.unavailable" if away else "web.refused", label=surface)
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


def _client(request: Request) -> str:
    """The address a request comes from."""
    return request.client.host if request.client is not None else ""


def _named(request: Request, known: frozenset[str]) -> None:
    """Refuse a parameter of the query that nobody reads, as a field of a body is refused."""
    if not request.scope["query_string"]:
        return
    for name in request.query_params:
        if name not in known:
            raise HttpRefusal(
                ProblemKind.BAD_EVENT,
                "The query has a parameter of a name that is not known here.",
                field=name[:FIELD_SHOWN_MAX],
                expected=" or ".join(sorted(known)) or "none",
            )


def _said(request: Request, never_empty: Sequence[HttpParameter]) -> None:
    """Refuse a number or a choice that is given and empty: nobody can tell it from one that was lost."""
    for one in never_empty:
        given = request.query_params if one.at == "query" else request.headers
        if given.get(one.name) == "":
            expected = " or ".join(one.values) or "a whole number"
            detail = f"Parameter {one.name}: expected {expected}."
            raise HttpRefusal(ProblemKind.BAD_EVENT, detail, field=one.name, expected=expected)


@contextmanager
def _knowable() -> Iterator[None]:
    """Answers 503 where nobody can say whether a key is one."""
    try:
        yield
    except KeyUnknowable:
        headers = {"Retry-After": str(AWAY_SECONDS)}
        raise HttpRefusal(ProblemKind.AWAY, "Keys cannot be looked up just now.", headers=headers) from None


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
    assert isinstance(error, HTTPException)  # noqa: S101 -- it is called for no other
    kind, detail = _BY_STATUS.get(
        error.status_code, (ProblemKind.BAD_EVENT, "The request is not as it must be.")
    )
    headers = dict(error.headers or {})
    if kind is ProblemKind.WRONG_METHOD:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem_response(HttpRefusal(kind, detail, headers=headers))


def _methods(request: Request) -> set[str]:
    """The methods of a path. Each is a route of its own, and Starlette names those of the first one."""
    fitting = (one for one in request.app.routes if one.matches(request.scope)[0] is not Match.NONE)
    return {method for route in fitting for method in getattr(route, "methods", None) or ()}


class WithHeaders:
    """Puts `HEADERS` on every answer that does not bring its own.

    A path without a name in it is found in one table, ahead of Starlette: that is a tenth of what an event costs.
    """

    def __init__(self, app: ASGIApp, plain: Mapping[tuple[str, str], Endpoint]) -> None:
        """`plain`: by method and path the endpoints of such paths; `app` answers all others."""
        self._app = app
        self._plain = plain

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

        endpoint = self._plain.get((scope["method"], scope["path"]))
        if endpoint is None:
            await self._app(scope, receive, sent)
        else:
            response = await endpoint(Request(scope, receive))
            await response(scope, receive, sent)


@cache
def _contract(listener: HttpListener) -> bytes:
    """The contract of HTTP, as this listener serves it."""
    return _encoder.encode(document(at(listener)))


@cache
def _page(listener: HttpListener) -> bytes:
    """The same for people."""
    return page(document(at(listener)), listener).encode()


@cache
def _messages() -> bytes:
    """The contract of the messages; the same at both listeners."""
    return _encoder.encode(asyncapi.document())


def application(listener: HttpListener, rooms: Rooms, keys: KeyRing) -> ASGIApp:
    """The application of a listener."""
    gate = Gate(listener, rooms, keys)
    routes: list[BaseRoute] = [
        Route(OPENAPI, gate.shown(partial(_contract, listener), JSON), methods=["GET"]),
        Route(ASYNCAPI, gate.shown(_messages, JSON), methods=["GET"]),
        Route(
            DOCS,
            gate.shown(partial(_page, listener), HTML, {"Content-Security-Policy": POLICY}),
            methods=["GET"],
        ),
    ]
    endpoints = {one: gate.to(one) for one in at(listener)}
    routes += [
        Route(one.path, endpoint, methods=[one.method], name=one.name) for one, endpoint in endpoints.items()
    ]
    plain = {(one.method, one.path): endpoint for one, endpoint in endpoints.items() if "{" not in one.path}
    if listener is HttpListener.STAFF:
        routes += page_routes(rooms)
    else:
        routes += citizen_routes(rooms)
    handlers: dict[Any, Any] = {HTTPException: _by_starlette}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return WithHeaders(app, plain)
