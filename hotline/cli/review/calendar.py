"""Open complaints go by another calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.review.app import REVIEWER, Reason, ReviewerNamed, commands
from hotline.cli.run import Json, answer, fail, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.cli.unread import none_unread, tell_unread

if TYPE_CHECKING:
    from shared.unreadable import UnreadableRows


@commands.command()
@speaks
def calendar(
    version: Annotated[str, typer.Argument(help="The calendar open complaints are to go by.")],
    reason: Reason,
    complaint: Annotated[
        str, typer.Option(help="Only this one, by its number, its id or the beginning of it.")
    ] = "",
    reviewer: ReviewerNamed = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Have open complaints go by another calendar; each is told its old and its new limit."""
    from shared.policy.calendar import CalendarUnknown
    from shared.policy.calendar import calendar as known

    try:
        known(version)
    except CalendarUnknown as unknown:
        fail(f"VERSION: {unknown}.", code=2)
    unread = none_unread()
    told, moved = run(_amended(version, reason, complaint, reviewer, unread), interrupted=STOPPED)
    sentence = f"{told:,} open complaints go by calendar {version} now; the limit of {moved:,} has moved."
    answer(sentence, json=json, calendar=version, amended=told, moved=moved)
    tell_unread(unread, json=json)


async def _amended(
    version: str, reason: str, complaint: str, reviewer: str, unread: UnreadableRows
) -> tuple[int, int]:
    from deploy.city.registry import city_up
    from hotline.client import Unknown, effect, tell
    from hotline.lookup import complaint_called
    from hotline.readside.lists import by_other_calendar
    from hotline.readside.standing import caught_up, unread_complaints
    from shared import inputs
    from shared.events import CalendarAmended
    from shared.ids import ComplaintId
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader
    from shared.runtime.errors import UserError
    from shared.topics import DISPATCH_REVIEWS
    from shared.unreadable import NAMED_MAX

    city = city_up()
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        if complaint:
            ids = [(await complaint_called(connection, complaint)).complaint_id]
        else:
            await caught_up(connection)
            ids = [ComplaintId(one) for one in await by_other_calendar(connection, version)]
            for one, why in await unread_complaints(connection, NAMED_MAX):
                unread.note(f"the head of complaint {one}", why)
    finally:
        await connection.close()
    told = moved = 0
    for name in ids:
        data = inputs.AmendCalendar(complaint_id=name, calendar=version, reason=reason, amended_by=reviewer)
        try:
            facts = await effect(city, name, await tell(city, DISPATCH_REVIEWS, name, data))
        except UserError as error:  # the others are amended all the same
            amended = "not known whether it is amended" if isinstance(error, Unknown) else "not amended"
            unread.note(f"complaint {name}", f"{amended} ({error})")
            continue
        for fact in facts:
            if isinstance(fact, CalendarAmended):
                told += 1
                moved += fact.new_due_at != fact.old_due_at
    return told, moved
