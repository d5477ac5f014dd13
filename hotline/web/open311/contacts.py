"""The contact in a form, sealed into the vault before its request is sent (decision 0058)."""

from __future__ import annotations

from hotline.web.asking import HttpAsk
from hotline.web.open311.forms import GivenForm
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.ids import ComplaintId

NAMED = ("first_name", "last_name", "email", "phone")
"""The fields that name the citizen, or by which the citizen is reached."""


async def seal(ask: HttpAsk, form: GivenForm, complaint: ComplaintId) -> None:
    """Seal the contact that a form holds; nothing where it holds none."""
    del ask, complaint
    if any(form.one(name) for name in NAMED):
        raise HttpRefusal(
            ProblemKind.AWAY,
            "Contacts cannot be sealed here just now. Nothing was sent.",
            headers={"Retry-After": "2"},
        )
