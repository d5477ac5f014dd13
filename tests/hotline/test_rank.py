"""The scores as a view of a real log: kept up as facts come, thrown away, made anew, frozen; and as they are typed."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace as changed
from typer import Typer
from typer.testing import CliRunner, Result

from hotline.cli.rank import rank
from hotline.cli.rebuild import rebuild
from hotline.scoring.inhabitants import population
from hotline.scoring.ledger import Anew, scores
from hotline.scoring.life import Counted, counted
from hotline.scoring.month import By, Month, tallied
from hotline.upkeep.archive import attach, detach, move
from shared.events import DeskName
from shared.events.base import Limit
from shared.ids import ComplaintId, complaint_id
from shared.log.codec import decoded
from shared.policy.ruleset import ruleset
from shared.policy.scoring import Counting, CountsIn
from shared.runtime.errors import UserError
from tests import examples as eg
from tests.examples import DAY, HOUR, told
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import RETURNED, SOLVED, recorded_twice, several_lives

pytestmark = pytest.mark.connected

ZONE = ZoneInfo("Asia/Shanghai")
RULES = ruleset("beijing-draft-2021")
BY = By(changed(RULES, score=changed(RULES.score, small_cell=0)), eg.CATALOGUE, population())
SEPTEMBER, OCTOBER = date(2021, 9, 1), date(2021, 10, 1)
OVER = datetime(2021, 10, 1, 0, 0, tzinfo=ZONE)


async def caught_up(desks: Desks) -> tuple[int, int, int]:
    async with scores(desks.governor, ZONE) as view:
        return tuple(await view.catch_up())


async def anew(desks: Desks) -> Anew:
    async with scores(desks.governor, ZONE) as view:
        return await view.anew()


async def month(desks: Desks, which: date = SEPTEMBER) -> Month:
    async with scores(desks.governor, ZONE) as view:
        await view.catch_up()
        return await view.month(which, BY)


async def rows(desks: Desks) -> list[tuple[Any, ...]]:
    """Both views, as they lie there."""
    return [
        tuple(row)
        for table in ("es.score_life", "es.score_correction")
        for row in await desks.owner.fetch(f"SELECT * FROM {table} ORDER BY stream_id, 2")
    ]


async def from_scratch(desks: Desks) -> dict[str, Counted]:
    """What each life counts for, from all its facts, by the pure rule and nothing else."""
    lives: dict[str, list[Any]] = {}
    for row in await desks.owner.fetch(
        "SELECT stream_id::text, type, schema_version, body FROM es.fact ORDER BY stream_id, version"
    ):
        lives.setdefault(row[0], []).append(decoded(*row[1:]))
    made = {stream: counted(facts, ZONE) for stream, facts in lives.items()}
    return {stream: one for stream, one in made.items() if one is not None}


async def solved(
    desks: Desks, *names: str, at: Any = eg.CALLED_AT, satisfied: bool = True
) -> list[ComplaintId]:
    """These complaints are lived to their end."""
    ids = [complaint_id(name) for name in names]
    later = at - eg.CALLED_AT
    await desks.tell(
        *(
            told(
                eg.RECORD,
                complaint_id=identity,
                command=changed(eg.REQUEST, request_id=name, call_id=None),
                at=eg.RECORD.at + later,
            )
            for name, identity in zip(names, ids, strict=True)
        )
    )
    for step in (eg.SIGN, eg.ANSWER):
        await desks.tell(*(told(step, complaint_id=i, at=step.at + later) for i in ids))
    visit = told(eg.RECORD_VISIT, satisfied=satisfied, at=eg.RECORD_VISIT.at + later)
    await desks.tell(*(told(visit, complaint_id=i) for i in ids))
    return ids


async def whistled(desks: Desks, name: str, at: datetime = eg.ARRIVE.at) -> ComplaintId:
    """A street calls the water group to its order, which comes then; the order is lived to its end."""
    identity = complaint_id(name)
    request = changed(eg.REQUEST, request_id=name, call_id=None)
    await desks.tell(told(eg.RECORD, complaint_id=identity, command=request))
    later = at - eg.ARRIVE.at
    for step in (eg.SIGN, eg.BLOW):
        await desks.tell(told(step, complaint_id=identity))
    for step in (eg.ARRIVE, eg.RATE_UNIT, eg.ANSWER, eg.RECORD_VISIT):
        await desks.tell(told(step, complaint_id=identity, at=step.at + later))
    return identity


async def test_f1_kept_up_as_facts_come_it_is_what_a_computation_from_scratch_says(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1: looked at after every step, with pages of any size; each look reads only what has changed."""
    for number, page in enumerate((1, 3, 5000)):
        monkeypatch.setattr("hotline.scoring.ledger.PAGE", page)
        await caught_up(desks)
        await solved(desks, f"a-{number}", f"b-{number}")
        read, _, added = await caught_up(desks)
        assert (read, added) == (16, 2), "the two lives of eight facts, and no other"
        assert await caught_up(desks) == (0, 0, 0)
    await several_lives(desks)
    made = (await month(desks)).tallies
    assert made == tallied(((one, 1) for one in (await from_scratch(desks)).values()), SEPTEMBER)
    assert made.units[eg.STREET].solved == 7
    assert made.units[eg.STREET].left_out == {"withdrawn": 1}
    assert made.requests == [("海淀区", "花园路街道", 12)]


