"""Lets a person through to a page: by the session, the role, and that the form is one of ours."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hotline.web.asking import Rooms
from hotline.web.pages import staff
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.look import LANGUAGE_COOKIE, LOOK_SECONDS, THEME_COOKIE, PageLook, look_of
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.rendering import CSP, rendered
from hotline.web.pages.staff import StaffMember
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.log.away import is_away
from shared.runtime.errors import told

SIGN_IN: Final = "/sign-in"
SESSION_COOKIE: Final = "hotline-session"
UNDER_WAY_COOKIE: Final = "hotline-sign-in"
"""It holds the secret of a sign-in that waits for the identity provider."""
HOST_PREFIX: Final = "__Host-"
"""Before the name of both over TLS: a browser then takes the cookie from no other host and no path."""
HOST_COOKIE: Final = f"{HOST_PREFIX}{SESSION_COOKIE}"
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language",
}
PAGES: Final = "pages"
"""In metrics, the surface of pages."""
SAFE: Final = frozenset({"GET", "HEAD"})

Shown = PageView | PageMoved | Response
PageHandler = Callable[[PageAsk], Awaitable[Shown]]
OpenHandler = Callable[[Request, PageLook, Rooms], Awaitable[Shown]]


class PageGate:
    """See the module."""

    def __init__(
        self,
        rooms: Rooms,
        navigation: Callable[[StaffMember], list[Any]],
        fault_template: str = "fault.html",
    ) -> None:
        """`navigation`: the pages that stand in the head of this person's page."""
        self._rooms = rooms
        self._navigation = navigation
        self._fault_template = fault_template
        rooms.telemetry.keeps("web", PAGES)
        rooms.telemetry.keeps("pages")

    def to(self, handle: PageHandler, roles: tuple[str, ...]) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a page for people of these roles."""

        async def page(request: Request, look: PageLook) -> Response:
            person = await staff.of_session(self._rooms.pool, session_in(request))
            if person is None:
                return self._signing_in(request)
            if person.role not in roles or person.role not in self._rooms.speakers.roles:
                raise PageRefusal(PageFault.NOT_ALLOWED)
            self._rooms.rates.spend(person.key, 1)
            shown = await handle(PageAsk(request, person, look, self._rooms))
            return self.answered(request, look, shown, person)

        return self._guarded(page)

    def open(self, handle: OpenHandler) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a page for anybody: to sign in, and to choose the look."""

        async def page(request: Request, look: PageLook) -> Response:
            if request.method not in SAFE:
                self._rooms.rates.spend_stranger(client_of(request))
            return self.answered(request, look, await handle(request, look, self._rooms), None)

        return self._guarded(page)

    def public(self, handle: OpenHandler, *, counted: bool) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a page for anybody, on the public listener.

        `counted`: each request is counted by its address. The others count by themselves what opens nothing.
        """

        async def page(request: Request, look: PageLook) -> Response:
            if counted:
                self._rooms.rates.spend_stranger(client_of(request))
            return self.answered(request, look, await handle(request, look, self._rooms), None)

        return self._guarded(page)

    def answered(
        self, request: Request, look: PageLook, shown: Shown, person: StaffMember | None
    ) -> Response:
        """The response of what a page shows."""
        if isinstance(shown, Response):
            return shown
        if isinstance(shown, PageMoved):
            moved = RedirectResponse(shown.address, HTTPStatus.SEE_OTHER, headers=HEADERS)
            for name, value in shown.cookies.items():
                _set(request, moved, name, value)
            return moved
        values: dict[str, Any] = {
            "staff": person,
            "unit_shown": "" if person is None else unit_name(self._rooms.catalogue, person.unit),
            "navigation": [] if person is None else self._navigation(person),
            "here": request.url.path,
            "back": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "now": self._rooms.clock.now(),
        }
        body = rendered(look, shown.template, **{**values, **shown.values})
        return HTMLResponse(body, shown.status, headers={**HEADERS, **shown.headers})

    def fault(
        self,
        request: Request,
        look: PageLook,
        fault: PageFault,
        person: StaffMember | None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """The page that says what went wrong."""
        again = fault.value.status == HTTPStatus.SERVICE_UNAVAILABLE and request.method in SAFE
        view = PageView(
            self._fault_template, {"fault": fault.value, "again": again}, fault.value.status, headers
        )
        return self.answered(request, look, view, person)

    def _guarded(
        self, page: Callable[[Request, PageLook], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            began_at = time.monotonic()
            look = look_of(request.cookies, request.headers.get("accept-language", ""))
            telemetry = self._rooms.telemetry
            try:
                foreign = request.method not in SAFE and not is_ours(request)
                response = (
                    self.fault(request, look, PageFault.FOREIGN, None)
                    if foreign
                    else await page(request, look)
                )
            except PageRefusal as refused:
                response = self.fault(request, look, refused.fault, None)
            except HttpRefusal as refused:
                response = self.fault(request, look, _of_kind(refused.kind), None, refused.headers)
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing of it goes out
                away = is_away(error)
                (telemetry.log.warning if away else telemetry.log.error)(
                    "waiting_for_postgres" if away else "page_failed",
                    path=request.url.path,
                    error=told(error),
                )
                response = self.fault(request, look, PageFault.AWAY if away else PageFault.FAILED, None)
            telemetry.count("web.requests", label=PAGES)
            telemetry.observe("web.seconds", time.monotonic() - began_at, label=PAGES)
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                telemetry.count("web.unavailable", label=PAGES)
            return response

        return endpoint

    def _signing_in(self, request: Request) -> Response:
        then = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        where = f"{SIGN_IN}?then={quote(then, safe='')}" if request.method in SAFE else SIGN_IN
        if "text/event-stream" in request.headers.get("accept", ""):
            return Response(
                status_code=HTTPStatus.UNAUTHORIZED, headers=HEADERS
            )  # a stream follows no redirect
        if request.headers.get("hx-request"):
            # A part of a page cannot sign somebody in: the page hears it, and goes there as a whole.
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers=HEADERS)
        return RedirectResponse(where, HTTPStatus.SEE_OTHER, headers=HEADERS)


def sign_in_path(secret: str) -> str:
    """The path of a link that signs in once."""
    return f"{SIGN_IN}?code={secret}"


def session_in(request: Request) -> str:
    """The secret of the session that the browser holds; empty where it holds none."""
    return request.cookies.get(_cookie_name(request), "")


def session_cookie(request: Request, secret: str | None) -> dict[str, str | None]:
    """The cookie that begins a session, or with None ends it."""
    return {_cookie_name(request): secret}


def is_ours(request: Request) -> bool:
    """Whether a form was sent from a page of ours: the browser says so itself, and no other page can."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def client_of(request: Request) -> str:
    """The address a request comes from."""
    return request.client.host if request.client is not None else ""


