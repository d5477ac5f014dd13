"""A small disk for the log, to be filled and freed: a file system in memory, where this machine lets us mount one."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.embedded.server import plain_env, run_to_end

SIZE_MB: Final = 3072
"""Room for the WAL PostgreSQL keeps (2 GB at most) and what a night of chaos writes."""
_FILLER: Final = "filler"


class Disk:
    """A mounted folder of `SIZE_MB`."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where; made by `mount`."""
        self._folder = folder

    async def mount(self) -> bool:
        """Whether this machine let us; only root may."""
        if os.geteuid() != 0 or shutil.which("mount") is None:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        options = f"size={SIZE_MB}m,mode=711"
        return await self._run("mount", "-t", "tmpfs", "-o", options, "hotline-chaos", str(self._folder))

    async def unmount(self) -> None:
        """Give the memory back."""
        await self._run("umount", str(self._folder))
        with suppress(OSError):
            self._folder.rmdir()

    def take_in(self, data: Path) -> None:
        """Move a folder onto the disk; where it was stands a link."""
        there = self._folder / data.name
        shutil.copytree(data, there, symlinks=True)
        for path in (data, *data.rglob("*")):
            owner = path.lstat()
            os.chown(there / path.relative_to(data), owner.st_uid, owner.st_gid, follow_symlinks=False)
        shutil.rmtree(data)
        data.symlink_to(there)

    def fill(self) -> None:
        """Leave not one byte."""
        with (self._folder / _FILLER).open("wb", buffering=0) as file:
            for size in (1 << 24, 1 << 16, 1 << 12):
                while self._free() >= size:
                    file.write(bytes(size))

    def free(self) -> None:
        """As it was."""
        (self._folder / _FILLER).unlink(missing_ok=True)

    def _free(self) -> int:
        told = os.statvfs(self._folder)
        return told.f_bavail * told.f_frsize

    async def _run(self, *command: str) -> bool:
        code, _ = await run_to_end(command, env=plain_env(), folder=Path("/"))
        return code == 0


async def filled(disk: Disk, seconds: float) -> None:
    """Full for so long; what writes meanwhile fails, and is written when there is room again."""
    await asyncio.to_thread(disk.fill)
    try:
        # The loop also takes space that PostgreSQL frees by itself meanwhile.
        for _ in range(max(1, round(seconds))):
            await asyncio.sleep(1)
            await asyncio.to_thread(disk.fill)
    finally:
        disk.free()
