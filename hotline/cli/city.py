"""`hotline city`: the folder of a city's own data, an example of it and a check."""

from __future__ import annotations

import json as json_module
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from hotline.cli.run import Json, answer, fail
from hotline.terminal import say, say_json

city = typer.Typer(
    help="Write and check the folder of a city's own data, which `hotline up --data` takes in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")
_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of the city's data.")]


@city.command()
def new(
    folder: _Folder,
    name: Annotated[str, typer.Option(help="How its versions begin; else as the folder is called.")] = "",
    *,
    json: Json = False,
) -> None:
    """Write a small city that holds into a new folder, to be changed into one's own."""
    from hotline.own_city.example import write

    called = name or folder.resolve().name
    if not _NAME.fullmatch(called):
        fail(f"--name: '{called}', expected letters, digits, _ and -, a letter first.", code=2)
    files = write(folder, called)
    answer(
        f"{folder}: {', '.join(files)}. Change them, then `hotline city check {folder}`.",
        json=json,
        folder=str(folder),
        files=files,
    )


@city.command()
def check(folder: _Folder, *, json: Json = False) -> None:
    """Say all that is wrong with a city's folder, each with file and line; exit code 1 where anything is.

    Nothing needs to run, and nothing is changed.
    """
    from hotline.own_city.check import checked

    if not folder.is_dir():
        fail(f"FOLDER: '{folder}' is no folder: `hotline city new {folder}` makes one.", code=2)
    found = checked(folder)
    if json:
        rows = [one._asdict() for one in found.findings]
        say_json(json_module.dumps({"holds": not rows, "findings": rows}, ensure_ascii=False, indent=2))
    else:
        for one in found.findings:
            say(one.said(folder))
        known = found.catalogue
        if found.findings or known is None:
            files = len({one.file for one in found.findings})
            say(
                f"Findings: {len(found.findings)}, in files: {files}. No city can be opened with this folder."
            )
        else:
            streets = sum(len(one.streets) for one in known.districts.values())
            held = (
                f"{len(found.texts)} files, {len(known.units)} units, {len(known.districts)} districts",
                f"{streets} streets and towns, {len(known.subjects)} subjects, {len(found.staff)} people",
            )
            say(f"{folder} holds: {', '.join(held)}.")
    if found.findings:
        raise typer.Exit(1)
