"""Zipkin, the trace viewer: one jar, everything in memory."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from deploy.embedded.child import LOOPBACK
from deploy.embedded.server import last_error
from deploy.embedded.wheels import java

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from signal import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Zipkin:
    """The trace viewer of a stack's folder; it forgets its traces when it stops."""

    name: ClassVar[str] = "zipkin"
    label: ClassVar[str] = "Zipkin"
    port_names: ClassVar[tuple[str, ...]] = ("zipkin",)
    needed: ClassVar[bool] = False
    start_seconds_max: ClassVar[float] = 180.0
    """As Kafka's; only who measures waits for it at all."""
    stop_signal: ClassVar[Signals] = signal.SIGKILL  # nothing to save, and it would drain for two seconds
    stop_seconds_max: ClassVar[float] = 5.0
    orphan_signal: ClassVar[Signals] = signal.SIGKILL

    version: str
    folder: Path
    jars: Sequence[Path]

    async def prepare(self, ports: Mapping[str, int]) -> None:
        """Do nothing: it has no data and no settings file."""

    def become(self) -> tuple[str, ...]:
        """Stay who we are."""
        return ()

    def command(self, ports: Mapping[str, int]) -> tuple[str, ...]:
        """Give the java command; QUERY_PORT would bind every interface, Armeria's ports do not."""
        (jar,) = self.jars
        return (
            *("nice", "-n", "10"),  # a viewer never takes a core from what it views
            str(java()),
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # a third less work to start
            f"-Darmeria.ports[0].ip={LOOPBACK}",
            f"-Darmeria.ports[0].port={ports['zipkin']}",
            "-Darmeria.ports[0].protocols[0]=http",
            "-jar",
            str(jar),
        )

    def output(self) -> Path:
        """Give its log."""
        return self.folder / "logs" / "zipkin.log"

    async def answers(self, ports: Mapping[str, int]) -> bool:
        """Ask for its health over HTTP."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(LOOPBACK, ports["zipkin"])
                try:
                    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        return False

    def last_words(self) -> str:
        """Give the last error of its log."""
        return last_error(self.output(), among=("ERROR", "Exception"))
