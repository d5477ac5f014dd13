"""Counts the wishes of a rehearsal: how often each was asked for, granted and refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from shared import events, inputs
from shared.events import Fact
from shared.inputs import Input


class Wish(NamedTuple):
    """One kind of wish: the input, and the facts that follow it."""

    said: type[Input]
    taken: type[Fact]
    """The wish on record; where a review decides, not yet granted."""
    granted: type[Fact]
    rejected: type[Fact] | None = None


WISHES: Final[Mapping[str, Wish]] = {
    "withdrawals": Wish(inputs.WithdrawRequest, events.ComplaintWithdrawn, events.ComplaintWithdrawn),
    "supplements": Wish(inputs.SupplementRequest, events.RequestSupplemented, events.RequestSupplemented),
    "repeats": Wish(inputs.RepeatRequest, events.RequestRepeated, events.RequestRepeated),
    "returns": Wish(
        inputs.RequestReturn, events.ReturnRequested, events.ReturnApproved, events.ReturnRejected
    ),
    "disputes": Wish(inputs.RaiseDispute, events.DisputeRaised, events.DisputeRaised),
    "councils": Wish(inputs.DecideCouncil, events.CouncilDecided, events.CouncilDecided),
    "assignments": Wish(inputs.AssignOrder, events.OrderAssigned, events.OrderAssigned),
    "extensions": Wish(
        inputs.RequestExtension,
        events.ExtensionRequested,
        events.ExtensionApproved,
        events.ExtensionRejected,
    ),
    "pauses": Wish(inputs.RequestPause, events.PauseRequested, events.PauseApproved, events.PauseRejected),
    "terminations": Wish(
        inputs.RequestTermination,
        events.TerminationRequested,
        events.TerminationApproved,
        events.TerminationRejected,
    ),
    "whistles": Wish(inputs.BlowWhistle, events.WhistleBlown, events.WhistleBlown),
    "arrivals": Wish(inputs.ArriveAtWhistle, events.WhistleArrived, events.WhistleArrived),
    "answers_sent_back": Wish(inputs.SendBackAnswer, events.AnswerSentBack, events.AnswerSentBack),
    "exclusions": Wish(
        inputs.RequestExclusion,
        events.ExclusionRequested,
        events.ExclusionApproved,
        events.ExclusionRejected,
    ),
    "supervision": Wish(inputs.DecideSupervision, events.SupervisionDecided, events.SupervisionDecided),
}
"""Every wish that a rehearsal counts, by its name."""


class AskedFor(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of wish, counted. The life overtook those that were neither granted nor refused."""

    asked: int
    granted: int
    refused: int
    """By a desk's rule at once, or by a review."""


def asked_for(said: Mapping[str, int], facts: Mapping[str, int]) -> dict[str, AskedFor]:
    """Every kind of wish, from the acknowledged inputs by CloudEvents type and the facts by name."""
    return {name: _counted(wish, said, facts) for name, wish in WISHES.items()}


def _counted(wish: Wish, said: Mapping[str, int], facts: Mapping[str, int]) -> AskedFor:
    asked = said.get(wish.said.TYPE, 0)
    rejected = 0 if wish.rejected is None else facts.get(wish.rejected.__name__, 0)
    return AskedFor(
        asked=asked,
        granted=facts.get(wish.granted.__name__, 0),
        refused=asked - facts.get(wish.taken.__name__, 0) + rejected,
    )
