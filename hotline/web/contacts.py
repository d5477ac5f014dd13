"""Handlers of contacts: sealed for a request over the public listener."""

from __future__ import annotations

from typing import Final

import msgspec

from hotline.web.answers import SealedContact
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.contact_seal import BESIDE, GivenContact, contact_in
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from shared.ids import complaint_id
from shared.inputs.base import Identifier
from shared.runtime.errors import told_invalid
from shared.wording import why_no_identifier

JSON: Final = "application/json"


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
