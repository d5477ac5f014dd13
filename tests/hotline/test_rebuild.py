"""Heads and timers come back from the facts alone, to the same rows, whatever became of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from hotline.rebuild import VIEWS, rebuild
from hotline.stack.errors import StackError
from hotline.verify import verify
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import (
    SOLVED,
    a_head_with_one_word_changed,
    a_timer_gone,
    a_timer_moved,
    a_timer_of_nobody,
    fact,
    no_head,
    several_lives,
    unlocked,
)

pytestmark = pytest.mark.connected

TABLES = {"heads": "es.stream", "timers": "es.timer"}


async def rows(desks: Desks, view: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await desks.owner.fetch(f"SELECT * FROM {TABLES[view]} ORDER BY 1, 2")]


async def test_a_view_that_is_right_is_left_as_it_is(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    await several_lives(desks)
    for page in (1, 3, 5000):
        monkeypatch.setattr("hotline.rebuild.PAGE", page)
        for view in VIEWS:
            before = await rows(desks, view)
            done = await rebuild(desks.dsn, view)
            assert (done.removed, done.added, done.rows) == (0, 0, len(before))
            assert done.facts == await desks.owner.fetchval("SELECT count(*) FROM es.event")
            assert await rows(desks, view) == before


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_that_was_thrown_away_comes_back_to_the_same_bytes(desks: Desks, view: str) -> None:
    await several_lives(desks)
    before = await rows(desks, view)
    await desks.owner.execute(f"DELETE FROM {TABLES[view]}")
    done = await rebuild(desks.dsn, view)
    assert (done.removed, done.added) == (0, len(before))
    assert await rows(desks, view) == before
    assert (await verify(desks.dsn)).problems == []


@pytest.mark.parametrize(
    ("view", "breaks", "removed", "added"),
    [
        ("heads", a_head_with_one_word_changed, 1, 1),
        ("heads", no_head, 0, 1),
        ("timers", a_timer_gone, 0, 1),
        ("timers", a_timer_moved, 1, 1),
        ("timers", a_timer_of_nobody, 1, 0),
    ],
)
async def test_what_is_wrong_in_a_view_is_put_right(
    desks: Desks, view: str, breaks: Callable[[Desks], Awaitable[str]], removed: int, added: int
) -> None:
    await several_lives(desks)
    await breaks(desks)
    assert (await verify(desks.dsn)).problems
    done = await rebuild(desks.dsn, view)
    assert (done.removed, done.added) == (removed, added)
    assert (await verify(desks.dsn)).problems == []


async def test_a_log_that_cannot_be_read_changes_no_view(desks: Desks) -> None:
    await several_lives(desks)
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(desks, "UPDATE es.event SET body = '{' WHERE position = $1", row["position"])
    before = await rows(desks, "heads")
    with pytest.raises(StackError, match=f"complaint {SOLVED}, version 4: cannot be read"):
        await rebuild(desks.dsn, "heads")
    assert await rows(desks, "heads") == before
