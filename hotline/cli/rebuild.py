"""`hotline rebuild VIEW`: make the heads, the timers, the lists or the scores what the facts say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from hotline.cli.run import Json, fail, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.terminal import say, say_record
from shared.text import shown

if TYPE_CHECKING:
    from hotline.scoring.ledger import Anew
    from hotline.upkeep.rebuild import Rebuilt
    from shared.unreadable import UnreadableRows

SCORES: Final = "scores"
"""No desk waits for them: nothing is written to them but by `hotline rank`."""


def rebuild(
    view: Annotated[str, typer.Argument(help="heads, timers, lists or scores.")],
    *,
    json: Json = False,
) -> None:
    """Make a view anew from the log while the desks go on; only at its end they wait, for a moment."""
    from deploy.city.registry import find_city
    from hotline.upkeep.lists import VIEW as LISTS
    from hotline.upkeep.lists import rebuild_lists
    from hotline.upkeep.rebuild import VIEWS, RebuiltBut
    from hotline.upkeep.rebuild import rebuild as rebuilt

    if view == SCORES:
        unread = none_unread()
        done_scores = run(_scores_anew(unread))
        tell_unread(unread, json=json)
        _print_scores(done_scores, json=json)
        return
    if view not in {*VIEWS, LISTS}:
        raise typer.BadParameter(
            f"there is no view '{shown(view)}', only {', '.join(VIEWS)}, {LISTS} and {SCORES}"
        )
    but = ""
    operator = find_city().login("operator")
    try:
        done = run(rebuild_lists(operator) if view == LISTS else rebuilt(operator, view))
    except RebuiltBut as partly:
        done, but = partly.done, str(partly)
    if json:
        say_record(done)
    else:
        _print_done(done)
    if but:
        fail(but)


def _print_done(done: Rebuilt) -> None:
    say(
        f"{done.view}: {done.rows:,} rows from {done.facts:,} facts in {done.seconds:.1f} s"
        f" ({done.facts / max(done.seconds, 0.001):,.0f} facts/s); who appends waited {done.held_seconds:.2f} s"
    )
    if done.removed or done.added:
        say(f"{done.removed:,} rows were wrong and are gone, {done.added:,} were missing and are there")
    else:
        say("every row was what the facts say")


async def _scores_anew(unread: UnreadableRows) -> Anew:
    from zoneinfo import ZoneInfo

    from deploy.city.registry import city_up
    from hotline.scoring.ledger import scores
    from shared.policy.ruleset import ruleset

    city = city_up()
    own = ruleset(city.ruleset)
    async with scores(city.endpoints.login("governor"), ZoneInfo(own.timezone), own.score.counting) as view:
        done = await view.anew()
        for one in await view.unread():
            unread.note(one.row, one.why)
        return done


def _print_scores(done: Anew, *, json: bool) -> None:
    """Exit 1 where a frozen month is not what the log says: nothing can put that right."""
    if json:
        say_record(done)
    else:
        say(f"{SCORES}: {done.rows:,} rows from {done.facts:,} facts")
        if done.behind:
            say(f"{done.behind:,} rows were behind the log and are brought up to date")
        if done.removed or done.added:
            say(
                f"{done.removed:,} rows were not what the facts say and are gone, {done.added:,} are there now"
            )
        else:
            say("every row was what the facts say")
        for month in done.not_borne_out:
            say(f"{month:%Y-%m} is frozen with counts that the log does not bear out")
    if done.not_borne_out:
        raise typer.Exit(1)
