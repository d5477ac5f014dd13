"""Writes a page that is made of the code, or says that it is not what the code says any more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def write_or_check(text: Callable[[], str], *, module: str, about: str, made_of: str) -> int:
    """Run the command `python -m MODULE [--check] FILE`; 1 where FILE is not what `made_of` says.

    `about`: the docstring of the module, whose first line is its help.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    file: Path = arguments.file
    made = text()
    if not arguments.check:
        file.write_text(made, encoding="utf-8")
        return 0
    if file.exists() and file.read_text(encoding="utf-8") == made:
        return 0
    print(f"{file} is not what the {made_of} say: run `python -m {module} {file}`", file=sys.stderr)
    return 1
