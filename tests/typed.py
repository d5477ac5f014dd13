"""A command as it is typed, where a stack is up already, for what only shows when whole programs run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from tests.forked import run

PROJECT: Final = Path(__file__).resolve().parents[1]


def environment_on(stack: Path) -> dict[str, str]:
    """What a command of this project needs around it to find the stack in this folder, and no other setting."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return {**kept, "PYTHONPATH": str(PROJECT), "HOTLINE_STACK": str(stack), "COLUMNS": "200"}


def typed_json(stack: Path, *words: str) -> dict[str, Any]:
    """What `hotline WORDS --json` prints on the stack in this folder; it must end well."""
    done = run([*words, "--json"], env=environment_on(stack), folder=stack.parent, seconds=600)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
