"""Production knows no clock but its own present, and one place says what time it is in a city."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).parents[2]

LABORATORY = re.compile(r"rehears|conductor|city_clock|city_fire", re.IGNORECASE)
"""Words for a time that somebody moves."""

LAST_THAT_KNEW = "0042"
"""The migration that took the moved clock out of the schema; those before it are history."""

MACHINE_TIME = {
    "deploy/embedded/child.py": "how old a process is",
    "hotline/cli/status.py": "how long a process has run",
    "hotline/cli/supervisor.py": "when the supervisor said a line of its log",
    "hotline/client.py": "a record's stamp, as a broker would set it",
    "hotline/web/city_clock.py": "real time, as long as the city's database does not say another one",
    "hotline/web/app.py": "how old a signature is, which its sender stamped by a machine too",
    "hotline/web/judging.py": "a record's stamp, as a broker would set it",
    "hotline/web/pages/operations/watch.py": "since when a process does not answer",
    "hotline/upkeep/backup.py": "when a backup was made",
    "hotline/upkeep/restore.py": "when the restored log was anchored",
}
"""Where the machine's time is meant, and for what; whatever else asks for the present asks the city."""


def _production() -> list[Path]:
    files = [file for folder in ("services", "shared", "deploy") for file in (ROOT / folder).rglob("*")]
    return [
        file
        for file in files
        if file.suffix in {".py", ".sql", ".toml", ".json"}
        and not (file.parent.name == "migrations" and file.name[:4] <= LAST_THAT_KNEW)
    ]


def test_no_production_file_mentions_a_time_that_is_moved() -> None:
    files = _production()
    assert len(files) > 100
    found = [str(file.relative_to(ROOT)) for file in files if LABORATORY.search(file.read_text("utf-8"))]
    assert found == []


def test_the_machines_time_is_read_only_where_it_is_meant() -> None:
    """`test_rooms.py` says the same of desks and shared code."""
    readers = {
        str(file.relative_to(ROOT))
        for folder in ("hotline", "deploy")
        for file in (ROOT / folder).rglob("*.py")
        if "lab" not in file.relative_to(ROOT).parts
        and re.search(r"datetime\.now\(|time\.time\(|date\.today\(|SystemClock\(", file.read_text("utf-8"))
    }
    assert readers == set(MACHINE_TIME)


_OBJECTS = """
SELECT format('%s %s.%s', kind, schema, name) AS object, text FROM (
    SELECT 'relation' AS kind, n.nspname AS schema, c.relname AS name,
           coalesce((SELECT string_agg(a.attname, ' ') FROM pg_attribute a WHERE a.attrelid = c.oid), '') || ' ' ||
           coalesce(pg_get_viewdef(CASE WHEN c.relkind IN ('v', 'm') THEN c.oid END), '') AS text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'function', n.nspname, p.proname, p.prosrc || ' ' || coalesce(array_to_string(p.proargnames, ' '), '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    UNION ALL
    SELECT 'trigger', n.nspname, t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
) o WHERE schema <> 'information_schema' AND schema NOT LIKE 'pg\\_%'
"""


@pytest.mark.connected
async def test_no_object_of_a_production_database_knows_a_time_that_is_moved(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(_OBJECTS)
        schemas = {row[0] for row in await connection.fetch("SELECT nspname FROM pg_namespace")}
    finally:
        await connection.close()
    assert len(rows) > 100
    assert "lab" not in schemas
    assert [row["object"] for row in rows if LABORATORY.search(f"{row['object']} {row['text']}")] == []
