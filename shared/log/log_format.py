"""Which format of the log this version reads: what facts are called, and how their values read."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from shared.runtime.errors import UserError

LOG_FORMAT: Final = 2
"""The same number as in the newest migration that changes `es.log_format`."""

_FORMAT: Final = "SELECT es.log_format()"


async def must_be_read_here(connection: asyncpg.Connection[Any]) -> None:
    """Raises `UserError` where a version with another format wrote the log: nothing translates it."""
    try:
        found = await connection.fetchval(_FORMAT)
    except asyncpg.UndefinedFunctionError:
        found = None
    if found != LOG_FORMAT:
        raise UserError(
            f"Another version wrote this log (its format is {found or 1}, and this version reads {LOG_FORMAT}): "
            "use that version, or make the city anew."
        )
