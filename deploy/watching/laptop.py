"""A Prometheus of the laptop's own: found, not brought. It reads the targets of one city, and follows its rules."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from deploy.watching.rules import groups

PROGRAM: Final = "prometheus"
MISSING: Final = (
    "Prometheus is not on this machine: `apt-get install --no-install-recommends prometheus` brings it on Debian, "
    "`brew install prometheus` on a Mac."
)
SCRAPE_SECONDS: Final = 5
KEPT: Final = "15d"
SETTINGS: Final = "prometheus.json"
RULES: Final = "rules.json"
DATA: Final = "data"


def found() -> str | None:
    """Where Prometheus is; None where it is not."""
    return shutil.which(PROGRAM)


def settings(targets: Path, *, seconds: int = SCRAPE_SECONDS) -> dict[str, Any]:
    """Its settings: the files of this folder say whom it reads, each `seconds` seconds."""
    return {
        "global": {"scrape_interval": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": [RULES],
        "scrape_configs": [
            {
                "job_name": "hotline",
                "file_sd_configs": [{"files": [f"{targets.absolute()}/*.json"], "refresh_interval": "15s"}],
            }
        ],
    }


def command(
    program: str, folder: Path, targets: Path, port: int, *, seconds: int = SCRAPE_SECONDS
) -> Sequence[str]:
    """Write its settings into this folder; the command that starts it there, on this port of loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SETTINGS).write_text(json.dumps(settings(targets, seconds=seconds), indent=1), encoding="utf-8")
    (folder / RULES).write_text(json.dumps({"groups": groups()}, indent=1), encoding="utf-8")
    return (
        program,
        f"--config.file={folder / SETTINGS}",
        f"--storage.tsdb.path={folder / DATA}",
        f"--storage.tsdb.retention.time={KEPT}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    )
