"""Where a benchmark ran, so that its figures can be compared with others."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import psutil

LIBRARIES: Final = ("aiokafka", "asyncpg", "faststream", "msgspec", "opentelemetry-sdk")
IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Machine, versions and commit."""

    processor: str
    cores: int
    memory_bytes: int
    file_system: str
    """Of the stack's folder: in one that lies in memory fsync costs nothing and the figures flatter."""
    versions: dict[str, str]
    commit: str
    """With `+` behind it where the working tree held more than the commit; empty outside a repository."""


def machine_of(folder: Path, servers: Mapping[str, str]) -> Machine:
    """This machine; `servers` are the versions of what the stack runs."""
    return Machine(
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        file_system=_file_system(folder),
        versions={
            "python": platform.python_version(),
            **servers,
            **{name: version(name) for name in LIBRARIES},
        },
        commit=_commit(),
    )


def _processor() -> str:
    """The model's name; Linux keeps it in a file, elsewhere Python knows."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _file_system(folder: Path) -> str:
    real = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if real.is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 -- our own words
            ["git", "-C", str(Path(__file__).parent), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if commit and git("status", "--porcelain", "-uno") else "")
    except FileNotFoundError:  # no git here
        return ""
