"""Intake seals what it takes out of a text with the facts that hold the marks, and with no others (R9)."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from services.intake.inbound import requests
from services.intake.rules import decide
from services.intake.settings import Settings
from shared.contacts.details import CannotUnseal, MasterKey, public_written
from shared.contacts.sealing import Sealed
from shared.contacts.texts import WHAT, TextNumber, numbers_read
from shared.desk import Desk
from shared.inputs import CorrectRequest, Input, SupplementRequest, WithdrawRequest
from shared.log.memory import Memory, MemoryLog
from shared.runtime.errors import UserError
from shared.runtime.telemetry import Telemetry
from tests.doors import clock, filled, message
from tests.examples import ID, REQUEST

MASTER: Final = MasterKey(bytes(range(32)))
MOBILE: Final = "13800138000"
SETTINGS: Final = Settings(
    kafka="not asked",
    postgres="not asked",
    ruleset="beijing-draft-2021",
    contacts_public_key=public_written(MASTER),
)
ABOUT: Final = {"request_id": REQUEST.request_id}


class Intake:
    """The desk on a log in memory."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.memory = Memory(clock().now)
        self.desk = Desk("intake", decide, MemoryLog(self.memory, "intake"), Telemetry("intake"))
        self.door = requests(settings, clock())

    async def told(self, *inputs: Input, first: int = 1) -> None:
        messages = [
            message(one, "intake.requests", event_id=str(place), offset=place)
            for place, one in enumerate(inputs, start=first)
        ]
        await self.desk.obey(filled(self.door, *messages))

    def said(self) -> str:
        return b"".join(one.body for one in self.memory.facts).decode() + "".join(
            text for _, _, text in self.memory.heads.values()
        )

    def sealed(self) -> list[TextNumber]:
        return [
            number
            for one in self.memory.sealed.values()
            for number in numbers_read(
                MASTER.opened(one.complaint_id, Sealed(one.sealed, one.key, one.master), WHAT)
            )
        ]


async def test_a_fact_holds_the_mark_and_the_vault_what_it_stands_for() -> None:
    intake = Intake()
    await intake.told(
        msgspec.structs.replace(REQUEST, title=f"停水，打{MOBILE}", content="没有号码"),
        SupplementRequest(**ABOUT, text="房东13900139000不管"),
        CorrectRequest(**ABOUT, content="房东电话010-65121234", corrected_by="agent"),
    )
    assert MOBILE not in intake.said()
    assert intake.said().count("停水，打〔电话1〕") >= 2
    assert [(one.field, one.mark, one.number) for one in intake.sealed()] == [
        ("title", "〔电话1〕", MOBILE),
        ("text", "〔电话1〕", "13900139000"),
        ("content", "〔电话1〕", "010-65121234"),
    ]
    assert {key[0] for key in intake.memory.sealed} == {ID}
    (first, *_) = intake.memory.sealed.values()
    with pytest.raises(CannotUnseal):
        MASTER.opened("0" * 8 + ID[8:], Sealed(first.sealed, first.key, first.master), WHAT)


async def test_told_again_it_is_neither_stated_nor_kept_again() -> None:
    intake, request = Intake(), msgspec.structs.replace(REQUEST, content=f"打{MOBILE}")
    await intake.told(request)
    facts = len(intake.memory.facts)
    await intake.told(request)
    await intake.told(request, first=9)
    assert (len(intake.memory.facts), len(intake.memory.sealed)) == (facts, 1)
    assert not intake.memory.parked


async def test_what_is_refused_or_set_aside_keeps_nothing() -> None:
    intake = Intake()
    await intake.told(SupplementRequest(**ABOUT, text=f"打{MOBILE}"))  # of a request nobody knows
    await intake.told(REQUEST, WithdrawRequest(**ABOUT), first=3)
    await intake.told(SupplementRequest(**ABOUT, text=f"打{MOBILE}"), first=9)  # its life has ended
    assert intake.memory.sealed == {}
    assert MOBILE not in intake.said()


async def test_without_a_key_the_text_stays_as_it_is() -> None:
    intake = Intake(settings_with(contacts_public_key=""))
    await intake.told(msgspec.structs.replace(REQUEST, content=f"打{MOBILE}"))
    assert MOBILE in intake.said()
    assert intake.memory.sealed == {}


def settings_with(**more: str) -> Settings:
    return SETTINGS.model_copy(update=more)


@pytest.mark.parametrize(
    "given", [{"contacts_public_key": "x"}, {"contacts_public_key": "", "contacts_public_key_file": "/none"}]
)
def test_a_key_that_cannot_be_read_stops_the_start(given: dict[str, str]) -> None:
    with pytest.raises(UserError, match="public key cannot be read"):
        requests(settings_with(**given), clock())
