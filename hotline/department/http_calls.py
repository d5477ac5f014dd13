"""Requests to one HTTP door with one key; whatever goes wrong is a sentence for the person who typed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import msgspec

from hotline.client import EFFECT_SECONDS_MAX, Mistyped, Unknown
from hotline.web.answers import ActOutcome, StatedFact, UndecidedAct
from hotline.web.problems import HttpProblem
from shared.events import Fact
from shared.log.codec import decoded, fact_type_of
from shared.runtime.errors import UserError

AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)

REQUEST_SECONDS_MAX: Final = 30.0
"""How long one answer may take; the door's own limits are shorter."""
SILENT_SECONDS_MAX: Final = 45.0
"""How long a stream may say nothing: the door says every 15 s that it is still there."""
AGAIN_SECONDS: Final = 0.5
"""After how long an act is sent again that the door did not take, where it names no time."""
_KEY: Final = re.compile(r"[a-z0-9]{16}\.[A-Za-z0-9_-]{43}")


class DoorAway(UserError):  # noqa: N818 -- a state of the world, said to a person
    """The door does not answer just now."""


class NotYours(UserError):  # noqa: N818 -- an answer, said to a person
    """There is no such thing, or it is none of the key's."""


_NOT_SENT: Final = (UserError, "Nothing was sent. {why}")
_SENTENCES: Final[Mapping[int, tuple[type[UserError], str]]] = {
    400: _NOT_SENT,
    401: (UserError, "The door at {at} does not know the key: it is mistyped, or void."),
    403: (UserError, "The key may not do this. {why}"),
    404: (NotYours, "{why} A complaint is named by its number or its whole id here."),
    413: _NOT_SENT,
    415: _NOT_SENT,
    422: (UserError, "The message was set aside: {why}"),
    429: (UserError, "{why} Try again in {wait} s."),
    503: (DoorAway, "The door at {at} cannot do it just now: {why}"),
}
"""By status the sentence about a problem; another one is a refusal."""


