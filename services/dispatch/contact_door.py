"""Reading a contact: the decision and its row in the access log in one transaction, before anything goes out.

The door is `GET /contacts/COMPLAINT?reason=TEXT` with `Authorization: Bearer TOKEN`, beside the metrics of
the process on loopback. It answers JSON: 200 with `seen` and the contact, 403 refused, 404 where its own complaint
has none. A complaint that is not on record is refused like one of another unit. It answers 401 for a token nobody was
given, and 400, 405 and 503.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from hmac import compare_digest
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self
from urllib.parse import parse_qs

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.dispatch.contact_policy import Asker, Seen, Sight, Standing, may_see, refused_for
from services.dispatch.settings import Settings
from shared.aside import NoSuchComplaint
from shared.complaint import UnreadableHead, stored_head
from shared.contacts.details import CannotUnseal, Contact, ContactInvalid, MasterKey, Sealed, master_key
from shared.ids import ComplaintId, UnitId
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry

App = Callable[..., Iterable[bytes]]

PATH: Final = "/contacts/"
REASON_MAX: Final = 500
CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 10.0
ANSWER_SECONDS_MAX: Final = CONNECT_SECONDS + STATEMENT_SECONDS
CONNECTIONS_MAX: Final = 4
"""Readings at a time; more wait for their turn."""
WAITING: Final = {
    # A reading holds up what is said of its complaint: neither it nor its wait may last.
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
    "application_name": "dispatch.contacts",
}
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STATUS: Final = {
    200: "200 OK",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    503: "503 Service Unavailable",
}


class Reading(NamedTuple):
    """The answer to one request for a contact."""

    sight: Sight
    contact: Contact | None
    """As much as he may see."""


async def read(
    connection: asyncpg.Connection[Any] | PoolConnectionProxy[Any],
    key: MasterKey,
    complaint_id: ComplaintId,
    asker: Asker,
    *,
    through: Literal["DOOR", "COMMAND"],
    reason: str = "",
) -> Reading:
    """Decide, write it down, commit, and only then unseal.

    Raises `NoSuchComplaint`, with no row, as there is nothing to read; `UnreadableHead`; and `CannotUnseal`, when the
    row is written and nobody has seen anything.
    """
    async with connection.transaction():
        row = await connection.fetchrow("SELECT * FROM vault.look($1)", complaint_id)
        if row is None:
            raise NoSuchComplaint(complaint_id)
        case = stored_head(complaint_id, row["state"], row["state_schema"])
        sight = may_see(asker, case, row["taken_by"], reason)
        sealed = await connection.fetchrow(
            "SELECT * FROM vault.note($1, $2, $3, $4, $5, $6, $7)",
            complaint_id,
            asker.name,
            asker.kind,
            through,
            sight.seen,
            sight.standing,
            reason,
        )
    if sealed is None:
        return Reading(sight, None)
    contact = key.unseal(complaint_id, Sealed(*sealed))
    return Reading(sight, contact if sight.seen is Seen.FULL else contact.masked())


def hashed(salt: bytes, secret: str) -> bytes:
    """A token as it is kept. Its secret is 32 random bytes, so a slow hash would protect nothing more."""
    return sha256(salt + secret.encode()).digest()


class ContactDoor:
    """The door of one process of dispatch."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        """Nothing is opened before somebody asks."""
        self._settings = settings
        self._telemetry = telemetry
        self._pool: asyncpg.Pool[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        """Ready for who asks, wherever PostgreSQL is just now."""
        self._loop = asyncio.get_running_loop()
        self._pool = await asyncpg.create_pool(
            self._settings.postgres,
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings=WAITING,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Requests that are still open get no answer."""
        if self._pool is not None:
            self._pool.terminate()

    def answering(self, otherwise: App) -> App:
        """A WSGI application: what is asked of contacts; all else is `otherwise`'s. Called in other threads."""

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if not environ.get("PATH_INFO", "").startswith(PATH):
                return otherwise(environ, start_response)
            status, body = self._answer(environ)
            headers = [("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store")]
            if status == 401:  # noqa: PLR2004 -- as the table above names it
                headers.append(("WWW-Authenticate", "Bearer"))
            start_response(_STATUS[status], headers)
            return [json.dumps(body, ensure_ascii=False).encode() + b"\n"]

        return app

    def _answer(self, environ: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if environ.get("REQUEST_METHOD") != "GET":
            return 405, {"error": "method: expected GET"}
        complaint, wrong = environ["PATH_INFO"].removeprefix(PATH), ""
        if not _ID.fullmatch(complaint):
            wrong = "complaint: expected its id, a UUID in small letters"
        (reason,) = parse_qs(environ.get("QUERY_STRING", ""), errors="replace").get("reason", [""])[:1]
        if len(reason) > REASON_MAX or "\0" in reason:
            wrong = f"reason: expected at most {REASON_MAX} characters"
        if wrong:
            return 400, {"error": wrong}
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        unit, _, secret = token.partition(".") if scheme.lower() == "bearer" else ("", "", "")
        if self._loop is None:
            return 503, {"error": "the door is not open yet"}
        work = asyncio.run_coroutine_threadsafe(
            self._read(ComplaintId(complaint), unit, secret, reason), self._loop
        )
        try:
            return 200, work.result(ANSWER_SECONDS_MAX)
        except _Not as error:
            return error.status, error.body
        except Exception as error:  # noqa: BLE001 -- whatever it is, nothing of it goes out
            work.cancel()
            return self._failed(complaint, told(error))

    def _failed(self, complaint: str, why: str) -> tuple[int, dict[str, Any]]:
        self._telemetry.log.error("contact_not_read", complaint_id=complaint, error=why)
        return 503, {"error": "it cannot be read just now; the log of the process says why"}

    async def _read(self, complaint_id: ComplaintId, unit: str, secret: str, reason: str) -> dict[str, Any]:
        """The contact as far as this unit sees it; `_Not` where nothing is given out."""
        if self._pool is None:
            raise _Not(503, {"error": "the door is not open yet"})
        async with self._pool.acquire() as connection:
            known = await connection.fetchrow("SELECT * FROM vault.token_of($1)", unit)
            if known is None or not compare_digest(hashed(known["salt"], secret), known["hash"]):
                self._telemetry.log.warning("contact_asked_without_token", complaint_id=complaint_id)
                raise _Not(401, {"error": "Authorization: expected Bearer and the unit's token"})
            key = self._key()
            asker = Asker(UnitId(unit))
            try:
                found = await read(connection, key, complaint_id, asker, through="DOOR", reason=reason)
            except NoSuchComplaint:
                raise _Not(403, {"refused": Standing.STRANGER}) from None
            except (CannotUnseal, UnreadableHead) as error:
                raise _Not(*self._failed(complaint_id, str(error))) from None
        seen, standing = found.sight
        self._telemetry.log.info(
            "contact_read", complaint_id=complaint_id, unit=unit, seen=seen, standing=standing
        )
        if seen is Seen.REFUSED:
            raise _Not(403, {"refused": refused_for(standing)})
        if found.contact is None:
            raise _Not(404, {"error": "no contact is kept of this complaint"})
        contact = {name: getattr(found.contact, name) for name in found.contact.__struct_fields__}
        return {"complaint_id": complaint_id, "seen": seen, **contact}

    def _key(self) -> MasterKey:
        try:
            key = master_key(self._settings.contacts_key.get_secret_value(), self._settings.contacts_key_file)
        except (ContactInvalid, OSError):
            key = None
        if key is None:
            self._telemetry.log.error("contacts_without_master_key")
            raise _Not(503, {"error": "this process has no master key, or one that cannot be read"})
        return key


class _Not(Exception):  # noqa: N818 -- an answer, not our failure
    """Nothing is given out; why."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status, self.body = status, body
