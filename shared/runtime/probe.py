"""`python -m shared.runtime.probe live|ready` asks the process of this container, for an engine without HTTP probes.

It takes the ports from the settings of that process: every variable that ends in `_METRICS_PORT`. Exit code 0: each
answers well, or there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Final

SECONDS_MAX: Final = 4.0
OK: Final = 200


def ports(environment: Mapping[str, str]) -> list[int]:
    """The fixed ports that the settings name; 0 and -1 are none that could be asked."""
    told = {value for name, value in environment.items() if name.endswith("_METRICS_PORT")}
    return sorted(int(value) for value in told if value.isdecimal() and int(value) > 0)


def ask(port: int, what: str) -> str:
    """The reason why a process is not live or ready; "" where it is."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
    try:
        connection.request("GET", f"/{what}")
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        return f"port {port} does not answer: {error}"
    finally:
        connection.close()
    return "" if answer.status == OK else f"port {port}: {said}"


def main(what: str) -> int:
    """Ask all; prints why not."""
    reasons = [reason for port in ports(os.environ) if (reason := ask(port, what))]
    for reason in reasons:
        sys.stderr.write(reason + "\n")
    return 1 if reasons else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["live"], ["ready"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
