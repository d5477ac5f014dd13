"""A real Prometheus for a test, on the settings of the laptop's."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from deploy.embedded.child import free_ports
from deploy.watching import laptop
from tests.city import until
from tests.watching.conftest import program


class Prometheus:
    """See `open_prometheus`."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def asked(self, path: str, **how: Any) -> Any:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            answer = await client.get(f"{self.address}/api/v1/{path}", params=how)
        told = answer.json()
        assert told["status"] == "success", (how, told)
        return told["data"]

    async def series(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now."""
        found: list[dict[str, Any]] = (await self.asked("query", query=expression))["result"]
        return found

    async def value(self, expression: str) -> float:
        """The sum of what an expression gives now; 0 where that is nothing."""
        return sum(
            float(one["value"][1]) for one in await self.series(expression) if one["value"][1] != "NaN"
        )

    async def ups(self) -> set[str]:
        return {one["metric"]["job"] for one in await self.series("up == 1")}


@asynccontextmanager
async def open_prometheus(folder: Path, targets: Path, jobs: set[str]) -> AsyncIterator[Prometheus]:
    """It reads each second, and has read all of `jobs`."""
    (port,) = free_ports(1)
    command = laptop.command(program("prometheus"), folder, targets, port, seconds=1)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        made = Prometheus(f"http://127.0.0.1:{port}")

        async def all_up() -> bool:
            try:
                return await made.ups() >= jobs
            except (httpx2.TransportError, ValueError):
                return False

        await until(all_up, within=30, what="all processes read by Prometheus")
        yield made
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
