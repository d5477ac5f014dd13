"""`deploy/migrations/README.md`: where each object of the database stands, and which role may call which act.

Nothing in its tables is written by hand: the migrations are run one by one on an empty database, and after each the
catalogue is compared with the one before. `python -m tests.migration_table` writes the page, on a stack of its own.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from deploy.embedded.stack import Addresses

FOLDER: Final = Path(__file__).parents[1] / "deploy" / "migrations"
PAGE: Final = FOLDER / "README.md"
BEGIN: Final = "<!-- from here on written by `python -m tests.migration_table` -->"
SCHEMAS: Final = "'es', 'intake', 'vault', 'read', 'web'"

# Of each object all that a migration can change of it. A table's indexes, triggers and comments are its own.
_CATALOGUE: Final = f"""
SELECT 'function ' || n.nspname || '.' || p.proname AS name,
       string_agg(pg_get_functiondef(p.oid), E'\\n' ORDER BY p.oid) AS said
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ({SCHEMAS}) GROUP BY 1
UNION ALL
SELECT 'sequence ' || q.schemaname || '.' || q.sequencename, concat_ws(' ', q.data_type, q.increment_by, q.cache_size)
FROM pg_sequences q WHERE q.schemaname IN ({SCHEMAS}) AND NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.objid = format('%I.%I', q.schemaname, q.sequencename)::regclass AND d.deptype = 'i')
UNION ALL
SELECT 'view ' || c.oid::regclass, pg_get_viewdef(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ({SCHEMAS}) AND c.relkind = 'v'
UNION ALL
SELECT 'table ' || c.oid::regclass, concat_ws(E'\\n', c.reloptions::text,
    (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage,
                                 pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)),
                       E'\\n' ORDER BY a.attnum)
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT string_agg(pg_get_constraintdef(k.oid), E'\\n' ORDER BY k.conname) FROM pg_constraint k
     WHERE k.conrelid = c.oid),
    (SELECT string_agg(pg_get_indexdef(i.indexrelid), E'\\n' ORDER BY i.indexrelid::regclass::text) FROM pg_index i
     WHERE i.indrelid = c.oid),
    (SELECT string_agg(pg_get_triggerdef(t.oid), E'\\n' ORDER BY t.tgname) FROM pg_trigger t
     WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ({SCHEMAS}) AND c.relkind IN ('r', 'p')
"""
_ACTS: Final = f"""
SELECT r.rolname AS role, n.nspname || '.' || p.proname AS act
FROM pg_roles r, pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ({SCHEMAS}) AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
  AND r.rolname = ANY ($1::text[]) GROUP BY 1, 2 ORDER BY 1, 2
"""
ROLES: Final = ("hotline_editor", "hotline_governor", "hotline_operator")


class Standing(NamedTuple):
    """Where one object stands, each file by its number."""

    made: str
    """The file that holds its definition."""
    altered: tuple[str, ...]
    """Later files that change a part of it, a function's text included."""
    replaced: tuple[str, ...]
    """Earlier files whose definition holds no more."""


TOOL: Final = "CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY)"
"""The tool that runs migrations makes this table before it runs the first one."""


def migrations() -> list[Path]:
    """The files in the order in which they are run."""
    return sorted(FOLDER.glob("*.sql"))


async def standings(connection: asyncpg.Connection[Any]) -> dict[str, Standing]:
    """Where each object stands that all migrations leave behind; the database is empty before."""
    found: dict[str, Standing] = {}
    before: Mapping[str, str] = {}
    for file in migrations():
        text = file.read_text(encoding="utf-8").partition("-- migrate:up")[2].partition("-- migrate:down")[0]
        await connection.execute(text)
        after = {row["name"]: row["said"] for row in await connection.fetch(_CATALOGUE)}
        number = file.name.partition("_")[0]
        for name, said in after.items():
            if said != before.get(name):
                found[name] = _changed(found.get(name), name, number, text)
        before = after
    return {name: found[name] for name in sorted(before)}


def _changed(known: Standing | None, name: str, number: str, text: str) -> Standing:
    kind, _, called = name.partition(" ")
    whole = re.search(rf"CREATE (OR REPLACE )?{kind} {re.escape(called)}\b", text, re.IGNORECASE)
    if known is None:
        return Standing(number, (), ())
    if whole is None:
        return known._replace(altered=(*known.altered, number))
    return Standing(number, (), (*known.replaced, known.made, *known.altered))


async def page(connection: asyncpg.Connection[Any]) -> str:
    """The whole page: what a person wrote, and the tables."""
    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    lines = [BEGIN, "", "| object | definition | altered by | replaces |", "|---|---|---|---|"]
    for name, stands in (await standings(connection)).items():
        lines.append(f"| {name} | {stands.made} | {_told(stands.altered)} | {_told(stands.replaced)} |")
    lines += ["", "## Who may do what", "", "| role | function |", "|---|---|"]
    lines += [f"| {row['role']} | `{row['act']}` |" for row in await connection.fetch(_ACTS, list(ROLES))]
    return head + "\n".join(lines) + "\n"


def _told(numbers: Sequence[str]) -> str:
    return ", ".join(numbers)


async def on_empty(addresses: Addresses) -> str:
    """The page by a database that is made for it and dropped again."""
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        await admin.execute("CREATE DATABASE migration_table")
        connection = await asyncpg.connect(addresses.database("migration_table"))
        try:
            await connection.execute(TOOL)
            return await page(connection)
        finally:
            await connection.close()
            await admin.execute("DROP DATABASE migration_table")
    finally:
        await admin.close()


async def _write() -> None:
    from tests.sources import stack_of_session

    with tempfile.TemporaryDirectory() as folder:
        async with stack_of_session(Path(folder)) as addresses:
            PAGE.write_text(await on_empty(addresses), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