async def test_a_view_that_is_only_behind_is_not_called_wrong(desks: Desks) -> None:
    await several_lives(desks)
    await caught_up(desks)
    await solved(desks, "after-the-look")
    found = await anew(desks)
    assert (found.behind, found.removed, found.added) == (1, 0, 0)
    await desks.owner.execute("UPDATE es.score_life SET unit = 'another' WHERE unit = $1", eg.STREET)
    found = await anew(desks)
    assert found.behind == 0
    assert found.removed == found.added > 0


async def test_t7_the_second_record_of_a_call_is_no_request_more(desks: Desks) -> None:
    """T7, F5: it has a row, so that it is known to be looked at, and counts nowhere; frozen or not."""
    await solved(desks, "first")
    await desks.tell(recorded_twice("second"))
    made = await month(desks)
    assert made.tallies.requests == [("海淀区", "花园路街道", 1)]
    assert made.tallies == tallied(((one, 1) for one in (await from_scratch(desks)).values()), SEPTEMBER)
    stored = await desks.owner.fetch("SELECT requested, month FROM es.score_life ORDER BY requested")
    assert [tuple(row) for row in stored] == [(SEPTEMBER, SEPTEMBER), (None, None)]
    assert await caught_up(desks) == (0, 0, 0)


async def test_g3_a_whistle_is_in_the_view_and_a_rating_after_the_freeze_is_a_correction(
    desks: Desks,
) -> None:
    """G3, R16, T20: the same from the view, from scratch, frozen and corrected."""
    name = await whistled(desks, "whistled")
    await solved(desks, "quiet")
    made = await month(desks)
    assert made.tallies == tallied(((one, 1) for one in (await from_scratch(desks)).values()), SEPTEMBER)
    by_unit = {line.unit: line for line in made.lines}
    assert by_unit[eg.STREET].whistle_rate == Decimal("50.00")
    assert by_unit[eg.WATER].report_on_time_rate == Decimal("100.00")
    assert by_unit[eg.WATER].report_rating == Decimal(eg.WHISTLE_RATING.stars)
    assert (await anew(desks)).removed == 0
    async with scores(desks.governor, ZONE) as view:
        await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    back = changed(eg.UNIT_RATED, complaint_id=name, rated_by=eg.WATER, rated=eg.STREET, stars=1)
    await desks.forge(DeskName.DISPATCH, back)
    assert (await month(desks)).corrections == 1
    async with scores(desks.governor, ZONE) as view:
        (found,) = await view.corrections(SEPTEMBER)
    assert found.now is not None
    assert (found.type, found.now.calls[0].stars_of_street) == ("WhistleRated", 1)
    assert (await anew(desks)).not_borne_out == []


