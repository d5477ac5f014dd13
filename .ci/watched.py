"""Asks the watchers of a deployed city at their own doors: `watched.py COMPLAINT PROCESS…`.

Zipkin must show the life of a closed complaint as one trace, with spans of every desk that decided in it. Prometheus
must read every process. Exit code 1 and a sentence where one of both does not come about in time.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

ZIPKIN: Final = "http://127.0.0.1:9411/api/v2"
PROMETHEUS: Final = "http://127.0.0.1:9090/api/v1"
DECIDED: Final = {"intake", "dispatch", "feedback"}
"""The desks of a life that is solved in its first round."""
SECONDS_MAX: Final = 60.0
"""Prometheus looks every 15 s; a span waits 5 s to be sent."""


def asked(address: str) -> Any:
    """The answer as JSON; None where nothing is known of it."""
    try:
        with urlopen(address, timeout=10) as answer:  # noqa: S310 -- our own addresses
            return json.load(answer)
    except HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return None
        raise


def until(what: str, ask: Callable[[], str]) -> None:
    """Ask until there is an answer, and print it."""
    give_up_at = time.monotonic() + SECONDS_MAX
    while not (answer := ask()):
        if time.monotonic() > give_up_at:
            raise SystemExit(f"not within {SECONDS_MAX:.0f} s: {what}")
        time.sleep(1)
    print(answer, flush=True)


def traced(complaint: str) -> str:
    """Gives what Zipkin shows of this life; the complaint's own 128 bits are its trace's."""
    spans = asked(f"{ZIPKIN}/trace/{complaint.replace('-', '')}") or []
    by = Counter(span["localEndpoint"]["serviceName"] for span in spans)
    told = ", ".join(f"{number} of {name}" for name, number in sorted(by.items()))
    return (
        f"Zipkin shows {complaint} as one trace of {len(spans)} spans: {told}" if by.keys() >= DECIDED else ""
    )


def read(processes: list[str]) -> str:
    """That Prometheus reads every one of these processes."""
    rows = asked(f"{PROMETHEUS}/query?query=up")["data"]["result"]
    up = {row["metric"]["job"] for row in rows if row["value"][1] == "1"}
    return f"Prometheus reads {', '.join(sorted(processes))}" if up >= set(processes) else ""


def main() -> None:
    """Ask both."""
    complaint, *processes = sys.argv[1:]
    until(f"a trace of {complaint}", lambda: traced(complaint))
    until(f"figures of {', '.join(processes)}", lambda: read(processes))


if __name__ == "__main__":
    main()
