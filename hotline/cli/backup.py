"""`hotline backup` and `hotline restore`: a city's database into a folder, and a city made from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, fail, run
from hotline.terminal import note, say, say_record

if TYPE_CHECKING:
    from hotline.upkeep.restore import Restored


def backup(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    *,
    json: Json = False,
) -> None:
    """Write the city's database as of now into a folder; the city may go on meanwhile."""
    from deploy.city.registry import city_up
    from hotline.upkeep.backup import backup as made
    from shared.times import shown, zone_of

    manifest = run(made(city_up(), to, say=_say), interrupted="Stopped: there is no backup.")
    if json:
        say_record(manifest)
        return
    made_at = shown(manifest.made_at, zone_of(manifest.ruleset), seconds=True)
    say(f"{to}: {manifest.facts:,} facts of {manifest.complaints:,} complaints, as of {made_at}")


def restore(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder that `hotline backup` made.", file_okay=False)
    ],
    city: Annotated[str, typer.Option(help="Another name than the city had.")] = "",
    *,
    json: Json = False,
) -> None:
    """Make a city from a backup, on this stack; `hotline up` opens it."""
    from deploy.city.registry import supervised
    from shared.times import shown, zone_of

    if supervised():
        fail("A city is up on this stack: `hotline down` first.")
    restored = run(
        _restored(folder, city), interrupted="Stopped: nothing of it is left but what had started."
    )
    if json:
        say_record(restored)
        return
    made_at = shown(restored.made_at, zone_of(restored.ruleset), seconds=True)
    say(f"City '{restored.city}' is as it was at {made_at}: {restored.facts:,} facts.")
    if restored.same_kafka:
        say(f"Its desks go on in the topics they were in; {restored.sent_again:,} facts wait to be sent.")
    else:
        told = f"{restored.sent_again:,} facts, those of open lives and what was not sent,"
        say(f"Its topics begin anew: {told} are told again.")
    again = "up" if restored.city == "hotline" else f"up --city {restored.city}"
    say(f"`hotline {again}` opens it; then `hotline verify`. docs/backup.md says what is promised.")


async def _restored(folder: Path, city: str) -> Restored:
    import shutil
    from dataclasses import replace

    from deploy.city.registry import CITY_NAME, City, city_folder, remember_city
    from deploy.city.registry import folder as stack_folder
    from deploy.embedded.open_listener import listeners, reached
    from deploy.embedded.stack import Stack
    from hotline.lab.desks.city import served_in
    from hotline.own_city.kept import current_in, with_kept
    from hotline.upkeep.backup import CATALOGUE_FILE, DATA_FOLDER, manifest_of
    from hotline.upkeep.restore import restore as made
    from shared.policy.catalogue import catalogue

    manifest = manifest_of(folder)
    name = city or manifest.city
    if not CITY_NAME.fullmatch(name):
        fail(f"--city: '{name}', expected a name like 'hotline': small letters, digits and _.", code=2)
    current_in(folder)  # facts of the backup name versions of the city's own
    kept = folder / CATALOGUE_FILE
    units = catalogue(str(kept) if kept.exists() else "").units
    addresses = await Stack(stack_folder(), listeners=listeners()).up(_say)
    endpoints, restored = await made(addresses, folder, name, units, say=_say)
    home = city_folder(name)
    home.mkdir(parents=True, exist_ok=True)
    path = home / "catalogue.json"
    if kept.exists():
        path.write_bytes(kept.read_bytes())
    if (folder / DATA_FOLDER).is_dir():
        shutil.copytree(folder / DATA_FOLDER, home / DATA_FOLDER, dirs_exist_ok=True)
    restored_city = City(
        endpoints=replace(endpoints, reached=reached(stack_folder())),
        served=await served_in(endpoints.owner_dsn),
        ruleset=manifest.ruleset,
        catalogue=str(path) if kept.exists() else "",
        logs=str(home / "logs"),
    )
    remember_city(with_kept(restored_city, home))
    return restored


def _say(text: str) -> None:
    note(text)
