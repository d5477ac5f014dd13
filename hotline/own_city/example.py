"""A small city that holds, to start one's own from: made-up places, the example's rules under a version of its own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from hotline.own_city import layout
from shared.policy.ruleset import ruleset_text
from shared.runtime.errors import UserError
from shared.text_file import quoted
from shared.versions import CALENDAR, RULESET

_NAME: Final = "NAME"
_PLACE_OF_BEIJING: Final = "arrival_in"
"""The only value of the example's rule set that names a district."""
_HEAD: Final = """\
# The rules of NAME: a copy of the example rule set OF under a version of its own, to be changed.
#
# Change a value together with its line under [basis], which says where it comes from. Once complaints are born under
# a version, change nothing in it: write a new version, and say it to `hotline up --data`.
#
# "2h" and "15min" are exact; "7d" ends at 24:00 local of the seventh day after the start day.
"""


def example(name: str) -> Mapping[str, str]:
    """The texts of the files of such a folder, by their names."""
    folder = files("hotline").joinpath("own_city/example")
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()}
    texts[layout.CALENDAR] = (
        files("shared").joinpath(f"data/calendar/{CALENDAR}.json").read_text(encoding="utf-8")
    ).replace(f'"version": "{CALENDAR}"', f'"version": "{_NAME}-1"')
    texts[layout.RULESET] = _ruleset()
    return {file: text.replace(_NAME, name) for file, text in texts.items()}


def _ruleset() -> str:
    _, _, rest = ruleset_text(RULESET).partition(f'version = "{RULESET}"\n')
    blocks = rest.split("\n\n")
    kept = "\n\n".join(
        block for block in blocks if not block.startswith(f"[whistle.JOINT_ENFORCEMENT.{_PLACE_OF_BEIJING}")
    )
    lines = [line for line in kept.split("\n") if f"{_PLACE_OF_BEIJING}." not in line]
    head = _HEAD.replace(" OF ", f" {RULESET} ")
    return f'{head}\nversion = "{_NAME}-1"\n' + "\n".join(lines)


def write(folder: Path, name: str) -> list[str]:
    """Write the example into a folder that is new or empty; the names of its files.

    `UserError` where something is in it already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{quoted(folder)} is not empty: expected a new folder. Nothing was written.")
    folder.mkdir(parents=True, exist_ok=True)
    texts = example(name)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    return sorted(texts)
