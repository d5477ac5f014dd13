"""Commands about requests: record, correct, supplement, repeat, rate or withdraw one."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from shared.events.base import (
    RequestType,
    TurnedAway,
    Urgency,
)
from shared.inputs.base import (
    FOLDED,
    Attachments,
    Code,
    Count,
    Evidence,
    GivenLimit,
    Identifier,
    Input,
    Name,
    Text,
    Uuid,
    Words,
)
from shared.rfc3339 import Told
from shared.wording import NAME


class RecordRequest(Input, frozen=True, kw_only=True):
    """An agent, the web or an app put a request on record; the event's time is when it was received."""

    TYPE: ClassVar[str] = "hotline.request.record.v1"

    request_id: Identifier
    call_id: Identifier | None = None
    channel: Name = "phone"
    request_type: RequestType
    subject: Name
    urgency: Urgency = Urgency.GENERAL_7D
    district: Name
    street: Name | None = None
    address: Annotated[str, msgspec.Meta(max_length=400)] = ""
    title: Words
    content: Text = ""
    recorded_by: Words = "agent"
    article_id: Code | None = None
    """The knowledge article the agent answered a CONSULT from; then nothing is dispatched (B2)."""
    article_version: Count = 1
    given_due_at: GivenLimit | None = None
    """A limit that came with the request; used only under a rule set with `limits_given`."""
    anonymous: bool = False
    """Nobody knows who it was; nobody can be asked afterwards."""
    confidential: bool = False
    """No unit may learn who it was (A5)."""
    matter_of: Identifier | None = None
    """The same speaker's request in which another citizen brought the same matter up first."""
    matter_of_complaint: Uuid | None = None
    """Or that citizen's complaint, whoever recorded it."""
    another_matter: bool = False
    """It is not what another record of the same call, of the same kind, subject and place, is about (T7)."""
    turned_away: TurnedAway | None = None
    """It is not accepted, pointed elsewhere, or an emergency; then nothing is dispatched."""
    turned_away_to: Annotated[str, msgspec.Meta(max_length=200, description=FOLDED, extra=NAME)] = ""
    """The channel the citizen was sent to; for an emergency the service's number."""
    turned_away_reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    retaliation_by: Code | None = None
    """The unit that retaliates, by its id: then it is a confidential report for municipal supervision (R9)."""
    retaliation_about: Identifier | None = None
    """The same speaker's request for which it does."""
    retaliation_about_complaint: Uuid | None = None
    """Or the complaint for which it does, whoever recorded it."""
    attachments: Attachments = ()
    """Pictures, recordings, videos (R6), kept elsewhere."""
    sent_at: Told | None = None
    """When the citizen sent it, where it is no call; the event's time is that of the first response (A3)."""


class AboutRequest(Input, frozen=True, kw_only=True):
    """Said of a request that is on record."""

    request_id: Identifier | None = None
    """The number that the same speaker gave the request; else `complaint_id` names it, exactly one of both does."""
    complaint_id: Uuid | None = None
    """The complaint's own number, whoever recorded it."""


class WithdrawRequest(AboutRequest, frozen=True, kw_only=True):
    """The citizen takes the request back; it counts when it reaches us, whatever time the event claims."""

    TYPE: ClassVar[str] = "hotline.request.withdraw.v1"

    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class CorrectRequest(AboutRequest, frozen=True, kw_only=True):
    """Correct the record where it is not what the citizen said; only the fields that change are given."""

    TYPE: ClassVar[str] = "hotline.request.correct.v1"

    title: Words | None = None
    content: Text | None = None
    address: Annotated[str, msgspec.Meta(max_length=400)] | None = None
    subject: Name | None = None
    """Of subject, district and street: an order that is not signed moves to the unit they name now. After
    that it moves only by a return or a reviewer's act."""
    district: Name | None = None
    street: Name | None = None
    no_street: bool = False
    """No street is known; then `street` is not given."""
    corrected_by: Words


class SupplementRequest(AboutRequest, frozen=True, kw_only=True):
    """The citizen has more to say."""

    TYPE: ClassVar[str] = "hotline.request.supplement.v1"

    text: Evidence
    recorded_by: Words = "agent"
    attachments: Attachments = ()


class RepeatRequest(AboutRequest, frozen=True, kw_only=True):
    """The matter of a request that is on record was brought up again."""

    TYPE: ClassVar[str] = "hotline.request.repeat.v1"

    repeat_id: Identifier | None = None
    """The call or message in which it was brought up again; for another citizen that one's own request."""
    repeat_complaint: Uuid | None = None
    """Or another citizen's own complaint, whoever recorded it."""
    another_citizen: bool = False
    note: Annotated[str, msgspec.Meta(max_length=400)] = ""
    recorded_by: Words = "agent"


class GiveRating(AboutRequest, frozen=True, kw_only=True):
    """Give the citizen's rating of the handling, whenever he likes; never taken for the answer to a visit."""

    TYPE: ClassVar[str] = "hotline.rating.give.v1"

    satisfied: bool
    comment: Annotated[str, msgspec.Meta(max_length=400)] = ""
    channel: Name = "web"
