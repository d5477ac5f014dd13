"""How soon each request by message, not by telephone, had its first response (A3). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.policy.ruleset import MessageRules
from shared.text import folded_code


class Message(NamedTuple):
    """One message that became a request."""

    channel: str
    sent_at: datetime
    answered_at: datetime
    """When an agent took it up; one exactly at its limit is in time."""


class Response(NamedTuple):
    """How the messages of a channel were responded to."""

    channel: str
    within: timedelta
    messages: int
    in_time: int
    average_seconds: float | None

    @property
    def rate(self) -> float | None:
        """In time of all; None where there were none (T14)."""
        return self.in_time / self.messages if self.messages else None


def _named(channel: str, rules: MessageRules) -> str:
    return folded_code(channel) if folded_code(channel) in rules.respond_within else channel


class ChannelSum(NamedTuple):
    """The messages of a channel, summed up."""

    channel: str
    messages: int
    waited: timedelta
    """All waits together."""
    in_time: dict[timedelta, int]
    """For each limit that the rules have how many waited no longer."""


def responses(messages: Iterable[Message], rules: MessageRules) -> list[Response]:
    """By channel, those the rules name first and also where nothing came on them."""
    limits = {*rules.respond_within.values(), rules.otherwise}
    sums: list[ChannelSum] = []
    for message in messages:
        wait = message.answered_at - message.sent_at
        sums.append(ChannelSum(message.channel, 1, wait, {limit: int(wait <= limit) for limit in limits}))
    return responses_of(sums, rules)


def responses_of(sums: Iterable[ChannelSum], rules: MessageRules) -> list[Response]:
    """The same of sums, in any order; several may be of one channel."""
    found = {
        channel: Response(
            channel=channel, within=rules.within(channel), messages=0, in_time=0, average_seconds=None
        )
        for channel in rules.respond_within
    }
    waited: dict[str, timedelta] = {}
    for one in sums:
        # The rules write theirs in small letters; SMS and sms are one.
        channel = _named(one.channel, rules)
        within = rules.within(channel)
        known = found.get(channel)
        messages, in_time = (0, 0) if known is None else (known.messages, known.in_time)
        waited[channel] = waited.get(channel, timedelta()) + one.waited
        messages += one.messages
        found[channel] = Response(
            channel=channel,
            within=within,
            messages=messages,
            in_time=in_time + one.in_time.get(within, 0),
            average_seconds=waited[channel].total_seconds() / messages if messages else None,
        )
    return list(found.values())
