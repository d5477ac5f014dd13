"""Where a city keeps rule sets and calendars of its own, beside those that ship with the project.

Facts name a version for ever (T23). So a city keeps every version that it was ever given, each as a file of its name:
`rulesets/VERSION.toml` and `calendar/VERSION.json`. A process serves one city; its settings name the folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.text_file import text_of

RULESETS: Final = "rulesets/{version}.toml"
CALENDARS: Final = "calendar/{version}.json"
_folders: Final[list[Path]] = []


def look_in(folder: str | Path) -> None:
    """From now on versions are also looked for in this folder; an empty path is none."""
    if str(folder) and (path := Path(folder).absolute()) not in _folders:
        _folders.append(path)


def own_versions(kind: str) -> list[str]:
    """The versions that are kept, of `RULESETS` or `CALENDARS`."""
    found: set[str] = set()
    for folder in _folders:
        pattern = folder / kind
        if pattern.parent.is_dir():
            found |= {one.stem for one in pattern.parent.iterdir() if one.suffix == pattern.suffix}
    return sorted(found)


def own_text(kind: str, version: str) -> str:
    """The text of a version that is kept; `FileUnreadable` where none is."""
    files = [folder / kind.format(version=version) for folder in _folders]
    file = next((one for one in files if one.is_file()), Path(kind.format(version=version)))
    return text_of(file, "a version of the city's own")