async def test_the_view_thrown_away_comes_back_to_the_same_bytes(desks: Desks) -> None:
    """R14: whatever became of it, and however often it was looked at before."""
    await several_lives(desks)
    await caught_up(desks)
    async with scores(desks.governor, ZONE) as view:
        await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    await desks.tell(told(eg.REVIEW, complaint_id=RETURNED))
    await solved(desks, "late-in-the-log")
    await caught_up(desks)
    before = await rows(desks)
    assert len(before) == 8
    await desks.owner.execute("DELETE FROM es.score_life; DELETE FROM es.score_correction")
    done = await anew(desks)
    assert (done.removed, done.added, done.not_borne_out) == (0, 7, [])
    assert await rows(desks) == before
    await desks.owner.execute("DELETE FROM es.score_view; DELETE FROM es.score_life WHERE solved")
    await caught_up(desks)
    assert await rows(desks) == before
    done = await anew(desks)
    assert (done.removed, done.added) == (0, 0)
    await desks.owner.execute("UPDATE es.score_life SET solved = NOT solved")
    assert (await anew(desks)).removed == 7
    assert await rows(desks) == before


async def test_who_began_before_a_look_and_commits_after_it_is_in_the_next(desks: Desks) -> None:
    """Positions are given out before the commit: a look must not pass over what comes in behind it."""
    await solved(desks, "before")
    await desks.owner.execute(
        "CREATE FUNCTION es.slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;"
        "CREATE TRIGGER slow AFTER INSERT ON es.event EXECUTE FUNCTION es.slow();"
        "SELECT pg_advisory_lock(77)"
    )
    speaking = asyncio.ensure_future(
        desks.tell_unheard(
            told(
                eg.RECORD,
                complaint_id=complaint_id("slow"),
                command=changed(eg.REQUEST, request_id="slow", call_id=None),
            )
        )
    )
    while not await desks.owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
        await asyncio.sleep(0.02)
    assert (await caught_up(desks))[2] == 1
    await desks.owner.execute("SELECT pg_advisory_unlock(77)")
    await speaking
    assert (await caught_up(desks))[2] == 1
    assert len(await rows(desks)) == 2


@pytest.mark.parametrize(
    "change", ["made_in = 'another server'", "made_by = '0 Asia/Shanghai VISIT CONTACT'", "archived = 7"]
)
async def test_what_was_looked_at_elsewhere_or_by_an_older_program_is_made_anew(
    desks: Desks, change: str
) -> None:
    """A snapshot counts the transactions of one database: out of a backup nothing is told apart by it."""
    await solved(desks, "kept", "lost")
    await caught_up(desks)
    before = await rows(desks)
    await desks.owner.execute("DELETE FROM es.score_life WHERE stream_id = $1", complaint_id("lost"))
    assert await caught_up(desks) == (0, 0, 0), "nothing was said since, as far as it can tell"
    await desks.owner.execute(f"UPDATE es.score_view SET {change}")
    assert await caught_up(desks) == (16, 0, 1)
    assert await rows(desks) == before
    assert await caught_up(desks) == (0, 0, 0)


async def test_the_corrections_are_the_same_however_often_it_was_looked_at(
    desks: Desks, other_desks: Desks
) -> None:
    """T20: two logs of the same facts, one looked at after every step, one only at the end."""
    for here, often in ((desks, True), (other_desks, False)):
        await solved(here, "one", "two")
        async with scores(here.governor, ZONE) as view:
            await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
        for name in ("three", "four"):
            await solved(here, name)
            if often:
                await caught_up(here)
        await here.forge(DeskName.ESCALATION, changed(eg.FEEDBACK_MISSED, complaint_id=complaint_id("one")))
        await caught_up(here)
    assert await rows(desks) == await rows(other_desks)
    assert len(await rows(desks)) == 4 + 3


