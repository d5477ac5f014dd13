"""The meters of the benchmark: a process that ends meanwhile is named."""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import pytest

from hotline.lab.bench.meter import Meter, spent
from shared.runtime.errors import UserError

pytestmark = pytest.mark.connected


async def test_a_process_that_ends_while_it_is_measured_is_named(database: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    connection = await asyncpg.connect(database)
    try:
        meter = Meter({"dispatch": process.pid}, connection)
        first = await meter.read()
        assert set(spent(first, await meter.read()).cpu_seconds) >= {"dispatch"}
        process.kill()
        await process.wait()
        with pytest.raises(UserError, match="^dispatch ended while it was measured"):
            await meter.read()
    finally:
        await connection.close()
