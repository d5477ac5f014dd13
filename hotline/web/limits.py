"""The limits of the HTTP door, by name and unit; what a message may hold stands in `shared.cloudevents`."""

from __future__ import annotations

from typing import Final

BODY_BYTES_MAX: Final = 1024 * 1024
"""The largest body: a batch of some hundred events."""
BATCH_EVENTS_MAX: Final = 500
"""Events in one batch. All of them are checked before any is sent."""
DEPTH_MAX: Final = 32
"""How deep JSON may be nested; our inputs nest three deep."""
BODY_SECONDS_MAX: Final = 10.0
"""How long a body may take to arrive; a client that sends a byte a second gives its connection back then."""
HEAD_SECONDS_MAX: Final = 10.0
"""How long the head of a request may take to arrive, and a connection may say nothing at first."""
HEAD_BYTES_MAX: Final = 64 * 1024
"""The largest head. The server keeps it in memory until it is whole."""
CONNECTIONS_MAX: Final = 2_000
"""Connections of one listener, and answers it works on; one more is answered 503 at once."""
KEEP_ALIVE_SECONDS: Final = 5
"""How long an idle connection is kept."""
STOP_SECONDS: Final = 5
"""How long answers that are under way may take once the process is told to stop."""
OUTCOME_SECONDS_MAX: Final = 5.0
"""How long an act waits for its outcome; later the answer is 202 with a link."""
KAFKA_SECONDS_MAX: Final = 10.0
"""How long Kafka may take to acknowledge; later the answer is 503, and the same event again has one effect."""
AGAIN_SECONDS: Final = 2
"""After how long a client may send again what could not be done just now."""
READ_SECONDS_MAX: Final = 10.0
"""How long one statement of a reading may take."""
CAUGHT_UP_SECONDS_MAX: Final = 1.0
"""How long a list waits until it holds what was in the log when it was asked for."""
READINGS_MAX: Final = 8
"""Connections to PostgreSQL; more readings wait for their turn."""
KEY_KNOWN_SECONDS: Final = 2.0
"""How long a key is believed without asking again: a revoked one is refused after so long."""
KEY_TRUSTED_SECONDS: Final = 900.0
"""How long a key that was known is believed while PostgreSQL is away."""
KEYS_KNOWN_MAX: Final = 10_000
"""Keys that are remembered."""
KEY_USED_SECONDS: Final = 60.0
"""How often the last use of keys is written down."""
RATE_PER_SECOND: Final = 100
"""Events and requests a second of a key, where nobody says otherwise: a city of 20 million has some 5 calls."""
BURST_SECONDS: Final = 10
"""So many seconds' worth may come at once, and a whole batch always."""
STRANGERS_PER_SECOND: Final = 5
"""Requests a second without a valid key, from one address."""
STRANGERS_BURST: Final = 50
"""So many of them may come at once."""
GUESS_ADDRESS_SECONDS: Final = 6.0
"""One wrong attempt to open a citizen's page, from one address."""
GUESS_ADDRESS_BURST: Final = 20
"""So many of them may come at once: people behind one address, and typing errors."""
GUESS_NUMBER_SECONDS: Final = 2.0
"""One wrong attempt to open the page of one number, from wherever."""
GUESS_NUMBER_BURST: Final = 30
"""So many of them may come at once."""
SAID_SECONDS: Final = 6.0
"""One act of a citizen on one page."""
SAID_BURST: Final = 20
"""So many of them may come at once."""
LINK_SECONDS_MAX: Final = 2.0
"""How long the link of a request may take to be made; the answer then has none, and the same again gives one."""
RATED_MAX: Final = 100_000
"""Keys, addresses and numbers whose rate is remembered; then those that are at rest are forgotten."""
SIGNED_SECONDS_MAX: Final = 300
"""How far the time of a signature may be from now: the window in which a request may be replayed."""
SIGNATURES_MAX: Final = 8
"""Signatures of a request that are looked at; a sender that changes its secret sends two."""
SECRETS_MAX: Final = 4
"""Secrets of a key that are valid at once."""
HEARTBEAT_SECONDS: Final = 15.0
"""How often a stream says that it is still there: proxies cut an idle one."""
STREAM_SECONDS_MAX: Final = 600.0
"""How long a stream lasts; its client comes again where it was, and its key is looked at anew."""
STREAMS_MAX: Final = 200
"""Streams of one process; each has a connection to Kafka."""
PAGE_MAX: Final = 200
"""Rows of a page of a list."""
LIST_ROWS: Final = 50
"""Rows of a page, where nobody says otherwise."""
REASON_MAX: Final = 500
"""Characters of the reason for which a unit reads a protected contact."""
ENTRIES_MAX: Final = 1_000
"""Entries of a timeline: the newest."""
