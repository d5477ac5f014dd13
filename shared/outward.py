"""Which facts leave the log for another topic as well, and to whom: as the topics' `carries` and the facts say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.events import SPEAKERS, Fact
from shared.topics import COMPLAINTS_LOG, TOPICS, Topic


def _sent(kind: type[Fact]) -> Iterator[tuple[Topic, str | None]]:
    for topic in TOPICS:
        if kind in topic.carries and topic is not COMPLAINTS_LOG:
            yield from ((topic, field) for field in (kind.TELLS if topic.per_unit else (None,)))


OUTWARD: Final[dict[str, tuple[tuple[Topic, str | None], ...]]] = {
    kind.__name__: sent for kind in SPEAKERS if (sent := tuple(_sent(kind)))
}
"""The topics of a fact besides the log. For a unit's topic also the field that names the unit; nothing is
sent where that field is empty."""
