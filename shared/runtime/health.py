"""Whether a process is live and ready, by what its parts last did: for whoever would start it again, or send it work.

A part is a door, the tick, the relay. It goes round: a batch taken, a look that found nothing. While PostgreSQL or
Kafka is away it waits and knows it; then starting it again would help nobody, but it is not ready.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from shared.runtime.patience import LIVE_SECONDS

READY_SECONDS: Final = 15.0
"""A part that goes round at all does so every second or two; a large batch under load may take longer."""


@dataclass(slots=True)
class _Part:
    at: float
    waits_for: str


class Health:
    """The parts of one process. Written by its loop, read by another thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """No parts yet; `clock` gives seconds."""
        self._clock = clock
        self._parts: dict[str, _Part] = {}
        self._stopped: dict[str, list[str]] = {}

    def expects(self, part: str) -> None:
        """There will be this part; it has not begun."""
        self._parts[part] = _Part(self._clock(), "its start")

    def works(self, part: str) -> None:
        """It went round just now."""
        self._parts[part] = _Part(self._clock(), "")

    def waits(self, what: str, *parts: str) -> None:
        """These parts (all, if none is named) go round and cannot work, for want of this."""
        now = self._clock()
        for part in parts or tuple(self._parts):
            self._parts[part] = _Part(now, what)

    def stops(self, part: str, topics: Iterable[str]) -> None:
        """These topics of a part wait for a person, and no others; what it hears of others goes on."""
        self._stopped[part] = sorted(topic or "every topic" for topic in topics)

    @property
    def live(self) -> bool:
        """Every part has gone round lately."""
        return self._within(LIVE_SECONDS)

    @property
    def ready(self) -> bool:
        """And none waits for anything."""
        return self._within(READY_SECONDS) and not any(part.waits_for for part in self._parts.values())

    def as_dict(self) -> dict[str, Any]:
        """The same for a reader: `live`, `ready`, each part with seconds since it went round, and what is stopped."""
        now = self._clock()
        return {
            "live": self.live,
            "ready": self.ready,
            "parts": {
                name: {
                    "seconds": round(now - part.at, 1),
                    "waits_for": part.waits_for or None,
                    **({"stopped": stopped} if (stopped := self._stopped.get(name)) else {}),
                }
                for name, part in self._parts.items()
            },
        }

    def _within(self, seconds: float) -> bool:
        now = self._clock()
        return all(now - part.at <= seconds for part in self._parts.values())


def answering(health: Health, otherwise: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """A WSGI application: `/live` and `/ready` with 200 or 503 and what is told; all else is `otherwise`'s."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path not in {"/live", "/ready"}:
            return otherwise(environ, start_response)
        good = health.live if path == "/live" else health.ready
        start_response(
            "200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")]
        )
        return [json.dumps(health.as_dict()).encode() + b"\n"]

    return app
