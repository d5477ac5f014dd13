"""The common part of Kafka, PostgreSQL and Zipkin: how each is prepared, started, asked and stopped."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from deploy.embedded.child import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from signal import Signals


class Server(Protocol):
    """One part of a stack; it keeps no state, so any process may ask about it."""

    @property
    def name(self) -> str:
        """Give its name in `stack.json`."""

    @property
    def label(self) -> str:
        """Give its name as its makers write it."""

    @property
    def version(self) -> str:
        """Give the version that runs."""

    @property
    def port_names(self) -> tuple[str, ...]:
        """Name the ports it needs; the first is the one its clients use."""

    @property
    def needed(self) -> bool:
        """Say whether the services cannot do without it; who is not needed is not waited for."""

    @property
    def start_seconds_max(self) -> float:
        """Give the longest start that may still end well."""

    @property
    def stop_signal(self) -> Signals:
        """Give the signal that ends it in order."""

    @property
    def stop_seconds_max(self) -> float:
        """Give the longest orderly end."""

    @property
    def orphan_signal(self) -> Signals:
        """Give the signal that ends it at once, leaving nothing behind."""

    async def prepare(self, ports: Mapping[str, int]) -> None:
        """Write its settings, and make its data if there is none; safe to interrupt and repeat."""

    def become(self) -> tuple[str, ...]:
        """Give what stands before the command so that it runs as somebody else; mostly nothing."""

    def command(self, ports: Mapping[str, int]) -> tuple[str, ...]:
        """Give the command that runs it in the foreground."""

    def output(self) -> Path:
        """Give the file its output goes to."""

    async def answers(self, ports: Mapping[str, int]) -> bool:
        """Ask it something only a ready server answers; False if not, within two seconds."""

    def last_words(self) -> str:
        """Give the line of its log that says best what is wrong; empty if none says an error."""


def plain_env() -> dict[str, str]:
    """Give the environment a part runs in.

    Only what every program needs: a JAVA_TOOL_OPTIONS, PGDATA or QUERY_PORT that is set for
    something else on this machine would change our parts by surprise.
    """
    needed = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    kept = {name: os.environ[name] for name in needed if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "TZ": "UTC"}


async def accepts(port: int) -> bool:
    """Say whether somebody listens on a loopback port."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
    return False


async def run_to_end(command: tuple[str, ...], *, env: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run a short command, give its exit code and all it said; it does not outlive a cancelled caller."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(env),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return process.returncode or 0, output.decode(errors="replace")


def last_line(log: Path) -> str:
    """Give a log's last line; empty where there is none."""
    return next(reversed(_lines(log)), "")[:300]


def last_error(log: Path, *, among: tuple[str, ...], but: tuple[str, ...] = ()) -> str:
    """Give a log's last line that holds one of the words `among`, and none of `but`; empty where none does."""
    told = [
        line
        for line in _lines(log)
        if any(word in line for word in among) and not any(word in line for word in but)
    ]
    return next(reversed(told), "")[:300]


def _lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65_536))
            said = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in said if line.strip()]
