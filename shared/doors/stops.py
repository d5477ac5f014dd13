"""Which topics of a door wait for a person: most of what came there could not be taken in.

A speaker has a topic of its own (`shared/doors/heard.py`). So one topic stops, and all others of its door go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final

from shared.desk import Desk
from shared.doors.parking_limit import Share
from shared.log import Incoming, Parked
from shared.runtime.settings import CommonSettings

WHOLE: Final = ""
"""In the place of a topic: the whole door. So stands what was stopped before topics were stopped one by one."""

_TOPIC: Final = attrgetter("topic")

Patiently = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Does something of the log's, however long PostgreSQL is away."""


class TooMuchParked(Exception):  # noqa: N818 -- a decision, not an error
    """These topics of a batch must stop, and nothing of it was written."""

    def __init__(self, topics: Container[str]) -> None:
        """`topics`: those that must stop."""
        super().__init__()
        self.topics = topics


class Stops:
    """The topics of one door: what was parked of their last messages, and which of them are not heard."""

    def __init__(self, desk: Desk, door: str, settings: CommonSettings) -> None:
        """Nothing is stopped until the log says so (`look`)."""
        self._log = desk.log
        self._telemetry = desk.telemetry
        self._door = door
        self._window = settings.parked_window
        self._share_max = settings.parked_share_max
        self._shares: dict[str, Share] = {}
        self._stopped: dict[str, str] = {}
        """By topic, why; `WHOLE` means every topic."""
        self._due: dict[str, str] = {}
        """Topics that must stop and do not yet, each with the reason."""

    def __bool__(self) -> bool:
        """Whether anything of this door is stopped."""
        return bool(self._stopped)

    def hears(self, topic: str) -> bool:
        """Whether this topic is heard."""
        return not self._stopped or not (topic in self._stopped or WHOLE in self._stopped)

    # -- what a batch comes to

    def must_stop(self, messages: Sequence[Incoming], parked: Sequence[Parked]) -> Container[str]:
        """The topics of a batch of which too much would be set aside, before it is written; they are due then."""
        heard = Counter(map(_TOPIC, messages))
        aside = Counter(one.message.topic for one in parked)
        example = {one.message.topic: one.reason for one in parked}
        found = {
            topic: f"{why}; the last of them: {example[topic]}"
            for topic, number in aside.items()
            if (why := self._share(topic).too_much(heard[topic], number)) is not None
        }
        self._due |= found
        return found.keys()

    def add(self, messages: Sequence[Incoming], parked: Mapping[str, int]) -> None:
        """A batch is written, and so much of each topic was set aside: what must stop now is due."""
        for topic, number in Counter(map(_TOPIC, messages)).items():
            share, aside = self._share(topic), parked.get(topic, 0)
            share.add(number, aside)
            if aside and (why := share.too_much()) is not None:
                self._due[topic] = why

    # -- stopped, and going on

    async def stop_due(self, patiently: Patiently) -> Container[str]:
        """Stop what is due, for every process of the desk and over restarts; these topics."""
        due, self._due = self._due, {}
        for topic, why in due.items():
            await patiently(partial(self._log.stop_door, self._door, topic, why))
            self._stops(topic, why)
        return due.keys()

    async def look(self, patiently: Patiently, topics: Iterable[str]) -> tuple[Container[str], set[str]]:
        """Learn which topics other processes have stopped and which a person has resumed.

        `topics` are all topics of the door. Returns the newly stopped and the resumed ones.
        """
        now: Mapping[str, str] = await patiently(partial(self._log.door_stopped, self._door))
        stopped, resumed = now.keys() - self._stopped.keys(), self._stopped.keys() - now.keys()
        for topic in stopped:
            self._stops(topic, now[topic])
        for topic in resumed:
            self._goes_on(topic, topics)
        return stopped, resumed

    def _stops(self, topic: str, why: str) -> None:
        self._stopped[topic] = why
        self._telemetry.count("door.stopped", label=self._door)
        self._telemetry.log.error(
            "door_stopped", door=self._door, topic=topic, reason=why, resume="hotline parked resume"
        )
        self._show()

    def _goes_on(self, topic: str, topics: Iterable[str]) -> None:
        del self._stopped[topic]
        for one in topics if topic == WHOLE else (topic,):
            self._share(one).pardon()
        self._telemetry.log.warning("door_resumed", door=self._door, topic=topic)
        self._show()

    def _show(self) -> None:
        self._telemetry.metrics.show("door.stopped_topics", len(self._stopped), self._door)
        self._telemetry.health.stops(self._door, self._stopped)

    def _share(self, topic: str) -> Share:
        share = self._shares.get(topic)
        if share is None:
            share = self._shares[topic] = Share(self._window, self._share_max)
        return share
