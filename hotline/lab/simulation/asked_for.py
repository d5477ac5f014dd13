"""What was asked for in a rehearsal, and what came of it: how often it was granted, how often refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from shared import events, inputs
from shared.events import Fact
from shared.inputs import Input


class Matter(NamedTuple):
    """One kind of wish: the input, and the facts that follow it."""

    said: type[Input]
    taken: type[Fact]
    """The wish on record; where a review decides, not yet granted."""
    granted: type[Fact]
    rejected: type[Fact] | None = None


MATTERS: Final[Mapping[str, Matter]] = {
    "withdrawals": Matter(inputs.WithdrawRequest, events.ComplaintWithdrawn, events.ComplaintWithdrawn),
    "supplements": Matter(inputs.SupplementRequest, events.RequestSupplemented, events.RequestSupplemented),
    "repeats": Matter(inputs.RepeatRequest, events.RequestRepeated, events.RequestRepeated),
    "returns": Matter(
        inputs.RequestReturn, events.ReturnRequested, events.ReturnApproved, events.ReturnRejected
    ),
    "disputes": Matter(inputs.RaiseDispute, events.DisputeRaised, events.DisputeRaised),
    "councils": Matter(inputs.DecideCouncil, events.CouncilDecided, events.CouncilDecided),
    "assignments": Matter(inputs.AssignOrder, events.OrderAssigned, events.OrderAssigned),
    "extensions": Matter(
        inputs.RequestExtension,
        events.ExtensionRequested,
        events.ExtensionApproved,
        events.ExtensionRejected,
    ),
    "pauses": Matter(inputs.RequestPause, events.PauseRequested, events.PauseApproved, events.PauseRejected),
    "terminations": Matter(
        inputs.RequestTermination,
        events.TerminationRequested,
        events.TerminationApproved,
        events.TerminationRejected,
    ),
    "whistles": Matter(inputs.BlowWhistle, events.WhistleBlown, events.WhistleBlown),
    "arrivals": Matter(inputs.ArriveAtWhistle, events.WhistleArrived, events.WhistleArrived),
    "answers_sent_back": Matter(inputs.SendBackAnswer, events.AnswerSentBack, events.AnswerSentBack),
    "exclusions": Matter(
        inputs.RequestExclusion,
        events.ExclusionRequested,
        events.ExclusionApproved,
        events.ExclusionRejected,
    ),
    "supervision": Matter(inputs.DecideSupervision, events.SupervisionDecided, events.SupervisionDecided),
}
"""Every wish that a rehearsal counts, by its name."""


class AskedFor(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of wish, counted. What was neither granted nor refused was overtaken by the life."""

    asked: int
    granted: int
    refused: int
    """By a desk's rule at once, or by a review."""


def asked_for(said: Mapping[str, int], facts: Mapping[str, int]) -> dict[str, AskedFor]:
    """Every kind of wish, from the acknowledged inputs by CloudEvents type and the facts by name."""
    return {name: _counted(matter, said, facts) for name, matter in MATTERS.items()}


def _counted(matter: Matter, said: Mapping[str, int], facts: Mapping[str, int]) -> AskedFor:
    asked = said.get(matter.said.TYPE, 0)
    rejected = 0 if matter.rejected is None else facts.get(matter.rejected.__name__, 0)
    return AskedFor(
        asked=asked,
        granted=facts.get(matter.granted.__name__, 0),
        refused=asked - facts.get(matter.taken.__name__, 0) + rejected,
    )
