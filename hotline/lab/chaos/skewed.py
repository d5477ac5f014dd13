"""A desk whose clock is wrong: `python -m hotline.lab.chaos.skewed SECONDS MODULE` runs a service by that clock.

The system's clock belongs to all processes, so it is this process's own view of it that is moved.
"""

from __future__ import annotations

import runpy
import sys
import time
from datetime import UTC, datetime, timedelta

from shared.runtime import clock


def run(seconds: float, module: str) -> None:
    """Run the module with a clock so far ahead (or behind)."""
    told, skew = time.time, timedelta(seconds=seconds)

    def now(self: clock.SystemClock) -> datetime:
        del self
        return datetime.now(UTC) + skew

    clock.SystemClock.now = now  # type: ignore[method-assign]
    time.time = lambda: told() + seconds
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    run(float(sys.argv[1]), sys.argv[2])
