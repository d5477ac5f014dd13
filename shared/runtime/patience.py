"""How long each part may need by itself, and how long others then wait before they judge it.

Two limits that depend on each other stand here side by side. A limit on one side of a door is derived from the limit on
the other side, so that neither can be changed alone. Everybody else takes them from here.
"""

from __future__ import annotations

from typing import Final

# -- what a part needs by itself

SESSION_SECONDS: Final = 10.0
"""After how long without a heartbeat Kafka gives a consumer's partitions to others."""

REQUEST_SECONDS: Final = 10.0
"""How long a producer waits for one answer of a broker."""

SEND_SECONDS: Final = 1.5 * REQUEST_SECONDS
"""How long the relay waits until what it sent is acknowledged; then it takes a new producer."""

STATEMENT_SECONDS: Final = 60.0
"""How long one statement may take in PostgreSQL; then the connection is given up and opened again."""

METADATA_SECONDS: Final = 30.0
"""After how long a client asks Kafka again which topics there are: so soon it hears one that was made meanwhile."""

OFFSETS_IDLE_SECONDS: Final = 1.0
"""After how long a desk writes down its place where messages had no effect."""

TICK_SECONDS: Final = 0.2
"""How often escalation looks at the clock. The next look finds a limit that is over, however that came about."""

FINISH_SECONDS: Final = 5.0
"""How long a desk that is told to stop goes on with the batch in hand."""

GOODBYE_SECONDS: Final = FINISH_SECONDS + 1.0
"""How long a desk that is told to stop takes to finish its batch and to leave its group."""

# -- what others wait for

BY_ITSELF_SECONDS: Final = max(
    SESSION_SECONDS + OFFSETS_IDLE_SECONDS,  # partitions of a process that died, taken over
    2 * SEND_SECONDS,  # a broker that does not answer the relay, nor at once its new producer
    METADATA_SECONDS + SESSION_SECONDS,  # a new topic: its hearer learns of it and shares its partitions out
    TICK_SECONDS,
)
"""The longest for which a process that is well may have work and make no step."""

STILL_SECONDS: Final = 1.25 * BY_ITSELF_SECONDS
"""A process that had work for so long and made no step hangs, and is ended (`deploy/supervision/watchman.py`)."""

REPORTED_SECONDS: Final = 5.0 * max(OFFSETS_IDLE_SECONDS, TICK_SECONDS)
"""After so long without a step `hotline status` says that work waits; it ends nobody."""

LIVE_SECONDS: Final = 1.5 * STATEMENT_SECONDS
"""A part of a process that has not gone round for so long is not live (`/live`)."""

STOP_SECONDS: Final = GOODBYE_SECONDS + 2.0
"""How long a process that is told to stop is given before it is killed."""

HUNG_SERVER_SECONDS: Final = 2.0 * SESSION_SECONDS
"""A Kafka or a PostgreSQL that does not answer for so long is started again."""

HAND_SECONDS: Final = STILL_SECONDS + 30.0
"""Work that has not gone on by then needs a person: the patience for a process that hangs, and a start of it."""