# -- frozen


async def test_t20_a_late_visit_of_a_frozen_month_becomes_a_correction_and_alters_nothing(
    desks: Desks,
) -> None:
    """T20: what was published stays to the byte; who was late is named, with what it would have counted for."""
    await solved(desks, *(f"in-time-{number}" for number in range(6)))
    async with scores(desks.governor, ZONE) as view:
        frozen = await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
        kept = await desks.owner.fetchval("SELECT published FROM es.score_month")
        assert await view.corrections(SEPTEMBER) == []
    assert (frozen.lines[0].score, frozen.frozen_at) == (Decimal("100.00"), OVER)
    (late,) = await solved(desks, "late", satisfied=False)
    # A miss that was stated by mistake and is heard of later, of a life that is in the month.
    early = complaint_id("in-time-0")
    await desks.forge(DeskName.ESCALATION, changed(eg.FEEDBACK_MISSED, complaint_id=early))
    made = await month(desks)
    assert made.corrections == 2
    assert (made.lines, made.tallies) == (frozen.lines, frozen.tallies)
    assert await desks.owner.fetchval("SELECT published FROM es.score_month") == kept
    async with scores(desks.governor, ZONE) as view:
        found = {one.complaint_id: one for one in await view.corrections(SEPTEMBER)}
    assert set(found) == {late, early}
    now = found[late].now
    assert found[late].was is None
    assert (found[late].version, found[late].type) == (1, "ComplaintReceived")
    assert now is not None
    assert (now.unit, now.solved, now.satisfied) == (eg.STREET, True, False)
    was, now = found[early].was, found[early].now
    assert was is not None
    assert now is not None
    assert (found[early].type, was.responded, now.responded) == ("AnswerLimitMissed", True, False)
    # It was not so after all: nothing is left to correct.
    correction = changed(
        eg.CORRECTED,
        complaint_id=early,
        limit=Limit.ANSWER,
        unit=eg.FEEDBACK_MISSED.unit,
        due_at=eg.FEEDBACK_MISSED.due_at,
    )
    await desks.forge(DeskName.ESCALATION, correction)
    assert (await month(desks)).corrections == 1
    assert (await anew(desks)).not_borne_out == []


async def test_t20_an_exclusion_approved_after_the_month_is_frozen_corrects_it_and_changes_nothing(
    desks: Desks,
) -> None:
    """T20, F3: before the freeze it is left out and published as such; after it, it is a correction record."""
    early, late = await solved(desks, "early", "late")

    async def leaves_out(identity: ComplaintId) -> None:
        await desks.tell(told(eg.EXCLUDE, complaint_id=identity))
        await desks.tell(told(eg.REVIEW_EXCLUSION, complaint_id=identity))

    await leaves_out(early)
    async with scores(desks.governor, ZONE) as view:
        frozen = await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    (line, *_) = frozen.lines
    assert (line.countable, line.left_out) == (1, {"invalid": 1})
    await leaves_out(late)
    made = await month(desks)
    assert (made.corrections, made.lines) == (1, frozen.lines)
    async with scores(desks.governor, ZONE) as view:
        (found,) = await view.corrections(SEPTEMBER)
    assert found.now is not None
    assert (found.complaint_id, found.type, found.now.left_out) == (late, "ExclusionApproved", "invalid")


