"""The routes of the public listener that are for a browser. No key opens them, and no contract names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.routing import BaseRoute, Route

from hotline.web.asking import Rooms
from hotline.web.citizen_links import MINE
from hotline.web.pages.assets import STATIC, serving
from hotline.web.pages.citizen.entering import ask_for_code, choose_look, leave, open_page
from hotline.web.pages.citizen.mine import my_page
from hotline.web.pages.citizen.saying import say
from hotline.web.pages.gate import OpenHandler, PageGate

FILES: Final = ("app.css", "citizen.css", "citizen.js", "mark.svg")
"""The files that these pages load; the public listener serves no other."""
DOOR_PAGES: Final[Sequence[tuple[str, str, OpenHandler]]] = (
    ("GET", MINE, ask_for_code),
    ("POST", MINE, open_page),
    ("POST", f"{MINE}/look", choose_look),
    ("POST", f"{MINE}/leave", leave),
)
"""Anybody may ask for these; each request is counted by its address."""
CITIZEN_PAGES: Final[Sequence[tuple[str, str, OpenHandler]]] = (
    ("GET", f"{MINE}/{{number}}", my_page),
    ("POST", f"{MINE}/{{number}}/{{verb}}", say),
)
"""A cookie opens these; a request is counted by its complaint, or by its address where the cookie opens nothing."""


def citizen_routes(rooms: Rooms) -> list[BaseRoute]:
    """The routes of the citizen's page and of the files it loads."""
    gate = PageGate(rooms, lambda _: [], "citizen-fault.html")
    found: list[BaseRoute] = [
        Route(path, gate.public(handle, counted=counted), methods=[method])
        for pages, counted in ((DOOR_PAGES, True), (CITIZEN_PAGES, False))
        for method, path, handle in pages
    ]
    return [*found, Route(f"{STATIC}{{name}}", serving(FILES), methods=["GET"])]
