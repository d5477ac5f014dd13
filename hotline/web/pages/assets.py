"""The files that pages load: styles and scripts, each under a name with its hash, so that browsers keep it for ever."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Collection
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

STATIC: Final = "/static/"
FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_HASH_LENGTH: Final = 12
_FOLDERS: Final = ("static", "vendor")


class Asset(NamedTuple):
    """A file as it is served."""

    path: str
    body: bytes
    packed: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by the name it has in the source."""
    found: dict[str, Asset] = {}
    for folder in _FOLDERS:
        for file in files("hotline.web.pages").joinpath(folder).iterdir():
            stem, _, ending = file.name.rpartition(".")
            if ending not in _TYPES:
                continue
            body = file.read_bytes()
            digest = sha256(body).hexdigest()[:_HASH_LENGTH]
            path = f"{STATIC}{stem}.{digest}.{ending}"
            found[file.name] = Asset(path, body, gzip.compress(body, 9, mtime=0), _TYPES[ending])
    return found


def address_of(name: str) -> str:
    """The path of a file by its name in the source."""
    return assets()[name].path


@cache
def _by_path() -> dict[str, Asset]:
    return {one.path: one for one in assets().values()}


async def serve(request: Request) -> Response:
    """A file; 404 where none has this name with this hash."""
    return _served(request, _by_path().get(request.url.path))


def serving(names: Collection[str]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that serves these files alone, by their names in the source."""

    async def some(request: Request) -> Response:
        found = (assets()[name] for name in names)
        return _served(request, next((one for one in found if one.path == request.url.path), None))

    return some


def _served(request: Request, asset: Asset | None) -> Response:
    if asset is None:
        return Response(status_code=404)
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, headers=headers, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)