class HttpCalls:
    """See the module. It opens no connection before the first request."""

    def __init__(self, address: str, key: str) -> None:
        """`address`: http://HOST:PORT or https://HOST; `key`: ID.SECRET. `UserError` where one of them is none."""
        at = urlsplit(address)
        if at.scheme not in {"http", "https"} or not at.hostname:
            raise Mistyped(f"--http: '{address}', expected http://HOST:PORT or https://HOST.")
        if not _KEY.fullmatch(key):
            raise Mistyped(
                "The file of the key holds none: expected ID.SECRET, as `hotline key add` shows it."
            )
        self.address: Final = address.rstrip("/")
        here = is_here(at.hostname)
        self.in_clear: Final = at.scheme == "http" and not here
        """Whether everybody on the way can read the key."""
        self._client = httpx2.AsyncClient(
            base_url=self.address,
            headers={"Authorization": f"Bearer {key}"},
            timeout=REQUEST_SECONDS_MAX,
            trust_env=not here,  # a proxy of the network leads to no door on this machine
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def read(
        self, path: str, kind: type[AnswerT], query: Mapping[str, str | int] | None = None
    ) -> AnswerT:
        """The answer 200 to a GET."""
        answer = await self._asked("GET", path, query={} if query is None else query)
        if answer.status_code != httpx2.codes.OK:
            raise self._refused(answer)
        return msgspec.json.decode(answer.content, type=kind)

    async def act(self, path: str, body: bytes) -> list[Fact]:
        """Send an act and wait: the facts that came of it, of a refusal too.

        The same act again has one effect: so it is sent again where the door did not say that it has it.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
        try:
            answer = await self._asked("POST", path, body, headers)
        except DoorAway as away:
            if isinstance(away.__cause__, httpx2.ConnectError):
                raise DoorAway(f"{away} Nothing was sent.") from away
            answer = None
        link = ""
        while answer is None or answer.status_code in {202, 429, 503}:
            if time.monotonic() > give_up_at:
                raise self._unknown(taken=bool(link))
            if answer is not None and answer.status_code == httpx2.codes.ACCEPTED:
                link = msgspec.json.decode(answer.content, type=UndecidedAct).outcome
            await asyncio.sleep(_wait(answer))
            try:
                answer = await (
                    self._asked("GET", link) if link else self._asked("POST", path, body, headers)
                )
            except DoorAway:
                answer = None
        return self._facts(answer)

    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of a stream; `DoorAway` where the connection is lost."""
        try:
            timeout = httpx2.Timeout(REQUEST_SECONDS_MAX, read=SILENT_SECONDS_MAX)
            async with self._client.stream(
                "GET", path, params=query, headers=headers, timeout=timeout
            ) as answer:
                if answer.status_code != httpx2.codes.OK:
                    await answer.aread()
                    raise self._refused(answer)
                yield self._lines(answer)
        except httpx2.TransportError as error:
            raise self._away(error) from error

    async def _lines(self, answer: httpx2.Response) -> AsyncIterator[str]:
        try:
            async for line in lines_of(answer):
                yield line
        except httpx2.TransportError as error:
            raise self._away(error) from error

    async def _asked(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> httpx2.Response:
        try:
            return await self._client.request(method, path, content=body, headers=headers, params=query)
        except httpx2.TransportError as error:
            raise self._away(error) from error

    def _facts(self, answer: httpx2.Response) -> list[Fact]:
        if answer.status_code == httpx2.codes.OK:
            return _decoded(msgspec.json.decode(answer.content, type=ActOutcome).facts)
        problem = self._problem(answer)
        if problem is not None and answer.status_code == httpx2.codes.CONFLICT and problem.facts:
            return _decoded(problem.facts)
        raise self._refused(answer)

    def _refused(self, answer: httpx2.Response) -> UserError:
        """The sentence about an answer that is none of those asked for."""
        problem = self._problem(answer)
        if problem is None:
            return UserError(f"{self.address} is no door of a hotline: it answered {answer.status_code}.")
        kind, text = _SENTENCES.get(answer.status_code, (UserError, "The door at {at} refused: {why}"))
        return kind(
            text.format(at=self.address, why=problem.detail, wait=answer.headers.get("retry-after", "1"))
        )

    def _problem(self, answer: httpx2.Response) -> HttpProblem | None:
        try:
            return msgspec.json.decode(answer.content, type=HttpProblem)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _away(self, error: Exception) -> DoorAway:
        why = str(error) or type(error).__name__
        return DoorAway(f"The door at {self.address} does not answer ({why}).")

    def _unknown(self, *, taken: bool) -> Unknown:
        if taken:
            return Unknown(
                f"Nothing came of it within {EFFECT_SECONDS_MAX:.0f} s, and it is not lost: do not type it again."
            )
        return Unknown(
            f"The door at {self.address} did not say that it has it. It may be sent all the same: look at the "
            f"complaint before you type it again."
        )


def is_here(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait(answer: httpx2.Response | None) -> float:
    """Seconds until it is tried again."""
    told = "" if answer is None else answer.headers.get("retry-after", "")
    return min(float(told), EFFECT_SECONDS_MAX) if told.isdecimal() else AGAIN_SECONDS


def _decoded(stated: list[StatedFact]) -> list[Fact]:
    """Facts as they stand in the log; one of a kind that this version does not know is left out."""
    kinds = [(fact_type_of(one.type.encode()), one) for one in stated]
    return [decoded(*kind, bytes(one.data)) for kind, one in kinds if kind is not None]


async def lines_of(answer: httpx2.Response) -> AsyncIterator[str]:
    """The lines of a stream as its standard has them: the client's own end at U+0085 and U+2028 too."""
    begun = b""
    async for chunk in answer.aiter_bytes():
        *lines, begun = (begun + chunk).split(b"\n")
        for line in lines:
            yield line.decode()
