"""The facts that leave the log for another topic, and to whom: as the topics' `carries` and the facts say.

A refusal goes to whoever asked, and so does the notice of a parking: to the line that the speaker's own names as
its `results`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from shared.events import REFUSALS, SPEAKERS, Fact
from shared.topic_names import speaker_of
from shared.topics import COMPLAINTS_LOG, TOPICS, Topic

_REMEMBERED: Final = 4096
"""Topics of speakers whose results' topic is remembered: a city has some hundreds."""
_LINES: Final = {line.name: line for line in TOPICS}


def _sent(kind: type[Fact]) -> Iterator[tuple[Topic, str | None]]:
    for topic in TOPICS:
        if kind in topic.carries and topic is not COMPLAINTS_LOG:
            yield from ((topic, field) for field in (kind.TELLS if topic.per_unit else (None,)))


OUTWARD: Final[dict[str, tuple[tuple[Topic, str | None], ...]]] = {
    kind.__name__: sent for kind in SPEAKERS if kind not in REFUSALS and (sent := tuple(_sent(kind)))
}
"""The topics of a fact besides the log. For a unit's topic also the field that names the unit; nothing is
sent where that field is empty. Refusals are not in it: they go by whose word they answer."""


@lru_cache(_REMEMBERED)
def results_of(topic: str, prefix: str) -> tuple[Topic, str] | None:
    """The line and the full name of the topic on which the speaker of this topic hears what came of its word.

    A login that speaks on a topic of its own hears on one of its own, a unit on that of its orders. None where
    nobody outside speaks on it.
    """
    for line in TOPICS:
        if not line.results:
            continue
        try:
            speaker = speaker_of(topic, prefix, line)
        except ValueError:
            continue
        results = _LINES[line.results]
        if results.per_unit:
            return results, prefix + results.of(speaker)
        return results, f"{prefix}{results.name}.{speaker}" if speaker else prefix + results.name
    return None