async def test_t20_where_a_month_is_that_of_the_dispatch_what_ends_after_the_freeze_is_a_correction(
    desks: Desks,
) -> None:
    """T20, F1: the other way a rule set may count; the view is made anew when it changes."""
    await solved(desks, "in-time")
    record = told(eg.RECORD, command=changed(eg.REQUEST, call_id=None))
    await desks.tell(record)
    await desks.tell(eg.SIGN)
    assert (await month(desks)).tallies.units[eg.STREET].countable == 1
    async with scores(desks.governor, ZONE, Counting(CountsIn.DISPATCH)) as view:
        assert (await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")).tallies.units[eg.STREET].countable == 1
        await desks.tell(told(eg.ANSWER, at=eg.CALLED_AT + 5 * DAY))
        await desks.tell(told(eg.RECORD_VISIT, at=OVER + HOUR))
        await view.catch_up()
        (found,) = await view.corrections(SEPTEMBER)
        assert found.now is not None
        assert (found.complaint_id, found.was and found.was.unit, found.now.unit) == (eg.ID, None, eg.STREET)
        assert (await view.anew()).not_borne_out == []


async def test_t20_a_life_that_goes_on_into_the_next_month_corrects_nothing(desks: Desks) -> None:
    """T20: received in a month that is frozen, judged in the next: it counts there."""
    await desks.tell(
        told(eg.RECORD, command=changed(eg.REQUEST, call_id=None)), told(eg.SIGN, complaint_id=eg.ID)
    )
    async with scores(desks.governor, ZONE) as view:
        frozen = await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    assert frozen.tallies.requests == [("海淀区", "花园路街道", 1)]
    await desks.tell(told(eg.ANSWER, at=eg.CALLED_AT + 5 * DAY))
    await desks.tell(told(eg.RECORD_VISIT, at=OVER + HOUR))
    made = await month(desks, OCTOBER)
    assert (made.tallies.units[eg.STREET].countable, made.tallies.requests) == (1, [])
    assert (await month(desks)).corrections == 0


async def test_f4_a_month_is_frozen_once_and_not_before_its_end(desks: Desks) -> None:
    """F4: by the city's own midnight; and nobody changes or removes it, the owner neither."""
    await solved(desks, "one")
    async with scores(desks.governor, ZONE) as view:
        with pytest.raises(UserError, match="2021-09 ends at 2021-10-01 00:00"):
            await view.freeze(SEPTEMBER, BY, OVER - eg.INSTANT, "Li Wei")
        await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
        with pytest.raises(UserError, match="2021-09 is frozen already"):
            await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    for change in (
        "UPDATE es.score_month SET through = 0",
        "DELETE FROM es.score_month",
        "TRUNCATE es.score_month CASCADE",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await desks.owner.execute(change)


async def test_f4_a_frozen_month_that_the_log_does_not_bear_out_is_named(desks: Desks) -> None:
    """F4: somebody wrote another result into the table, past its trigger."""
    await solved(desks, "one", "two")
    async with scores(desks.governor, ZONE) as view:
        made = await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    made.tallies.units[eg.STREET].solved += 1
    async with desks.owner.transaction():
        await desks.owner.execute("ALTER TABLE es.score_month DISABLE TRIGGER USER")
        await desks.owner.execute("UPDATE es.score_month SET published = $1", msgspec.json.encode(made))
        await desks.owner.execute("ALTER TABLE es.score_month ENABLE TRIGGER USER")
    assert (await anew(desks)).not_borne_out == [SEPTEMBER]


async def test_f4_the_gain_is_on_what_was_published(desks: Desks) -> None:
    """F4, T20: the month before as it was frozen, not as it is known by now."""
    await solved(desks, "one", "two", satisfied=False)
    async with scores(desks.governor, ZONE) as view:
        await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    await solved(desks, "late")
    await solved(desks, "october", at=eg.CALLED_AT + 20 * DAY)
    (line, *_) = (await month(desks, OCTOBER)).lines
    assert (line.unit, line.score, line.gain) == (eg.STREET, Decimal("100.00"), Decimal("35.00"))


# -- the archive


async def test_what_goes_into_the_archive_stays_in_the_score_and_what_is_away_is_told(desks: Desks) -> None:
    """Looked at before it went or not; and a month that is away is made anew no more, but kept."""
    await solved(desks, "seen", "unseen")
    await desks.owner.execute("UPDATE es.relay SET snap_a = pg_current_snapshot(), snap_b = NULL")
    before = (await month(desks)).tallies
    await desks.owner.execute("DELETE FROM es.score_life WHERE stream_id = $1", complaint_id("unseen"))
    await move(desks.operator, OVER)
    made = await month(desks)
    assert (made.tallies, made.away) == (before, 0)
    await detach(desks.operator, SEPTEMBER)
    done = await anew(desks)
    assert (done.rows, done.removed) == (2, 0)
    made = await month(desks)
    assert (made.tallies, made.away) == (before, 0)
    await desks.owner.execute("DELETE FROM es.score_life WHERE stream_id = $1", complaint_id("unseen"))
    assert (await month(desks)).away == 1
    async with scores(desks.governor, ZONE) as view:
        with pytest.raises(UserError, match="1 complaints lie in months of the archive that are detached"):
            await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    await attach(desks.operator, SEPTEMBER)
    await anew(desks)
    made = await month(desks)
    assert (made.tallies, made.away) == (before, 0)


# -- as it is typed


async def typed(*words: str) -> Result:
    app = Typer()
    app.add_typer(rank, name="rank")
    app.command()(rebuild)
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words))


