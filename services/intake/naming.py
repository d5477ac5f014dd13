"""Which complaints an input names: by the number its own speaker gave a request, or by a complaint's own."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.links import brought_up_by, matter_of, retaliation_about
from shared.ids import ComplaintId, complaint_id
from shared.inputs import AboutRequest, RecordRequest, RepeatRequest
from shared.runtime.errors import BadInput
from shared.work import Work


def named_by(command: AboutRequest, login: str) -> ComplaintId:
    """The complaint a message is about; `BadInput` where it names none, or names one in both ways."""
    _one_of("request_id", command.request_id, "complaint_id", command.complaint_id)
    if command.complaint_id is not None:
        return ComplaintId(command.complaint_id)
    return complaint_id(command.request_id or "", login)


def links_named(request: RecordRequest, speaker: str) -> tuple[ComplaintId, ...]:
    """The other complaints a record names; `BadInput` where it names one in both ways."""
    for name in ("matter_of", "retaliation_about"):
        if getattr(request, name) is not None and getattr(request, f"{name}_complaint") is not None:
            text = f"data: {name}, {name}_complaint: both given, expected at most one of them"
            raise BadInput(text)
    links = matter_of(request, speaker), retaliation_about(request, speaker)
    return tuple(link.complaint_id for link in links if link is not None)


def repeated_by(command: RepeatRequest, login: str) -> ComplaintId:
    """The id of the call, message or complaint that brings a matter up again; `BadInput` where none is named."""
    _one_of("repeat_id", command.repeat_id, "repeat_complaint", command.repeat_complaint)
    if command.repeat_complaint is not None and not command.another_citizen:
        text = "data: another_citizen: expected true, repeat_complaint is another citizen's own complaint"
        raise BadInput(text)
    return brought_up_by(command, login).complaint_id


def _one_of(number: str, said: str | None, complaint: str, known: str | None) -> None:
    if (said is None) == (known is None):
        how = "neither given" if said is None else "both given"
        text = f"data: {number}, {complaint}: {how}, expected exactly one of them"
        raise BadInput(text)


def first_things_first(work: Sequence[Work]) -> list[Work]:
    """The same work, but what puts a complaint on record comes before what names it.

    Both may come in one batch by two partitions, between which there is no order. The first of a complaint's work
    alone moves, and only forward, so that each complaint's own order stays.
    """
    first: dict[ComplaintId, int] = {}
    for number, one in enumerate(work):
        first.setdefault(one.complaint_id, number)
    ordered: list[Work] = []
    met: set[int] = set()
    placed: set[int] = set()
    for begin in range(len(work)):
        waiting = [begin]
        while waiting:
            number = waiting[-1]
            if number not in met:
                met.add(number)
                behind = (first[one] for one in work[number].beside if one in first)
                waiting += [other for other in behind if other not in met]
                continue
            waiting.pop()
            if number not in placed:
                placed.add(number)
                ordered.append(work[number])
    return ordered
