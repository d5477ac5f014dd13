"""Seals a citizen's contact into the vault before its request is sent: no topic holds it, and no kill loses it.

The process holds the public part of the key alone, and its login may read nothing back (decision 0059).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import asyncpg
import msgspec

from deploy.city.kafka_rights import Login
from hotline.web.keys import Key, usual_source
from hotline.web.limits import AGAIN_SECONDS
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from shared.contacts.details import (
    ADDRESS_MAX,
    DIGITS_MAX,
    EMAIL_MAX,
    NAME_MAX,
    Contact,
    ContactInvalid,
    contact_given,
)
from shared.contacts.sealing import SealingKey
from shared.ids import ComplaintId
from shared.runtime.errors import told_invalid
from shared.runtime.telemetry import Telemetry

BESIDE: Final = "contact"
"""The member of a request's body that holds the contact; it is taken out before the request is sent."""
NUMBER_MAX: Final = 2 * DIGITS_MAX
"""Characters of a telephone number, with the + before it and what stands between its digits."""
_SEAL: Final = "SELECT vault.seal($1, $2, $3, $4, $5, $6)"
_objects: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class GivenContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The citizen's name, and how the citizen is reached: one field at least."""

    name: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""
    """The citizen's name."""
    phone: Annotated[str, msgspec.Meta(max_length=NUMBER_MAX)] = ""
    """A telephone number: digits, a + before them, single blanks or - between them."""
    callback: Annotated[str, msgspec.Meta(max_length=NUMBER_MAX)] = ""
    """Where the citizen wants to be called back, if elsewhere."""
    email: Annotated[str, msgspec.Meta(max_length=EMAIL_MAX)] = ""
    """An address of e-mail."""
    address: Annotated[str, msgspec.Meta(max_length=ADDRESS_MAX)] = ""
    """Where the citizen lives; not the place that the request is about."""

    def __repr__(self) -> str:
        """Nothing of it: what is printed or logged by accident tells nobody."""
        return "GivenContact(…)"


_decoder: Final = msgspec.json.Decoder(GivenContact)


def contact_in(given: bytes, path: str = BESIDE) -> Contact:
    """The contact in this JSON; `HttpRefusal` names the field that is wrong, and nothing of what it holds.

    `path`: where it stands in the body.
    """
    try:
        found = _decoder.decode(given)
    except msgspec.ValidationError as error:
        raise _invalid(told_invalid(error, GivenContact).replace("$", f"$.{path}"), path) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _invalid("expected an object", path) from None
    try:
        return contact_of_fields(found)
    except ContactInvalid as error:
        field = str(error).partition(":")[0]
        raise _invalid(f"{path}.{error}", path if field == BESIDE else f"{path}.{field}") from None


def contact_of_fields(given: GivenContact) -> Contact:
    """The contact as it is kept; `ContactInvalid` where a field is not what it must be."""
    return contact_given(
        name=given.name,
        phone=given.phone,
        callback=given.callback,
        email=given.email,
        address=given.address,
    )


def _invalid(why: str, field: str) -> HttpRefusal:
    return HttpRefusal(ProblemKind.BAD_EVENT, sentence(why), field=field, expected="the contact of a citizen")


def without_contact(body: bytes) -> tuple[bytes, Contact | None]:
    """A request's body without the contact beside it, and that contact; `HttpRefusal` where it is not as it must be.

    A body without one, or one that is no JSON object, comes back as it is: its door says what is wrong with it.
    """
    if BESIDE.encode() not in body:
        return body, None
    try:
        members = _objects.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body, None
    given = members.pop(BESIDE, None)
    if given is None:
        return body, None
    if bytes(members.get("anonymous", b"")) == b"true":
        raise _invalid("an anonymous request has no contact", BESIDE)
    return msgspec.json.encode(members), contact_in(bytes(given))


class ContactSeal:
    """Writes contacts into the vault, sealed to the public key."""

    def __init__(
        self, pool: asyncpg.Pool[Any], key: Callable[[], SealingKey | None], telemetry: Telemetry
    ) -> None:
        """`key` is asked at each contact, so one that is put back is used at once."""
        self._pool = pool
        self._key = key
        self._telemetry = telemetry

    async def seal(
        self, sender: Key, complaint: ComplaintId, contact: Contact, *, replaces: bool = False
    ) -> str:
        """Keep the contact of a request that this key's login sends; "" where it is kept, else why not.

        Call it before the request is sent. Where the request is on record the contact stays as it was: only
        `replaces` changes it then. Raises `HttpRefusal` where there is no public key here; errors of asyncpg.
        """
        try:
            key = self._key()
        except (ContactInvalid, OSError):
            key = None
        if key is None:
            self._telemetry.log.error("contacts_without_public_key")
            raise HttpRefusal(
                ProblemKind.AWAY,
                "Contacts cannot be sealed here just now. Nothing was sent.",
                headers={"Retry-After": str(AGAIN_SECONDS)},
            )
        sealed = key.seal(complaint, msgspec.json.encode(contact))
        why: str = await self._pool.fetchval(_SEAL, complaint, *sealed, sender_of(sender), replaces)
        return why


def sender_of(key: Key) -> str:
    """The login a key is a credential of, as it stands beside a contact: it stays when the key is replaced."""
    return usual_source(Login(key.role, key.name))
