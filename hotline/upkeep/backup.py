"""A city's database as of one instant in a folder, and a city made from it, on this server or another.

docs/backup.md says what is in it, and what a restored city hears again.

Transaction ids mean nothing on another server, and the log tells by them what the relay has sent. So they are replaced
before anybody writes: below 3 no transaction of any server has an id, and a snapshot can say so.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec
from confluent_kafka.admin import AdminClient

from deploy.city.registry import City
from deploy.embedded.postgres import binary
from shared.log.reading import archive_held
from shared.runtime import kafka_address
from shared.runtime.errors import UserError

FORMAT: Final = 1
MANIFEST_FILE: Final = "backup.json"
DUMP_FILE: Final = "database.dump"
CATALOGUE_FILE: Final = "catalogue.json"
DATA_FOLDER: Final = "data"
"""Rule sets, calendars and other data of the city's own, where it has some."""

LIST_SECONDS_MAX: Final = 30
JOBS: Final = 2
"""Tables loaded and indexes built side by side."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The description that a backup carries."""

    format: int
    city: str
    made_at: datetime
    kafka_cluster: str
    """Which Kafka its offsets are of."""
    postgres: str
    complaints: int
    facts: int
    ruleset: str
    retention: bool
    """Whether its topics forget in time."""
    dump_sha256: str


# -- there


async def backup(city: City, to: Path, *, say: Callable[[str], None] = lambda _: None) -> Manifest:
    """Write the city's database as of now into a new folder, which is there whole or not at all; the city goes on.

    Raises `UserError` where the folder is there already, or what is to be read cannot be.
    """
    if to.exists():  # noqa: ASYNC240 -- before anything waits
        raise UserError(f"{to} is there already: a backup is a folder of its own.")
    endpoints = city.endpoints
    partial = to.with_name(f".{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=0o700, parents=True)
        dump = partial / DUMP_FILE
        async with (
            archive_held(endpoints.owner_dsn) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            (held,) = await connection.fetch(_HELD)
            say(f"{held['facts']:,} facts of {held['complaints']:,} complaints …")
            options = (
                "--format=custom",
                "--compress=gzip:1",
                "--no-owner",
                "--exclude-table-data=web.secret",  # whoever had the backup could sign for a sender
                f"--snapshot={held['snapshot']}",
                f"--file={dump}",
            )
            await _run("pg_dump", endpoints.owner_dsn, *options)
        manifest = Manifest(
            format=FORMAT,
            city=endpoints.name,
            made_at=datetime.now(UTC),
            kafka_cluster=await _cluster(endpoints.looks),
            postgres=held["postgres"],
            complaints=held["complaints"],
            facts=held["facts"],
            ruleset=city.ruleset,
            retention=city.served.retention,
            dump_sha256=await asyncio.to_thread(_sha256, dump),
        )
        if city.catalogue:
            shutil.copyfile(city.catalogue, partial / CATALOGUE_FILE)
        if city.policy:
            shutil.copytree(city.policy, partial / DATA_FOLDER)
        (partial / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        for file in (*partial.rglob("*"), partial):
            _sync(file)
        partial.rename(to)
        _sync(to.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def manifest_of(folder: Path) -> Manifest:
    """The description this backup carries; `UserError` where it is none, or of a later shape."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise UserError(f"{folder} is no backup: it holds no {MANIFEST_FILE}.") from None
    except msgspec.DecodeError as error:
        raise UserError(f"{folder / MANIFEST_FILE} cannot be read: {error}.") from None
    if manifest.format != FORMAT:
        raise UserError(f"{folder} is of format {manifest.format}, expected {FORMAT}.")
    return manifest


# -- and back


# -- programs and files


async def _run(program: str, dsn: str, *options: str) -> None:
    """One of PostgreSQL's programs; the password goes by the environment, a command line is everybody's to read."""
    found = shutil.which(binary(program)) or shutil.which(program)
    if found is None:
        raise UserError(f"{program} is not installed: run `uv sync` in the project's folder.")
    parts = urlsplit(dsn)
    named = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path[1:],
    }
    process = await asyncio.create_subprocess_exec(
        found,
        "--no-password",
        *options,
        env={**os.environ, **named},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        raise
    if process.returncode:
        lines = output.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise UserError(f"{program} failed: {next((line for line in lines if 'error' in line), lines[-1])}")


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return file_digest(source, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_HELD: Final = """
SELECT pg_export_snapshot() AS snapshot, current_setting('server_version') AS postgres,
       (SELECT count(*) FROM es.stream) AS complaints, (SELECT count(*) FROM es.fact) AS facts
"""


async def _cluster(kafka: str) -> str:
    def ask() -> str:
        admin = AdminClient(kafka_address.librdkafka(kafka))
        return str(admin.list_topics(timeout=LIST_SECONDS_MAX).cluster_id)

    return await asyncio.to_thread(ask)
