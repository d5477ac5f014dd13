"""The scores as a view of the log: it adds the facts since the last look, and can be deleted and rebuilt at will.

`es.score_life` has a row for each complaint with its counts (`hotline.scoring.month`); a month is the sum of
its rows. It is brought up to date whenever it is asked, so no desk does anything for it. A frozen month is
the sum as of one position of the log, kept as it was published. A later fact about a life in it becomes a
correction record. Both views follow from the facts and the frozen positions alone, whenever and however often
they were looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from hotline.scoring.folding import LifeFolded, LifeFolding, counted_in, said
from hotline.scoring.life import AS_SHIPPED, KINDS, Counted, month_after, month_before
from hotline.scoring.month import By, Month, Tallies, published, tallied
from shared.log.acts import refusals_told
from shared.log.locks import SCORES
from shared.log.projection.lives import PAGE, facts_of_lives
from shared.log.projection.position import present_position, touched_since
from shared.log.projection.putting import KeptTable, put_right
from shared.log.reading import archive_held
from shared.policy.scoring import Counting
from shared.runtime.errors import UserError
from shared.times import shown
from shared.unreadable import Unreadable

SCHEMA: Final = 3
"""Version of the fold: another one makes the whole view anew."""


_COLUMNS: Final = ("stream_id", "version", *Counted.__struct_fields__)
_OF_COUNTED: Final = ", ".join(Counted.__struct_fields__)
_CORRECTED: Final = ("month", "stream_id", "version", "type", "was", "now")
_LIFE: Final = KeptTable("es.score_life", _COLUMNS)
_CORRECTION: Final = KeptTable("es.score_correction", ("stream_id", "month", "version", "type", "was", "now"))
_UNREAD: Final = KeptTable("es.score_unread", ("stream_id", "version", "why"))
# A refusal changes no score, but how far the life is taken in: every fact is looked at, few are read.
_FACTS: Final = facts_of_lives(
    "stream_id, position, version, type, schema_version, CASE WHEN type = ANY ($1::text[]) THEN body END AS body",
    1,
)
_AWAY: Final = """
SELECT CASE WHEN EXISTS (SELECT FROM es.archive_month WHERE NOT attached) THEN (
    SELECT count(*) FROM es.detached_life d JOIN es.stream s USING (stream_id)
    LEFT JOIN es.score_life l USING (stream_id) WHERE l.version IS DISTINCT FROM s.version
) ELSE 0 END
"""
_SUM: Final = f"""
SELECT {_OF_COUNTED}, count(*) FROM es.score_life WHERE month = $1 OR requested = $1 GROUP BY {_OF_COUNTED}
"""  # noqa: S608 -- our own names


class LateFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about a complaint of a frozen month that came after it was frozen (T20)."""

    complaint_id: str
    version: int
    """The first of its facts that came too late for the month."""
    type: str
    was: Counted | None
    """Its counts in the frozen month; None: it is not in it."""
    now: Counted | None
    """Its counts if the month were open."""


class Made(NamedTuple):
    """The outcome of bringing the view up to date."""

    facts: int
    """Facts read."""
    removed: int
    added: int


