"""Files that are generated: how they are written, and whether those in git are what would be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

WIDTH: Final = 110


def text(documents: Iterable[Mapping[str, Any]], said: str) -> str:
    """YAML documents under a comment that says where they come from."""
    return "".join(f"# {line}\n" for line in said.splitlines()) + dumped(documents)


def dumped(documents: Iterable[Any]) -> str:
    """YAML documents; a text of several lines stands as it is."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Ours: the library keeps how a type is written in the class."""

    def written(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, written)
    told: str = yaml.dump_all(
        [_plain(document) for document in documents],
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=WIDTH,
    )
    return told


def _plain(value: Any) -> Any:
    """The same without objects that two places share: YAML would write one of them as a reference."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files, by their paths below the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def differing(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Those that are missing or are not what would be written, and files of that kind which nothing writes."""
    wrong = [name for name, content in files.items() if not _is(folder / name, content)]
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*.yaml")}
    return sorted({*wrong, *(kept - files.keys())})


def _is(path: Path, content: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == content
