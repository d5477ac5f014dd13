"""One page as it is asked for: the person, the look, what was given; and what it is answered with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request

from hotline.web.asking import HttpAsk, Rooms
from hotline.web.pages.catalogues import translations_of
from hotline.web.pages.look import PageLook
from hotline.web.pages.rendering import named
from hotline.web.pages.staff import StaffMember


class PageAsk(NamedTuple):
    """A page that this person may see."""

    request: Request
    staff: StaffMember
    look: PageLook
    rooms: Rooms

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A parameter of the query; empty where it is not given."""
        return str(self.request.query_params.get(name, ""))

    @property
    def now(self) -> datetime:
        """The present of the city."""
        return self.rooms.clock.now()

    @property
    def text(self) -> Callable[[str], str]:
        """Translates a text of the catalogues."""
        return translations_of(self.look.language).gettext

    def name(self, kind: str, code: str) -> str:
        """The word of a code (`naming.NAMES`)."""
        return named(self.look.language, kind, code)

    @property
    def http(self) -> HttpAsk:
        """The same request as the routes of the HTTP door have it."""
        return HttpAsk(self.request, self.staff.key, self.rooms)


class PageView(NamedTuple):
    """A page: its template and the values it shows."""

    template: str
    values: Mapping[str, Any] = {}
    status: int = 200
    headers: Mapping[str, str] = {}


class PageMoved(NamedTuple):
    """The browser goes on there."""

    address: str
    cookies: Mapping[str, str | None] = {}
    """Cookies that are set; None takes one back."""
