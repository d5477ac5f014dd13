"""Signing in by a one-time link, signing out, and the choice of the look."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.requests import Request

from hotline.web.asking import Rooms
from hotline.web.pages import staff
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.gate import SIGN_IN, own_path, session_cookie, session_in
from hotline.web.pages.look import LANGUAGE_COOKIE, THEME_COOKIE, Language, PageLook, Theme


async def ask_to_sign_in(request: Request, look: PageLook, rooms: Rooms) -> PageView:
    """The page of a link: it names the person, so that nobody signs in as somebody else by mistake."""
    del look
    code = request.query_params.get("code", "")
    person = await staff.of_link(rooms.pool, code) if staff.is_secret(code) else None
    values = {
        "code": code if person is not None else "",
        "person": person,
        "void": bool(code) and person is None,
        "out": rooms.provided is not None and "out" in request.query_params,
    }
    return sign_in_view(rooms, {**values, "then": own_path(request.query_params.get("then", "/"))})


async def sign_in(request: Request, look: PageLook, rooms: Rooms) -> PageView | PageMoved:
    """Use the link up; the session of before is over."""
    del look
    form = await request.form(max_files=0, max_fields=4)
    code = str(form.get("code", "")).strip()
    code = code.rpartition("code=")[2]  # the whole link may be pasted
    session = await staff.signed_in(rooms.pool, code) if staff.is_secret(code) else None
    then = own_path(str(form.get("then", "/")))
    if session is None:
        return sign_in_view(rooms, {"void": True, "then": then}, 403)
    await staff.signed_out(rooms.pool, session_in(request))
    return PageMoved(then, session_cookie(request, session))


async def sign_out(ask: PageAsk) -> PageMoved:
    """End the session here and on the server."""
    await staff.signed_out(ask.rooms.pool, session_in(ask.request))
    where = SIGN_IN if ask.rooms.provided is None else f"{SIGN_IN}?out=1"
    return PageMoved(where, session_cookie(ask.request, None))


FIRST_VISIT: Final[Mapping[str, Any]] = MappingProxyType(
    {"code": "", "person": None, "void": False, "then": "/", "out": False, "fault": ""}
)
"""The values of the page to sign in at a first visit."""


def sign_in_view(rooms: Rooms, values: Mapping[str, Any], status: int = 200) -> PageView:
    """The page to sign in; `values` are those that differ from a first visit."""
    provider = rooms.provided is not None
    return PageView("sign-in.html", {**FIRST_VISIT, "provider": provider, **values}, status)


async def choose_look(request: Request, look: PageLook, rooms: Rooms) -> PageMoved:
    """Keep the language or the theme that was chosen, and show the same page again."""
    del rooms
    form = await request.form(max_files=0, max_fields=4)
    language, theme = str(form.get("language", look.language)), str(form.get("theme", look.theme))
    return PageMoved(own_path(str(form.get("back", "/"))), look_chosen(language, theme))


def look_chosen(language: str, theme: str) -> dict[str, str | None]:
    """The cookies of a look; a choice that is none of ours is left out."""
    chosen: dict[str, str | None] = {}
    if language in set(Language):
        chosen[LANGUAGE_COOKIE] = language
    if theme in set(Theme):
        chosen[THEME_COOKIE] = theme
    return chosen