@pytest.mark.usefixtures("city_here")
async def test_rank_prints_a_month_as_a_table_as_json_and_as_csv(desks: Desks) -> None:
    """F4: the same numbers in each; what there is not is empty, not 0."""
    await desks.tell(
        *(
            told(
                eg.RECORD,
                complaint_id=complaint_id(f"q-{number}"),
                command=changed(
                    eg.REQUEST, request_id=f"q-{number}", call_id=None, district="海淀区", street="花园路街道"
                ),
            )
            for number in range(3)
        )
    )
    await solved(desks, *(f"in-time-{number}" for number in range(6)))
    table = (await typed("rank", "show", "2021-09")).stdout
    assert "2021-09, not frozen" in table
    assert "configuration, not law" in table
    assert "花园路街道" in table
    assert "beijing-example-1, an example" in table
    given = json.loads((await typed("rank", "show", "2021-09", "--json")).stdout)
    lines = {line["unit"]: line for line in given["lines"]}
    street = lines["street-haidian-huayuanlu"]
    assert (given["month"], given["weights"]) == (
        "2021-09",
        {"response": 0.30, "resolution": 0.35, "satisfaction": 0.35},
    )
    assert (street["requests"], street["score"], street["rank"]) == (9, None, None)
    assert all(line["district"] is not None for line in lines.values())
    given = json.loads((await typed("rank", "show", "2021-09", "--json", "--all")).stdout)
    (other,) = (line for line in given["lines"] if line["unit"] == eg.STREET)
    assert (other["score"], other["resolution_rate"], other["rank"]) == (100.00, 100.00, None)
    written = list(
        csv.DictReader(
            io.StringIO((await typed("rank", "show", "2021-09", "--csv")).stdout.removeprefix("\ufeff"))
        )
    )
    (row,) = (row for row in written if row["unit"] == "street-haidian-huayuanlu")
    assert (row["rank"], row["score"], row["countable"], row["requests"]) == ("", "", "0", "9")
    assert len(written) == len(lines)


@pytest.mark.usefixtures("city_here")
async def test_rank_tells_how_street_and_called_unit_are_judged(desks: Desks) -> None:
    """R16, as it is typed; a rate of 0 is told, one that is not there is not."""
    await whistled(desks, "whistled", at=eg.ARRIVE.at + DAY)
    said = (await typed("rank", "show", "2021-09", "--whistles", "--all")).stdout
    cells = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in said.splitlines() if "│" in line}
    assert [cell.strip() for cell in cells[eg.WATER]] == ["-", "-", "0.00", f"{eg.WHISTLE_RATING.stars}.00"]
    (line,) = (
        line
        for line in json.loads((await typed("rank", "show", "2021-09", "--all", "--json")).stdout)["lines"]
        if line["unit"] == eg.WATER
    )
    assert (line["report_on_time_rate"], line["whistle_rate"]) == (0, None)


