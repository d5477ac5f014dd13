"""The links of a request to other complaints, and those that cannot be. Pure.

A link points at a complaint that was on record before the one that names it. So no chain of links ever comes
back to where it began, however long it is. The complaint that a link names as the first was the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.complaint import LINK, RETALIATION_ABOUT, Complaint
from shared.events import IntakeRefused
from shared.ids import ComplaintId, complaint_id
from shared.inputs import RecordRequest, RepeatRequest

if TYPE_CHECKING:
    from services.intake.decisions.recording import AskedToRecord


class Link(NamedTuple):
    """Another complaint that a record names, and by which field."""

    field: str
    complaint_id: ComplaintId
    by_number: bool
    """Whether by the number its speaker gave the request, not by the complaint's own."""


def _linked(name: str, request_id: str | None, complaint: str | None, speaker: str) -> Link | None:
    """The link by `name`, a request's number, or by `name`_complaint; None where neither is given."""
    if complaint is not None:
        return Link(f"{name}_complaint", ComplaintId(complaint), by_number=False)
    return None if request_id is None else Link(name, complaint_id(request_id, speaker), by_number=True)


def matter_of(request: RecordRequest, speaker: str) -> Link | None:
    """The complaint that brought the same matter up first."""
    return _linked("matter_of", request.matter_of, request.matter_of_complaint, speaker)


def retaliation_about(request: RecordRequest, speaker: str) -> Link | None:
    """The complaint for which a unit retaliates."""
    about, complaint = request.retaliation_about, request.retaliation_about_complaint
    return _linked(RETALIATION_ABOUT, about, complaint, speaker)


def brought_up_by(command: RepeatRequest, login: str) -> Link:
    """The call or message in which a matter was brought up again, or another citizen's own complaint."""
    if command.repeat_id is not None:
        return Link("repeat_id", complaint_id(command.repeat_id, login), by_number=True)
    return Link("repeat_complaint", ComplaintId(command.repeat_complaint or ""), by_number=False)


def first_of_matter(asked: AskedToRecord) -> ComplaintId | None:
    """The complaint that brought the same matter up first, where the record names one that it may name."""
    return _that_can_be(matter_of(asked.command, asked.login), asked)


def about_whom(asked: AskedToRecord) -> ComplaintId | None:
    """The complaint for which a unit retaliates, where the record names one that it may name."""
    return _that_can_be(retaliation_about(asked.command, asked.login), asked)


def links_refused(asked: AskedToRecord) -> list[IntakeRefused]:
    """A wrong link must not lose the citizen's matter: the record stands, and what is wrong is said behind it."""
    links = (linked(asked.command, asked.login) for linked in (matter_of, retaliation_about))
    return [
        IntakeRefused(
            complaint_id=asked.complaint_id,
            asked=LINK,
            reason=why,
            link=link.complaint_id,
            refused_at=asked.at,
        )
        for link in links
        if link is not None and (why := _cannot_be(link, asked)) is not None
    ]


def links_otherwise(request: RecordRequest, case: Complaint, speaker: str) -> list[str]:
    """The fields by which a request told again names other complaints; a link refused then is the same now."""
    first = None if case.linked_by_call else case.matter_of
    return [
        *_names_another(matter_of(request, speaker), first or case.matter_refused, "matter_of"),
        *_names_another(
            retaliation_about(request, speaker),
            case.retaliation_about or case.about_refused,
            RETALIATION_ABOUT,
        ),
    ]


def _names_another(link: Link | None, recorded: ComplaintId | None, name: str) -> list[str]:
    """The field that names another complaint than was recorded; `name` where it names none any more."""
    if link is None:
        return [] if recorded is None else [name]
    return [] if link.complaint_id == recorded else [link.field]


def _that_can_be(link: Link | None, asked: AskedToRecord) -> ComplaintId | None:
    return None if link is None or _cannot_be(link, asked) is not None else link.complaint_id


def _cannot_be(link: Link, asked: AskedToRecord) -> str | None:
    """Why a new record does not name this complaint; None where it may."""
    if link.complaint_id == asked.complaint_id:
        return f"{link.field}: names this request itself"
    return None if link.complaint_id in asked.begun else not_on_record(link)


def not_on_record(link: Link) -> str:
    """Why a complaint is not named that nobody knows."""
    if link.by_number:
        return (
            f"{link.field}: no request of this number is on record on the same topic; "
            f"name what another speaker recorded by its complaint"
        )
    return f"{link.field}: complaint {link.complaint_id} is not on record"
