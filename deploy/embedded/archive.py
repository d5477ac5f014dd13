"""Kafka's classes as Java has read and checked them, in one file beside the jars: a start costs a third with it.

Nothing needs the file: where there is none, or it is of other jars or another Java, the classes are read anew. Making
it takes half a minute, so that pays for who starts Kafka many times: `python -m deploy.embedded.archive`, as `make
test` does.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.embedded import child, parts
from deploy.embedded.errors import StackError
from deploy.embedded.kafka import Kafka, archive_file
from deploy.embedded.server import plain_env, run_to_end
from deploy.embedded.starting import Starter
from deploy.embedded.state import read_state

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAP_MB: Final = 256


async def make() -> bool:
    """Make the file where there is none that fits; True if it was made. Raises `StackError`."""
    await asyncio.to_thread(parts.fetch, [parts.kafka()], print)
    jars = parts.kafka().paths()
    target = archive_file()
    with tempfile.TemporaryDirectory(prefix="hotline-classes-") as work:
        kafka = Kafka(version=parts.kafka().version, folder=Path(work), jars=jars, heap_mb=HEAP_MB)
        fits = (*kafka.java("-XX:+UseSerialGC"), "-Xshare:on", "-version")
        if target.exists() and await _ends_well(fits, Path(work)):
            return False
        target.unlink(missing_ok=True)
        names = Path(work) / "classes"
        await _list_classes(kafka, names)
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        dump = ("-Xshare:dump", f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={fresh}")
        if not await _ends_well((*kafka.java("-XX:+UseSerialGC"), *dump), Path(work)):
            raise StackError("Java did not write Kafka's classes down; tests run without them, only slower.")
        fresh.replace(target)
    return True


async def _ends_well(command: Sequence[str], folder: Path) -> bool:
    code, _ = await run_to_end(tuple(command), env=plain_env(), folder=folder)
    return code == 0


async def _list_classes(kafka: Kafka, names: Path) -> None:
    """Start a broker once and write down which classes it took; it writes them when it ends."""
    listing = replace(kafka, options=(f"-XX:DumpLoadedClassList={names}",))
    await Starter(kafka.folder, (listing,), die_with_parent=True).have_running(listing, lambda _: None)
    running = read_state(kafka.folder).running[kafka.name]
    await child.stop(running, kafka.stop_signal, patience_seconds=kafka.stop_seconds_max)


if __name__ == "__main__":
    asyncio.run(make())