@pytest.mark.usefixtures("city_here")
async def test_rank_freezes_and_tells_what_came_later(desks: Desks) -> None:
    """T20, as it is typed."""
    await solved(desks, "one")
    frozen = (await typed("rank", "freeze", "2021-09", "--as", "Li Wei", "--yes")).stdout
    assert re.search(r"frozen at \d{4}-\d\d-\d\d \d\d:\d\d by Li Wei", frozen)
    (late,) = await solved(desks, "late")
    assert (
        "1 complaints of this month are known otherwise by now"
        in (await typed("rank", "show", "2021-09")).stdout
    )
    said = (await typed("rank", "corrections", "2021-09")).stdout
    assert (
        said
        == f"{late}  ComplaintReceived (1): not in it -> {eg.STREET}: responded, visited, solved, satisfied\n"
    )
    (found,) = json.loads((await typed("rank", "corrections", "2021-09", "--json")).stdout)
    assert (found["complaint_id"], found["was"], found["now"]["solved"]) == (late, None, True)
    assert (
        f"{late},1,ComplaintReceived,not in it,"
        in (await typed("rank", "corrections", "2021-09", "--csv")).stdout
    )


@pytest.mark.usefixtures("city_here")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "2021-9"), "MONTH: '2021-9', expected a year and a month such as 2026-10"),
        (("show", "2021-13"), "MONTH: '2021-13'"),
        (("show", "2021-09", "--json", "--csv"), "--json, --csv: expected one of them"),
        (("freeze", "2021-09", "--as", "\u200b"), "--as: "),
        (
            ("freeze", "2021-09", "--as", "Li Wei"),
            "Freeze 2021-09? Nothing changes it any more. Say --yes.",
        ),
    ],
)
async def test_rank_names_what_cannot_be(desks: Desks, words: tuple[str, ...], said: str) -> None:
    """F4: in one sentence."""
    await desks.hear()
    done = await typed("rank", *words)
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.usefixtures("city_here")
async def test_rebuild_scores_says_whether_the_view_was_right(desks: Desks) -> None:
    """R14: the same bytes from the log alone, as it is typed; a frozen month that is not true ends with exit code 1."""
    await solved(desks, "one", "two")
    await typed("rank", "show", "2021-09")
    assert (await typed("rebuild", "scores")).stdout == (
        "scores: 2 rows from 16 facts\nevery row was what the facts say\n"
    )
    await desks.owner.execute("UPDATE es.score_life SET solved = false")
    assert (
        "2 rows were not what the facts say and are gone, 2 are there now"
        in (await typed("rebuild", "scores")).stdout
    )
    assert json.loads((await typed("rebuild", "scores", "--json")).stdout)["removed"] == 0
    async with scores(desks.governor, ZONE) as view:
        made = await view.freeze(SEPTEMBER, BY, OVER, "Li Wei")
    made.tallies.units[eg.STREET].solved = 0
    await desks.owner.execute("ALTER TABLE es.score_month DISABLE TRIGGER USER")
    await desks.owner.execute("UPDATE es.score_month SET published = $1", msgspec.json.encode(made))
    done = await typed("rebuild", "scores")
    assert done.exit_code == 1
    assert "2021-09 is frozen with counts that the log does not bear out" in done.stdout


async def test_the_lives_of_this_file_are_in_the_month_they_are_taken_for(desks: Desks) -> None:
    """So that no test above holds for want of lives."""
    await several_lives(desks)
    assert (await from_scratch(desks))[SOLVED].month == SEPTEMBER
