"""A process we started: found again by whoever comes later, and never confused with another.

A process id alone is not a name: the kernel gives it to somebody else after a while. So a child is
remembered with the instant it started, and only a process with both is ours to signal.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from signal import Signals

POLL_SECONDS: Final = 0.05
LOOPBACK: Final = "127.0.0.1"

_UNLESS_ORPHANED: Final = '[ "$PPID" = "$0" ] || exit 0; exec "$@"'
"""A parent that ended before the kernel knew of the signal would never be followed: then nothing is started."""

_HAS_PROC: Final = Path("/proc/self/stat").exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process by its id and the instant it started."""

    pid: int
    started: str


# Our own children. The table keeps them, so that a dead one is reaped. It also keeps Popen from being collected while
# its process is meant to live on.
_popens: dict[Child, Started] = {}


class Started(Protocol):
    """A process we started, as `Popen` gives it."""

    pid: int

    def poll(self) -> int | None:
        """Give the code with which it ended; None while it runs."""


@atexit.register
def _reap() -> None:
    """Ask once more for those that somebody else ended: Popen warns of a child nobody has asked for."""
    for popen in _popens.values():
        popen.poll()


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    folder: Path,
    dies_with_parent_by: Signals | None,
    become: Sequence[str] = (),
) -> Child:
    """Start a process in a session of its own, its output appended to the log.

    With `dies_with_parent_by` the kernel sends that signal when the *thread* that called this ends, by whatever cause.
    So call it from a thread that lives as long as the process. That is Linux only; elsewhere the parent has to stop its
    children itself. `become` stands before the command to run it as somebody else; it comes first, because a change of
    user takes that signal away.
    """
    prefix = tuple(become)
    setpriv = shutil.which("setpriv")
    if dies_with_parent_by is not None and setpriv is not None:
        prefix += (setpriv, "--pdeathsig", dies_with_parent_by.name.removeprefix("SIG"))
        prefix += ("sh", "-c", _UNLESS_ORPHANED, str(os.getpid()))
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603 -- our own commands
            [*prefix, *command],
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us: we stop the children, in order
        )
    return keep(popen)


def keep(started: Started) -> Child:
    """Take a process we started as a child of ours: it is reaped, and the way it ended is known."""
    child = Child(pid=started.pid, started=_started(started.pid) or "")
    _popens[child] = started
    return child


def myself() -> Child:
    """Give the process that asks."""
    return Child(pid=os.getpid(), started=_started(os.getpid()) or "")


def is_alive(child: Child) -> bool:
    """Say whether this very process still runs; a zombie does not."""
    popen = _popens.get(child)
    if popen is not None:
        return popen.poll() is None
    if not child.started or _started(child.pid) != child.started:
        return False
    try:
        return bool(psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def age_seconds(child: Child) -> float:
    """Say how long ago a living process started; 0 for one that is gone."""
    try:
        return max(0.0, time.time() - float(psutil.Process(child.pid).create_time()))
    except psutil.Error:
        return 0.0


def how_it_ended(child: Child) -> str:
    """Say how one of our own children ended, as in "with code 1" or "by SIGKILL"."""
    code = popen.poll() if (popen := _popens.get(child)) is not None else None
    if code is None:
        return "without a word"
    return f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"


async def stop(child: Child, first: Signals, *, patience_seconds: float) -> bool:
    """Ask the process to end, then end it; True if it went by itself."""
    for signal_number, seconds in ((first, patience_seconds), (signal.SIGKILL, 5.0)):
        if not is_alive(child):
            return True
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal_number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not is_alive(child):
                return signal_number is first
            await asyncio.sleep(POLL_SECONDS)
    return False


def free_ports(count: int) -> list[int]:
    """Ask the kernel for ports nobody uses, all different."""
    with ExitStack() as open_until_all_are_known:
        found = []
        for _ in range(count):
            probe = open_until_all_are_known.enter_context(socket.socket())
            probe.bind((LOOPBACK, 0))
            found.append(int(probe.getsockname()[1]))
        return found


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _started(pid: int) -> str | None:
    """Give the instant a process started, in a form that a changed wall clock does not change."""
    if _HAS_PROC:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # The name in brackets may hold spaces; the start, in ticks since boot, is the 20th after it.
        return f"{_boot_id()}:{stat.rpartition(')')[2].split()[19]}"
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return None


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()[:8]
