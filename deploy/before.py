"""The release before this one, built from history into an environment of its own: for a try of both at once.

`deploy/upgrade.toml` names its commit. Two releases share a city while a deployment goes on. It migrates the schema
first and then replaces one process after another.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.runtime.errors import UserError

PROJECT: Final = Path(__file__).parents[1]
UPGRADE_FILE: Final = PROJECT / "deploy" / "upgrade.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The release before, as it lies in a folder."""

    commit: str
    tree: Path
    """Its files; processes start here."""
    python: Path
    """The interpreter of its environment."""


def commit_before() -> str:
    """The commit of the release before."""
    told: str = tomllib.loads(UPGRADE_FILE.read_text(encoding="utf-8"))["before"]["commit"]
    return told


def in_history(commit: str) -> bool:
    """Whether this clone's history reaches back to the commit."""
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        return False
    done = subprocess.run(  # noqa: S603 -- a commit of our own file
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=PROJECT, capture_output=True, check=False
    )
    return done.returncode == 0


def build(folder: Path) -> Before:
    """Lay its files into this folder and make its environment; blocks. `UserError` where the history is away."""
    commit = commit_before()
    if not in_history(commit):
        raise UserError(f"The history of this clone does not hold {commit}, which {UPGRADE_FILE.name} names.")
    tree = folder / commit
    before = Before(commit=commit, tree=tree, python=tree / ".venv" / "bin" / "python")
    if before.python.exists():
        return before
    tree.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{commit}.tar"
    _run(PROJECT, "git", "archive", "--format=tar", f"--output={archive}", commit)
    with tarfile.open(archive) as files:
        files.extractall(tree, filter="data")
    archive.unlink()
    uv = Path(sys.executable).with_name("uv")
    _run(
        tree,
        str(uv),
        "sync",
        "--quiet",
        "--frozen",
        "--no-dev",
        "--no-install-project",
        "--python",
        sys.executable,
    )
    return before


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    if done.returncode:
        raise UserError(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-400:]}")
