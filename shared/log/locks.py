"""Every advisory lock of a city's database, so that no two things take the same one.

An owner holds its lock for the life of its connection. Its first number is its class; the second tells shard and
database, for advisory locks of one database are seen by all of a server. The names stand in migrations too.
Beside these, `es.append` locks complaints by `hashtextextended` of their id.
"""

from __future__ import annotations

from typing import Final

RELAY: Final = 12345
"""The class of a relay's shard."""
TIMERS: Final = 12346
"""The class of a shard of the timers (escalation)."""
ANCHORS: Final = 12347
"""The class of the anchors' writer."""
PROJECTOR: Final = 12348
"""The class of the projector of the read side."""
TRACES: Final = 12349
"""The class of what states lives to a trace viewer."""

TRY_SHARD: Final = "SELECT pg_try_advisory_lock($1, hashint4($2) # hashtext(current_database()))"
"""$1: the class, $2: the number of the shard; true where it is ours from now on."""
TRY_ONE: Final = "SELECT pg_try_advisory_lock($1, hashtext(current_database()))"
"""$1: the class of what has one owner a city; true where it is ours from now on."""

ROLES: Final = "hashtext('hotline.roles')"
"""Roles belong to the server: one city at a time makes them (migrations 0007 and 0013)."""
SCORES: Final = "hashtext('hotline.scores')"
"""One ranking at a time is brought up to date."""
VIEWS: Final = "hashtext('hotline.upkeep.rebuild')"
"""One rebuild, or moves into the archive, not both. Migration 0010 has one more, `hotline.archive`: the archive stands
still while the whole log is read. Migration 0023 has one a programme."""
