"""Handlers of contacts: sealed for a request over the public listener, read for a unit over the one for staff."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from hotline.web.answers import ContactSeen, SealedContact, TextNumberSeen
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.contact_seal import BESIDE, GivenContact, contact_in
from hotline.web.limits import REASON_MAX
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from services.dispatch.contact_policy import Seen
from shared.contacts.details import Contact
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.inputs.base import Identifier
from shared.runtime.errors import told_invalid
from shared.wording import why_no_identifier

JSON: Final = "application/json"
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RequestContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact of a request, sent or not yet."""

    request_id: Identifier
    """The number that the same speaker gives the request."""
    contact: GivenContact
    """The citizen's name, and how the citizen is reached."""


class _Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, whose contact is read by itself: no text of an error shows a part of it."""

    request_id: Identifier
    contact: msgspec.Raw


_decoder: Final = msgspec.json.Decoder(_Split)


async def put_contact(ask: HttpAsk) -> HttpReply:
    """Seal a contact for a request of this key's own login, in place of the one before."""
    content_type = ask.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise HttpRefusal(
            ProblemKind.WRONG_TYPE, "The body is JSON.", field="content-type", expected="application/json"
        )
    try:
        found = _decoder.decode(await ask.body())
    except msgspec.ValidationError as error:
        raise HttpRefusal(ProblemKind.BAD_EVENT, sentence(told_invalid(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise HttpRefusal(ProblemKind.BAD_EVENT, "The body is no JSON.", expected="a JSON object") from None
    if (why := why_no_identifier(found.request_id)) is not None:
        raise HttpRefusal(ProblemKind.BAD_EVENT, f"request_id: {why}.", field="request_id")
    contact = contact_in(bytes(found.contact), BESIDE)
    complaint = complaint_id(found.request_id, ask.key.name)
    why = await ask.rooms.contacts.seal(ask.key, complaint, contact, replaces=True)
    if why:
        raise HttpRefusal(ProblemKind.REFUSED, f"The contact is not kept: {why}.")
    return HttpReply(200, SealedContact(complaint_id=complaint))


async def read_contact(ask: HttpAsk) -> HttpReply:
    """The contact of a complaint, as much as the key's unit may see now, written down first (decision 0026)."""
    complaint, reason = ask.path("complaint"), ask.query("reason")
    if not _ID.fullmatch(complaint):
        expected = "its id, a UUID in small letters"
        raise HttpRefusal(
            ProblemKind.BAD_EVENT, f"complaint: expected {expected}.", field="complaint", expected=expected
        )
    if len(reason) > REASON_MAX or "\0" in reason:
        expected = f"at most {REASON_MAX} characters"
        raise HttpRefusal(
            ProblemKind.BAD_EVENT, f"reason: expected {expected}.", field="reason", expected=expected
        )
    found = await ask.rooms.readings.read(ComplaintId(complaint), UnitId(ask.key.unit), reason)
    seen, standing = found.sight
    if seen is Seen.REFUSED:
        raise HttpRefusal(ProblemKind.CONTACT_REFUSED, f"Refused: {standing}.", refused=standing.value)
    if found.contact is None and not found.texts:
        raise HttpRefusal(ProblemKind.NOT_FOUND, "No contact is kept of this complaint.")
    contact = found.contact or Contact()
    known = {name: getattr(contact, name) for name in contact.__struct_fields__}
    texts = [TextNumberSeen(field=one.field, mark=one.mark, number=one.number) for one in found.texts]
    return HttpReply(200, ContactSeen(complaint_id=complaint, seen=seen.value, texts=texts, **known))
