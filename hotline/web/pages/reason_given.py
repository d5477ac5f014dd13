"""The reason that a person gives for an act on a page: words, and no number that tells who somebody is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hotline.caller_marks import wrong_reason
from hotline.web.pages.catalogues import N_

WRONG: Final = (
    N_("A reason is asked for."),
    N_("The reason is longer than 500 characters."),
    N_("A telephone or identity number stands in it, and it stays on record."),
    N_("Nobody decides on what he proposed."),
    N_("Nobody decides on an objection to what he approved."),
    N_("This is not to be decided now."),
    N_("This caller is marked already."),
    N_("This caller is not marked."),
    N_("A proposal about this caller waits already."),
    N_("An objection of this caller waits already."),
    N_("Nobody knows the number of this caller."),
)
"""Why an act is not done, as the check of reasons and the database say it."""


class GivenReason(NamedTuple):
    """A reason as it was typed."""

    text: str
    wrong: str = ""
    """Why it cannot be taken, a sentence in English that the page translates; empty where it can."""


def reason_given(form: Mapping[str, Any]) -> GivenReason:
    """The field `reason` of a form."""
    text = str(form.get("reason", "")).strip()
    return GivenReason(text, wrong_reason(text))