class Anew(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of making the view anew."""

    facts: int
    rows: int
    behind: int
    """Rows that the log had left behind; not wrong, and brought up to date first."""
    removed: int
    """Rows that were there and are not what the facts say."""
    added: int
    not_borne_out: list[date]
    """Frozen months whose counts the log's facts do not add up to."""


@asynccontextmanager
async def scores(dsn: str, zone: ZoneInfo, how: Counting = AS_SHIPPED) -> AsyncIterator[Scores]:
    """The scores of a city, by the governor's login; one at a time has them."""
    async with archive_held(dsn) as connection:
        await connection.execute(f"SELECT pg_advisory_lock({SCORES})")
        yield Scores(connection, zone, how)


class Scores:
    """The view in the city's database; see `scores`."""

    def __init__(self, connection: asyncpg.Connection[Any], zone: ZoneInfo, how: Counting) -> None:
        """`connection` is the governor's."""
        self._connection = connection
        self._zone = zone
        self._how = how

    async def catch_up(self) -> Made:
        """Take in what was said since the last look; a complaint of which a fact cannot be read counts for nothing."""
        async with self._connection.transaction(isolation="repeatable_read"):
            return await self._take_in()

    async def anew(self) -> Anew:
        """The whole view from the facts alone, and what differed; what was only behind is brought up to date before."""
        connection = self._connection
        async with connection.transaction(isolation="repeatable_read"):
            behind = await self._take_in()
            made = await self._take_in(everything=True)
            rows = await connection.fetchval("SELECT count(*) FROM es.score_life")
            wrong = [month async for month in self._not_borne_out()]
        return Anew(
            facts=made.facts,
            rows=rows,
            behind=max(behind.added, behind.removed),
            removed=made.removed,
            added=made.added,
            not_borne_out=wrong,
        )

    async def month(self, month: date, by: By) -> Month:
        """As it was frozen; else as the facts stand that are taken in."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            return await self._month(month, by)

    async def freeze(self, month: date, by: By, at: datetime, who: str) -> Month:
        """Freeze the month, so that nothing changes it any more (F4, T20). Desks that append wait a moment.

        `at`: city time; `who`: the person who freezes it. Raises `UserError` if the month is not over or is
        frozen already. It also does so if a fact cannot be read, or if a month of the archive that it needs
        is detached.
        """
        ends = datetime.combine(month_after(month), datetime.min.time(), self._zone)
        if at < ends:
            raise UserError(
                f"{month:%Y-%m} ends at {shown(ends, self._zone)}: it is {shown(at, self._zone)}."
            )
        await self.catch_up()
        connection = self._connection
        with refusals_told():
            async with connection.transaction():
                await connection.execute("SELECT es.hold_log()")
                await self._take_in()
                made = await self._month(month, by)
                made.frozen_at, made.frozen_by = at, who
                said = msgspec.json.encode(made)
                await connection.execute("SELECT es.freeze_month($1, $2)", said, self._zone.key)
        return made

    async def corrections(self, month: date) -> list[LateFact]:
        """The corrections of a frozen month, by complaint."""
        rows = await self._connection.fetch(
            "SELECT stream_id, version, type, was, now FROM es.score_correction WHERE month = $1 ORDER BY stream_id",
            month,
        )
        return [
            LateFact(
                complaint_id=str(row[0]), version=row[1], type=row[2], was=said(row[3]), now=said(row[4])
            )
            for row in rows
        ]

    async def unread(self) -> list[Unreadable]:
        """The complaints that count for nothing, as a fact of theirs cannot be read."""
        rows = await self._connection.fetch(
            "SELECT stream_id::text, version, why FROM es.score_unread ORDER BY stream_id"
        )
        return [Unreadable(f"complaint {row[0]}, version {row[1]}", row[2]) for row in rows]

    # -- the view

    async def _take_in(self, *, everything: bool = False) -> Made:
        connection = self._connection
        standing = await present_position(connection)
        known = await connection.fetchrow("SELECT seen, made_in, made_by, archived FROM es.score_view")
        made_by = f"{SCHEMA} {self._zone.key} {self._how.counts_in} {self._how.responds_by}"
        streams: list[UUID] | None = None
        if (
            not everything
            and known is not None
            and known[1:] == (standing.made_in, made_by, standing.archived)
        ):
            streams = await touched_since(connection, known[0])
        made = Made(0, 0, 0) if streams == [] else await self._write(streams)
        await connection.execute(
            "INSERT INTO es.score_view (seen, made_in, made_by, archived) VALUES ($1, $2, $3, $4) ON CONFLICT (one)"
            " DO UPDATE SET seen = excluded.seen, made_in = excluded.made_in, made_by = excluded.made_by,"
            " archived = excluded.archived",
            standing.seen,
            standing.made_in,
            made_by,
            standing.archived,
        )
        return made

    async def _write(self, streams: list[UUID] | None) -> Made:
        """Fold these complaints, or all; and put right what differs in the views."""
        connection = self._connection
        await connection.execute(
            "DROP TABLE IF EXISTS anew, amiss, unread, which;"
            "CREATE TEMP TABLE anew (LIKE es.score_life) ON COMMIT DROP;"
            "CREATE TEMP TABLE amiss (LIKE es.score_correction) ON COMMIT DROP;"
            "CREATE TEMP TABLE unread (LIKE es.score_unread) ON COMMIT DROP;"
            "CREATE TEMP TABLE which (stream_id uuid PRIMARY KEY) ON COMMIT DROP"
        )
        frozen = await self._frozen()
        facts = 0
        async for some in self._lives(streams, frozen):
            facts += sum(life.facts for life in some)
            rows = [life.row for life in some if life.row is not None]
            await connection.copy_records_to_table("anew", columns=_COLUMNS, records=rows)
            late = [row for life in some for row in life.corrections]
            await connection.copy_records_to_table("amiss", columns=_CORRECTED, records=late)
            unread = [life.unread for life in some if life.unread is not None]
            await connection.copy_records_to_table("unread", records=unread)
        if streams is None:
            await connection.execute(
                "INSERT INTO which SELECT stream_id FROM es.score_life UNION SELECT stream_id FROM anew"
                " UNION SELECT stream_id FROM es.score_correction"
                " UNION SELECT stream_id FROM es.score_unread UNION SELECT stream_id FROM unread"
            )
        else:
            await connection.copy_records_to_table("which", records=[(stream,) for stream in streams])
        # Of what lies in a month that is away nothing can be read: it stays as it is.
        await connection.execute(
            "DELETE FROM which w WHERE EXISTS (SELECT FROM es.detached_life d WHERE d.stream_id = w.stream_id)"
        )
        await connection.execute("CREATE INDEX ON anew (stream_id); ANALYZE anew; ANALYZE which")
        removed, added = await put_right(connection, _LIFE, made="anew", which="which")
        await put_right(connection, _CORRECTION, made="amiss", which="which")
        await put_right(connection, _UNREAD, made="unread", which="which")
        return Made(facts, removed, added)

    async def _lives(
        self, streams: Collection[UUID] | None, frozen: Mapping[date, int]
    ) -> AsyncIterator[list[LifeFolded]]:
        """These complaints, or all, folded, some at a time."""
        kinds = [kind.__name__ for kind in KINDS]
        asked = (_FACTS.all, kinds) if streams is None else (_FACTS.some, kinds, list(streams))
        cursor = await self._connection.cursor(*asked)
        folding: LifeFolding | None = None
        while page := await cursor.fetch(PAGE):
            done: list[LifeFolded] = []
            for stream, position, version, name, schema, body in page:
                if folding is None or folding.stream != stream:
                    if folding is not None:
                        done.append(folding.folded())
                    folding = LifeFolding(stream, self._zone, self._how, frozen)
                folding.takes(position, version, name, schema, body)
            yield done
        if folding is not None:
            yield [folding.folded()]

    # -- months

    async def _frozen(self) -> dict[date, int]:
        rows = await self._connection.fetch("SELECT month, through FROM es.score_month ORDER BY month")
        return {row[0]: row[1] for row in rows}

    async def _published(self, month: date) -> Month | None:
        text = await self._connection.fetchval("SELECT published FROM es.score_month WHERE month = $1", month)
        return None if text is None else msgspec.json.decode(text, type=Month)

    async def _tallies(self, month: date) -> Tallies:
        rows = await self._connection.fetch(_SUM, month)
        return tallied(((counted_in(tuple(row)[:-1]), row[-1]) for row in rows), month)

    async def _month(self, month: date, by: By) -> Month:
        connection = self._connection
        frozen = await self._published(month)
        if frozen is not None:
            frozen.corrections = await connection.fetchval(
                "SELECT count(*) FROM es.score_correction WHERE month = $1", month
            )
            return frozen
        earlier = await self._published(month_before(month))
        before = await self._tallies(month_before(month)) if earlier is None else earlier.tallies
        tallies = await self._tallies(month)
        rules, catalogue, population = by
        weighed = rules.score
        return Month(
            month=month,
            counting=self._how,
            through=await connection.fetchval("SELECT last_value FROM es.position_seq"),
            ruleset=rules.version,
            weights={
                "response": weighed.response,
                "resolution": weighed.resolution,
                "satisfaction": weighed.satisfaction,
            },
            small_cell=weighed.small_cell,
            catalogue=catalogue.version,
            population=population.version,
            population_is_example=population.example,
            away=await connection.fetchval(_AWAY),
            unreadable=await connection.fetchval("SELECT count(*) FROM es.score_unread"),
            lines=published(
                tallies, before, month=month, rules=weighed, catalogue=catalogue, population=population
            ),
            tallies=tallies,
        )

    async def _not_borne_out(self) -> AsyncIterator[date]:
        """Frozen months that the facts up to their positions do not add up to."""
        frozen = await self._frozen()
        if not frozen or await self._connection.fetchval("SELECT EXISTS (SELECT FROM es.detached_life)"):
            return
        sums: dict[date, list[tuple[Counted, int]]] = {month: [] for month in frozen}
        async for some in self._lives(None, frozen):
            for life in some:
                for month, one in life.as_frozen.items():
                    sums[month].append((one, 1))
        for month, ones in sums.items():
            kept = await self._published(month)
            if kept is None or kept.tallies != tallied(ones, month):
                yield month
