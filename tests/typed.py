"""A command as it is typed, in a folder of its own, for what only shows when whole programs run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).resolve().parents[1]


def typed_json(folder: Path, *words: str) -> dict[str, Any]:
    """What `hotline WORDS --json` prints; it must end well."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    done = subprocess.run(
        [sys.executable, "-m", "hotline", *words, "--json"],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