def own_path(text: str) -> str:
    """A path of our own to go on to; the first page where the text is none."""
    plain = text.isprintable() and "\\" not in text and not text.startswith("//")
    return text if text.startswith("/") and plain else "/"


def under_way_in(request: Request) -> str:
    """The secret of the sign-in that the browser waits in; empty where it waits in none."""
    return request.cookies.get(_cookie_name(request, UNDER_WAY_COOKIE), "")


def under_way_cookie(request: Request, secret: str | None) -> dict[str, str | None]:
    """The cookie of a sign-in under way; None takes it back."""
    return {_cookie_name(request, UNDER_WAY_COOKIE): secret}


def _cookie_name(request: Request, name: str = SESSION_COOKIE) -> str:
    return HOST_PREFIX + name if request.url.scheme == "https" else name


def _set(request: Request, response: Response, name: str, value: str | None) -> None:
    secure = request.url.scheme == "https"
    if value is None:
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
        return
    lasting = LOOK_SECONDS if name in {LANGUAGE_COOKIE, THEME_COOKIE} else None
    response.set_cookie(name, value, max_age=lasting, path="/", secure=secure, httponly=True, samesite="lax")


def _of_kind(kind: ProblemKind) -> PageFault:
    return _FAULTS.get(kind, PageFault.BAD_REQUEST)


_FAULTS: Final = {
    ProblemKind.NOT_FOUND: PageFault.NOT_FOUND,
    ProblemKind.NOT_ALLOWED: PageFault.NOT_ALLOWED,
    ProblemKind.TOO_MANY: PageFault.TOO_MANY,
    ProblemKind.AWAY: PageFault.AWAY,
}
