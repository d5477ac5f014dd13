"""The message that tells a unit what happened to its tasks in a programme: a shape of the contract, and no order."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from shared.events import Instant
from shared.ids import ComplaintId, UnitId

CE_TYPE: Final = "hotline.ProgrammeNotice.v1"
"""The CloudEvents type of a notice."""
CE_SOURCE: Final = "/hotline/programmes"


class ProgrammeNotice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to a unit's tasks in a monthly programme or a project list; it is no work order."""

    programme_id: str
    """The programme's own id: a UUID in small letters."""
    programme: str
    """Its title."""
    year: int
    """The year of the programme or list."""
    month: int | UnsetType = UNSET
    """Of a monthly programme; a project list has none."""
    level: str | UnsetType = UNSET
    """Of a project list: MUNICIPAL, DISTRICT or STREET."""
    happened: str
    """The fact in the programmes' log, such as TaskSet, TaskVerified, AnswerOffered or ProgrammeClosed."""
    by: str
    """The unit by its id, or the person's name, that did it."""
    at: Instant
    """When it happened, in city time; the header `ce_time` says the same."""
    item: int | UnsetType = UNSET
    """The number of the problem or project; left out where it is about the whole programme."""
    item_title: str | UnsetType = UNSET
    """The problem or project in one line."""
    task: int | UnsetType = UNSET
    """The task's number in its programme; left out where it is about no single task."""
    task_title: str | UnsetType = UNSET
    """The task in one line."""
    due: date | UnsetType = UNSET
    """The task's last day in time."""
    standing: str | UnsetType = UNSET
    """How the task stands now: PLANNED, IN_PROGRESS, LONG_TERM_ONGOING, COMPLETE or VERIFIED."""
    review_on: date | UnsetType = UNSET
    """The day on which a long-term task is looked at next."""
    text: str | UnsetType = UNSET
    """The words that came with it: a reason, a plan, a finding, the answer that is offered."""
    offer: int | UnsetType = UNSET
    """The number of an offered answer in its programme."""
    complaints: tuple[ComplaintId, ...] | UnsetType = UNSET
    """The unit's own complaints that the answer is offered for."""
    complaint_numbers: tuple[str, ...] | UnsetType = UNSET
    """The numbers of these complaints in the same order, as a person reads them out and types them."""


class StoredNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as the programmes' log keeps it beside its fact."""

    unit: UnitId
    """The unit that hears it, on the topic of its orders."""
    body: msgspec.Raw


_stored: Final = msgspec.json.Decoder(list[StoredNotice])


def stored(notices: str) -> list[StoredNotice]:
    """The notices kept beside one fact; `msgspec.DecodeError` where they are none."""
    return _stored.decode(notices)
