"""Somebody in a folder of his own who types `hotline …`, as a person does: every step is a process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil

from deploy.city.registry import City, remembered
from deploy.embedded.kafka import QUICKLY_COMPILED
from tests.forked import run

PROJECT: Final = Path(__file__).resolve().parents[1]
PATIENCE: Final = 6
"""A busy machine takes longer than a quiet one: a test fails when it took this many times as long."""


def environment() -> dict[str, str]:
    """What a person's shell hands on, with the project importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return {**kept, "PYTHONPATH": str(PROJECT), "COLUMNS": "160", "JDK_JAVA_OPTIONS": QUICKLY_COMPILED}


class Shell:
    """Somebody in a folder who types `hotline …`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = folder / ".stack"
        self.noted = ""
        """Standard error of the last command with `--json`: notes for a person."""

    def __call__(self, *words: str, code: int = 0, typed: str | None = None) -> str:
        """Type it and give all that is read on the terminal; it must end with this code.

        With `--json` it is standard output alone, as a program reads it. `typed`: what it reads from
        standard input; else there is none.
        """
        together = "--json" not in words or code != 0
        found = run(words, env=environment(), folder=self.folder, told=typed or "", together=together)
        assert found.returncode == code, f"{words}: {found.returncode}\n{found.stdout}{found.stderr}"
        assert "Traceback" not in found.stdout + found.stderr
        self.noted = found.stderr
        return found.stdout

    def number_of(self, complaint: str) -> str:
        """The complaint's number, which a person reads out and types."""
        return str(json.loads(self("show", complaint, "--json"))["complaint_number"])

    def city(self) -> City:
        """The city as `hotline up` remembers it."""
        city = remembered(self.stack)
        assert city is not None
        return city

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this folder and is alive."""
        known: list[dict[str, Any]] = []
        for file, key in (("stack.json", "running"), ("services.json", "services")):
            if (self.stack / file).exists():
                known += json.loads((self.stack / file).read_text())[key].values()
        if (self.stack / "services.json").exists():
            supervisor = json.loads((self.stack / "services.json").read_text())["supervisor"]
            known += [supervisor] if supervisor else []
        return [psutil.Process(entry["pid"]) for entry in known if psutil.pid_exists(entry["pid"])]


def until(ask: Callable[[], Any], *, within: float = 30.0) -> Any:
    """Ask until the answer is true."""
    give_up_at = time.monotonic() + within * PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < give_up_at, (
            f"not within {within * PATIENCE} s; the last answer was {answer!r}"
        )
        time.sleep(0.1)
    return answer
