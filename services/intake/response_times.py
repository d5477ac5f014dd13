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


def responses(messages: Iterable[Message], rules: MessageRules) -> list[Response]:
    """By channel, those the rules name first and also where nothing came on them."""
    by_channel: dict[str, list[timedelta]] = {channel: [] for channel in rules.respond_within}
    for message in messages:
        # The rules write theirs in small letters; SMS and sms are one.
        by_channel.setdefault(_named(message.channel, rules), []).append(
            message.answered_at - message.sent_at
        )
    return [
        Response(
            channel=channel,
            within=(within := rules.within(channel)),
            messages=len(waits),
            in_time=sum(wait <= within for wait in waits),
            average_seconds=sum(waits, timedelta()).total_seconds() / len(waits) if waits else None,
        )
        for channel, waits in by_channel.items()
    ]
