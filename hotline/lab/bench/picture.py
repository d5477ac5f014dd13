"""Pictures of a result: matplotlib's figure with the machine, the versions and the commit beneath."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hotline.lab.bench.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure(title: str) -> Figure:
    """An empty figure; raises `ImportError` without matplotlib."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(10, 4.5), layout="constrained")
    made.suptitle(title)
    return made


def save(drawn: Figure, result: Result, path: Path) -> None:
    """Write it as an SVG with where it was measured beneath."""
    machine = result.machine
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    trust = f"; others took {result.others_share:.0%}" if result.others_share else ""
    drawn.supxlabel(
        f"{machine.cores} x {machine.processor}, {machine.memory_bytes / 2**30:.0f} GiB, commit "
        f"{machine.commit or 'unknown'}{trust}\n{versions}",
        fontsize=7,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, format="svg", metadata={"Date": None})
