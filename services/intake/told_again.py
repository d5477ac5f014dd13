"""Finds the fields in which a request told again differs from its record (T7). Pure.

The head holds the request's words, except those that were corrected, added or reclassified since. Of those it
keeps enough to recognise them. So the same words are a repeat, whatever became of the record.
"""

from __future__ import annotations

from typing import Final

from services.intake.links import links_otherwise
from shared.complaint import Complaint, text_digest
from shared.inputs import RecordRequest

_SHARED: Final = (
    "call_id",
    "request_type",
    "subject",
    "urgency",
    "district",
    "street",
    "address",
    "title",
    "content",
    "given_due_at",
    "anonymous",
    "confidential",
    "attachments",
    "retaliation_by",
)
"""The fields of a request that its head keeps, by the request's names.

Channel, agent and `sent_at` say who told us, how and when. They are no part of the matter."""

_ON_HEAD: Final = {"retaliation_by": "accused"}
"""Fields that have another name on the head."""


def says_otherwise(request: RecordRequest, case: Complaint, speaker: str) -> list[str]:
    """The fields in which a request told again says something else than was recorded, in the contract's order.

    Names only: what the citizen said has no place in a reason. A field may also say what the record says by now, for
    that is on record too.
    """
    differing = {
        name
        for name in _SHARED
        if getattr(request, name) != getattr(case, _ON_HEAD.get(name, name))
        and not _was_recorded(request, case, name)
    }
    differing |= _its_end(request, case)
    differing |= set(links_otherwise(request, case, speaker))
    by_call = case.linked_by_call or (case.ended is not None and case.ended.twice)
    if request.another_matter and by_call:
        differing.add("another_matter")
    return [name for name in request.__struct_fields__ if name in differing]


def _was_recorded(request: RecordRequest, case: Complaint, name: str) -> bool:
    """Whether a field that the record has otherwise by now says what was recorded first."""
    if name == "urgency":
        return any(request.urgency is before.urgency for before in case.classes_before[:1])
    if name == "attachments":
        return request.attachments == case.attachments[: len(case.attachments) - case.attachments_added]
    return any(
        one.field == name and one.digest == text_digest(getattr(request, name) or "") for one in case.recorded
    )


def _its_end(request: RecordRequest, case: Complaint) -> set[str]:
    """Where it says otherwise whether, how and why it was turned away, or from which article it was answered."""
    ended = case.ended
    how = None if ended is None else ended.turned_away
    if request.turned_away is None and how is None:
        return _its_article(request, case)
    differing = set() if request.turned_away is how else {"turned_away"}
    if ended is not None and how is not None and request.turned_away is not None:
        if request.turned_away_to != ended.to:
            differing.add("turned_away_to")
        if request.turned_away_reason != ended.reason:
            differing.add("turned_away_reason")
    return differing


def _its_article(request: RecordRequest, case: Complaint) -> set[str]:
    """Where it says otherwise from which article it was answered, or was to be (B2)."""
    if case.ended is not None and case.ended.twice:
        return set()  # of such a record it is not on record
    if (request.article_id is not None) != (case.answer_refused or case.article_id != ""):
        return {"article_id"}
    if case.article_id == "":
        return set()  # none, or a refusal from before does not say which
    differing = set() if request.article_id == case.article_id else {"article_id"}
    if request.article_version != case.article_version:
        differing.add("article_version")
    return differing
