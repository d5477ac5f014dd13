"""The cookie of a citizen's page, and the complaint that it opens."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from hotline.web.asking import Rooms
from hotline.web.citizen_links import MINE, complaint_of
from hotline.web.pages.gate import HEADERS, client_of
from shared.complaint_number import ComplaintNumberError, Numbered, numbered
from shared.ids import ComplaintId

COOKIE: Final = "hotline-mine"
SECURE_COOKIE: Final = f"__Secure-{COOKIE}"
"""Its name over TLS. `__Host-` would want the path /, and nothing but these pages is to get it."""


def number_in(text: str) -> Numbered | None:
    """The number that a text says; None where it says none."""
    try:
        return numbered(text)
    except ComplaintNumberError:
        return None


def session_in(request: Request) -> str:
    """The secret of the session that the browser holds; empty where it holds none."""
    return request.cookies.get(_name(request), "")


async def opened_complaint(request: Request, rooms: Rooms) -> ComplaintId | None:
    """The complaint of the address, where the cookie opens it; the request is counted.

    A browser holds one cookie. A page of another complaint that is still open in it does nothing to this one.
    """
    number = number_in(str(request.path_params["number"]))
    complaint = None if number is None else await complaint_of(rooms.pool, session_in(request))
    if number is not None and complaint is not None:
        rooms.rates.spend_page(complaint)
        if number.id_first <= complaint.replace("-", "") <= number.id_last:
            return complaint
    rooms.rates.spend_stranger(client_of(request))
    return None


def moved(request: Request, address: str, session: str | None = None) -> RedirectResponse:
    """Go on there. `session`: the secret of a session that begins; empty: the session ends."""
    response = RedirectResponse(address, HTTPStatus.SEE_OTHER, headers=HEADERS)
    secure = request.url.scheme == "https"
    if session:
        response.set_cookie(
            _name(request), session, path=MINE, secure=secure, httponly=True, samesite="strict"
        )
    elif session is not None:
        response.delete_cookie(_name(request), path=MINE, secure=secure, httponly=True, samesite="strict")
    return response


def closed_page(request: Request) -> RedirectResponse:
    """Go to the form: nothing is open, or something else. The number that was asked for stands in it."""
    number = str(request.path_params["number"])
    told = {"over": "yes", **({"number": number} if number_in(number) is not None else {})}
    return moved(request, f"{MINE}?{urlencode(told)}")


def _name(request: Request) -> str:
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE
