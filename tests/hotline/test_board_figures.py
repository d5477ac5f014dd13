"""The board's figures are what its lists hold, page by page, and the telephone's what all calls would give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from hotline.readside.board import DUE_SOON, OrderLoad, board_calls, board_figures
from hotline.readside.call_series import hours_of_calls, rolling_rates
from hotline.readside.calls import end_of
from hotline.readside.leads import leads_page
from hotline.readside.lists import Listed, page_of
from hotline.readside.process import take_in
from hotline.readside.rows import AT_DESKS, DESKS, LISTS, ORDERS, REVIEWS, SUPERVISION
from hotline.readside.telephone import HOUR, figures
from shared.policy.ruleset import ruleset
from shared.runtime.errors import UserError
from shared.times import zone_of
from shared.versions import RULESET
from tests import examples as eg
from tests.hotline.conftest import Desks
from tests.hotline.test_readside import CALLS, every_kind, projector_dsn
from tests.hotline.test_verify import several_lives

pytestmark = pytest.mark.connected
__all__ = ["projector_dsn"]

RULES: Final = ruleset(RULESET).telephone


async def every_lead(desks: Desks, **only: Any) -> list[Listed]:
    found: list[Listed] = []
    while page := await leads_page(desks.owner, after=found[-1].cursor if found else "", most=3, **only):
        found += page
    return found


async def test_each_figure_is_the_length_of_its_list(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await every_kind(desks)
    await take_in(projector_dsn)
    board = await board_figures(desks.owner)
    leads = await every_lead(desks)
    assert board.orders.open == len(leads) > 10
    overdue = await every_lead(desks, due_before=board.present)
    soon = await every_lead(desks, due_from=board.present, due_before=board.present + DUE_SOON)
    assert (board.orders.overdue, board.orders.due_soon) == (len(overdue), len(soon))
    for district, load in board.by_district.items():
        assert len(await every_lead(desks, district=district)) == load.open
    for unit, load in board.by_unit.items():
        listed = await every_lead(desks, unit=unit)
        assert len(listed) == load.open
        assert {one.lead for one in listed} == {unit}
    for stage in ("AT_UNIT", "SIGNED"):
        assert len(await every_lead(desks, stage=stage)) == board.stages.get(stage, 0)
    for which in LISTS:
        if which != ORDERS:
            assert board.waits(which).waiting == len(await page_of(desks.owner, which, most=1000)), which
    assert board.waits(SUPERVISION).waiting
    assert board.waits(REVIEWS, "return").waiting
    assert sum(board.stages.get(stage, 0) for stage in AT_DESKS) >= board.waits(DESKS).waiting > 0
    assert board.open == await desks.owner.fetchval("SELECT count(*) FROM read.complaint WHERE ended = ''")


async def test_a_place_that_is_none_is_refused(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await take_in(projector_dsn)
    with pytest.raises(UserError, match="is no place in a list"):
        await leads_page(desks.owner, after="somewhere")


async def test_health_tells_what_is_parked_and_what_the_relay_owes(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await take_in(projector_dsn)
    health = (await board_figures(desks.owner)).health
    assert (health.parked, health.stopped) == (0, 0)
    assert health.unsent > timedelta()  # no relay runs here
    await desks.owner.execute(
        "INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, headers, reason)"
        " VALUES ('intake', 'x', 0, 1, 0, '[]', 'a test')"
    )
    await desks.owner.execute(
        "INSERT INTO es.door_stopped (consumer, door, topic, reason) VALUES ('intake', 'x', 'x', 'a test')"
    )
    health = (await board_figures(desks.owner)).health
    assert (health.parked, health.stopped) == (1, 1)
    assert health.parked_since is not None


async def test_loads_add_up() -> None:
    whole = OrderLoad(3, 1, 1).plus(OrderLoad(1, 1, 0))
    assert whole == OrderLoad(4, 2, 1)
    assert whole.overdue_share == 0.5
    assert OrderLoad().overdue_share == 0


async def test_the_rolling_rate_is_what_the_calls_of_each_window_give(
    desks: Desks, projector_dsn: str
) -> None:
    await desks.owner.execute(CALLS, eg.CALLED_AT)
    await take_in(projector_dsn)
    rows = await desks.owner.fetch("SELECT at, outcome FROM read.call WHERE outcome <> ''")
    since, until = eg.CALLED_AT - timedelta(minutes=7), eg.CALLED_AT + timedelta(minutes=31, seconds=9)
    step = timedelta(minutes=10)
    points = await rolling_rates(desks.owner, since, until, step, RULES)
    assert len(points) == (until - since) // step + 1
    assert points[-1].at == end_of(until, timedelta(minutes=1))
    for point in points:
        assert point.offered == sum(point.at - RULES.window < row["at"] <= point.at for row in rows)
        answered = [row for row in rows if row["outcome"] == "ANSWERED"]
        assert point.answered == sum(point.at - RULES.window < row["at"] <= point.at for row in answered)
    assert points[-1].offered == 200


async def test_hours_are_all_there_and_add_up(desks: Desks, projector_dsn: str) -> None:
    await desks.owner.execute(CALLS, eg.CALLED_AT)
    await take_in(projector_dsn)
    since, until = eg.CALLED_AT - timedelta(hours=3), eg.CALLED_AT + timedelta(hours=2)
    hours = await hours_of_calls(desks.owner, since, until, RULES)
    assert [hour.end for hour in hours] == [end_of(since, HOUR) + n * HOUR for n in range(len(hours))]
    assert hours[-1].end >= until
    whole = await figures(desks.owner, hours[0].end - HOUR, hours[-1].end, RULES)
    assert sum(hour.offered for hour in hours) == whole.offered
    assert sum(hour.answered for hour in hours) == whole.answered
    assert sum(hour.within for hour in hours) == whole.within


async def test_where_no_call_came_today_it_is_known_when_the_last_one_did(
    desks: Desks, projector_dsn: str
) -> None:
    await take_in(projector_dsn)
    none = await board_calls(desks.owner, RULES, zone_of(RULESET))
    assert (none.today.offered, none.last_at) == (0, None)
    await desks.owner.execute(CALLS, eg.CALLED_AT)
    await take_in(projector_dsn)
    last_at: datetime | None = (await board_calls(desks.owner, RULES, zone_of(RULESET))).last_at
    assert last_at == eg.CALLED_AT + 200 * timedelta(seconds=7)
