"""The door of the citizen's page: number and code, leaving, and the choice of the look."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from hotline.web.asking import Rooms
from hotline.web.citizen_links import CODE_CHARACTERS, MINE, closed, opened, typed_code
from hotline.web.open311.forms import form_of
from hotline.web.pages.asking import PageMoved, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.citizen.session import moved, number_in, session_in
from hotline.web.pages.gate import PAGES, client_of
from hotline.web.pages.look import PageLook
from hotline.web.pages.signing_in import look_chosen
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.text import folded_code

NO_NUMBER: Final = N_("This is no number of a request: a character is wrong or missing.")
NO_CODE: Final = N_("A code has 26 characters. There is no 0, O, 1, I or L among them.")
WRONG: Final = N_(
    "Number and code do not belong together, or the code is void. Type both again, or call 12345 for a new link."
)
TOO_OFTEN: Final = N_("Too many attempts. Wait a minute, then try again.")
OVER: Final = N_("The page is closed. Open it again with your number and your code.")
LEFT: Final = N_("You have left your page. On this computer nobody opens it without the code.")
_NOTICES: Final[Mapping[str, str]] = {"over": OVER, "left": LEFT}


async def ask_for_code(request: Request, look: PageLook, rooms: Rooms) -> PageView:
    """The form for number and code."""
    del look, rooms
    number = request.query_params.get("number", "")
    notice = next((text for name, text in _NOTICES.items() if name in request.query_params), "")
    return _form(number if number_in(number) is not None else "", notice=notice)


async def open_page(request: Request, look: PageLook, rooms: Rooms) -> PageView | Response:
    """Open the page. One answer for a number there is not and for a code that is wrong."""
    del look
    given = await form_of(request)
    typed, code = _parts(given.one("number"), given.one("code"))
    number = number_in(typed)
    if number is None:
        return _form(typed, wrong=NO_NUMBER, field="number", status=HTTPStatus.BAD_REQUEST)
    plain = typed_code(code)
    try:
        rooms.rates.spend_guess(client_of(request), number.id_first)
    except HttpRefusal as refused:
        if refused.kind is not ProblemKind.TOO_MANY:
            raise
        return _form(typed, wrong=TOO_OFTEN, status=HTTPStatus.TOO_MANY_REQUESTS, headers=refused.headers)
    if not plain:
        return _form(typed, wrong=NO_CODE, field="code", status=HTTPStatus.BAD_REQUEST)
    link = await opened(rooms.pool, number, plain)
    if link is None:
        rooms.telemetry.count("web.refused", label=PAGES)
        return _form(typed, wrong=WRONG, field="code", status=HTTPStatus.FORBIDDEN)
    rooms.rates.was_right(client_of(request), number.id_first)
    return moved(request, f"{MINE}/{typed}", link.session)


async def leave(request: Request, look: PageLook, rooms: Rooms) -> Response:
    """End the session here and on the server."""
    del look
    await closed(rooms.pool, session_in(request))
    return moved(request, f"{MINE}?left=yes", "")


async def choose_look(request: Request, look: PageLook, rooms: Rooms) -> PageMoved:
    """Keep the language or the theme that was chosen, and show the same page again."""
    del rooms
    given = await form_of(request)
    chosen = look_chosen(given.one("language") or look.language, given.one("theme") or look.theme)
    back = given.one("back")
    ours = back.isprintable() and "\\" not in back and back.startswith((f"{MINE}/", f"{MINE}?"))
    return PageMoved(back if ours else MINE, chosen)


def _parts(number: str, code: str) -> tuple[str, str]:
    """Number and code as they were typed; the whole link may stand in one of the fields."""
    for text in (number, code):
        if "#" in text:
            inside = text.rpartition("#")[2]
            number, _, code = inside.rpartition(".")
            break
    found = number_in(number)
    return (number, code) if found is None else (_plain(number), code)


def _plain(number: str) -> str:
    """A typed number as it stands in an address."""
    folded = "".join(one for one in folded_code(number).upper() if one.isalnum())
    return f"{folded[:8]}-{folded[8:13]}-{folded[13:18]}-{folded[18:]}"


def _form(
    number: str,
    *,
    notice: str = "",
    wrong: str = "",
    field: str = "",
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> PageView:
    values = {"number": number, "notice": notice, "wrong": wrong, "field": field, "length": CODE_CHARACTERS}
    return PageView("citizen-enter.html", values, status, headers or {})
