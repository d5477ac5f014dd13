"""What `hotline calls` reads of the messages (A3)."""

from dataclasses import replace
from datetime import datetime, timedelta

from msgspec.structs import replace as changed

from services.intake import views
from services.intake.messages import Message, Response, responses
from shared.ids import complaint_id
from shared.ruleset import ruleset
from tests import examples as eg
from tests.examples import CALLED_AT, HOUR
from tests.hotline.conftest import Desks

MESSAGES = ruleset("beijing-draft-2021").messages


async def test_what_was_sent_in_an_interval_is_found_in_the_log(desks: Desks) -> None:
    """A3: by message only, in order, and wherever in the log it begins."""
    for number, (channel, wait) in enumerate([("sms", 2), ("web", 90), ("phone", None), ("sms", 4)]):
        name = f"message-{number}"
        at = CALLED_AT + number * HOUR
        changes: dict[str, object] = {"request_id": name, "call_id": None, "channel": channel}
        if wait is not None:
            changes["sent_at"] = at - timedelta(minutes=wait)
        await desks.tell_unheard(
            replace(eg.RECORD, request=changed(eg.REQUEST, **changes), complaint_id=complaint_id(name), at=at)
        )

    async def found(since: datetime, until: datetime) -> list[Message]:
        return await views.messages(desks.owner, since, until)

    every = await found(CALLED_AT - HOUR, CALLED_AT + 4 * HOUR)
    assert [message.channel for message in every] == ["sms", "web", "sms"]
    sms = next(one for one in responses(every, MESSAGES) if one.channel == "sms")
    assert sms == Response("sms", timedelta(minutes=3), 2, 1, 180.0)
    assert await found(CALLED_AT, CALLED_AT + HOUR) == every[1:2], "its beginning excluded, its end included"
    assert await found(CALLED_AT + 30 * HOUR, CALLED_AT + 60 * HOUR) == []
