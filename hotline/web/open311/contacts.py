"""The contact in a form, sealed into the vault before its request is sent (decisions 0058 and 0059)."""

from __future__ import annotations

from typing import Final

from hotline.web.open311.forms import GivenForm
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from shared.contacts.details import Contact, ContactInvalid, contact_given

NAMED: Final = ("first_name", "last_name", "email", "phone")
"""The fields that name the citizen, or by which the citizen is reached."""
_FIELDS: Final = {"name": "first_name"}
"""The fields of a contact that have another name in a form."""


def contact_in_form(form: GivenForm) -> Contact | None:
    """The contact that a form holds; None where it holds none. `HttpRefusal` names the field, and nothing it holds."""
    first, last, email, phone = (form.one(name) for name in NAMED)
    if not any((first, last, email, phone)):
        return None
    try:
        return contact_given(name=full_name(first, last), email=email, phone=phone)
    except ContactInvalid as error:
        field = str(error).partition(":")[0]
        raise HttpRefusal(
            ProblemKind.BAD_EVENT, sentence(str(error)), field=_FIELDS.get(field, field)
        ) from None


def full_name(first: str, last: str) -> str:
    """A name as it is said: of Chinese the family name first, with nothing between."""
    if f"{first}{last}".isascii():
        return f"{first} {last}".strip()
    return f"{last}{first}"
