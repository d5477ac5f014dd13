"""Who is waited for, how long, and what is said: with programs of our own in the servers' places, so in a moment."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

import pytest

from deploy.embedded import starting
from deploy.embedded.errors import StackError
from deploy.embedded.patience import told_meanwhile
from deploy.embedded.server import accepts, last_error
from deploy.embedded.stack import Stack
from deploy.embedded.state import read_state
from tests.shell import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from signal import Signals

pytestmark = pytest.mark.programs

SERVES: Final = """
import pathlib, signal, socket, sys, time
signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell may start the tests with it ignored
while not pathlib.Path(sys.argv[2]).exists():
    time.sleep(0.02)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""
"""A server that takes its port once somebody allows it to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A part of a stack that answers as soon as a file is there."""

    version: ClassVar[str] = "1"
    stop_signal: ClassVar[Signals] = signal.SIGTERM
    stop_seconds_max: ClassVar[float] = 5.0
    orphan_signal: ClassVar[Signals] = signal.SIGKILL

    name: str
    label: str
    needed: bool
    folder: Path
    start_seconds_max: float = 60.0
    source: str = SERVES

    @property
    def port_names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def allowed(self) -> Path:
        return self.folder.parent / f"{self.name}.allowed"

    async def prepare(self, ports: Mapping[str, int]) -> None:
        pass

    def become(self) -> tuple[str, ...]:
        return ()

    def command(self, ports: Mapping[str, int]) -> tuple[str, ...]:
        return (sys.executable, "-c", self.source, str(ports[self.name]), str(self.allowed))

    def output(self) -> Path:
        return self.folder / "logs" / f"{self.name}.log"

    async def answers(self, ports: Mapping[str, int]) -> bool:
        return await accepts(ports[self.name])

    def last_words(self) -> str:
        return last_error(self.output(), among=("ERROR",))


class Place:
    """A stack whose parts are programs of ours."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.postgres = Program(name="postgres", label="PostgreSQL", needed=True, folder=folder)
        self.kafka = Program(name="kafka", label="Kafka", needed=True, folder=folder)
        self.zipkin = Program(name="zipkin", label="Zipkin", needed=False, folder=folder)
        self.stack = Stack(folder, die_with_parent=True)
        self.said: list[str] = []

    async def up(self, *, wait_for_all: bool = False) -> None:
        self.stack._make_folder()
        (self.stack.folder / "postgres.password").write_text("x")
        (self.stack.folder / "kafka.passwords").write_text("admin:x\nbroker:x\nnode:x\n")
        self.stack._fetch = _nothing  # type: ignore[method-assign]
        self.stack._servers = (self.postgres, self.kafka, self.zipkin)
        self.stack._starter = starting.Starter(self.stack.folder, self.stack._servers, die_with_parent=True)
        self.said.clear()
        await self.stack.up(self.said.append, wait_for_all=wait_for_all)

    def allow(self, *programs: Program) -> None:
        for program in programs:
            program.allowed.touch()

    def pid(self, name: str) -> int:
        return read_state(self.stack.folder).running[name].pid


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path / "stack")
    try:
        yield made
    finally:
        await made.stack.down()


async def test_a_viewer_that_is_slow_is_left_starting_and_everything_goes_on(place: Place) -> None:
    place.allow(place.postgres, place.kafka)
    await place.up()
    assert place.said[-1] == "Zipkin does not answer yet: traces come when it does"
    assert [line for line in place.said if "Zipkin" in line] == place.said[-1:]
    health = await place.stack.check()
    assert {name: (part.up, part.starting) for name, part in health.items()} == {
        "postgres": (True, False),
        "kafka": (True, False),
        "zipkin": (False, True),
    }
    pid = place.pid("zipkin")
    place.allow(place.zipkin)
    await place.up(wait_for_all=True)
    assert place.said == []
    assert place.pid("zipkin") == pid
    assert (await place.stack.check())["zipkin"].up


async def test_who_measures_waits_for_the_viewer_too(place: Place) -> None:
    place.allow(place.postgres, place.kafka)
    going = asyncio.create_task(place.up(wait_for_all=True))
    await _said(place, "Kafka 1 answers")
    assert not going.done()
    place.allow(place.zipkin)
    await going
    assert place.said[-1].startswith("Zipkin 1 answers on 127.0.0.1:")


async def test_a_viewer_that_fails_is_gone_on_without(place: Place) -> None:
    place.allow(place.postgres, place.kafka)
    place.zipkin = replace(place.zipkin, source="raise SystemExit('ERROR no room')")
    await place.up()
    assert place.said[-1].startswith("Zipkin stopped while it started: ERROR no room (its log: ")
    assert place.said[-1].endswith(" Going on without the trace viewer.")
    assert (await place.stack.check())["zipkin"].starting is False
    assert place.stack.dead_parts() == ["zipkin"]


async def test_the_next_up_waits_for_what_is_still_starting(place: Place) -> None:
    place.allow(place.postgres, place.zipkin)
    first = asyncio.create_task(place.up())
    await _said(place, "PostgreSQL 1 answers")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    pid = place.pid("kafka")
    second = asyncio.create_task(place.up())
    await _said(place, "Kafka is still starting, since ")
    place.allow(place.kafka)
    await second
    assert place.pid("kafka") == pid
    assert not any("again" in line or "died" in line for line in place.said)


async def test_who_is_past_its_start_and_silent_is_started_again_at_its_own_port(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.allow(place.postgres, place.kafka, place.zipkin)
    await place.up(wait_for_all=True)
    before = place.pid("kafka")
    ports = read_state(place.stack.folder).ports
    monkeypatch.setattr(starting, "HANGING_SECONDS_MAX", 0.1)
    place.kafka = replace(place.kafka, start_seconds_max=0.0)
    monkeypatch.setattr(Program, "answers", _all_but(before, place))
    going = asyncio.create_task(place.up())
    await _said(place, "does not answer; it is started again")
    await asyncio.gather(going, return_exceptions=True)
    assert not any("taken by another program" in line for line in place.said)
    assert read_state(place.stack.folder).ports == ports


async def test_who_was_stopped_for_being_slow_has_not_died_and_its_harmless_lines_are_not_quoted(
    place: Place,
) -> None:
    place.allow(place.postgres, place.zipkin)
    talks = "print('WARNING: Restricted methods will be blocked', flush=True)\n" + SERVES
    slow = replace(place.kafka, start_seconds_max=1.0, source=talks)
    place.kafka, patient = slow, place.kafka
    with pytest.raises(StackError) as refused:
        await place.up()
    assert str(refused.value).startswith(
        "Kafka did not answer within 1 s and was stopped: it was still starting (its log: "
    )
    place.kafka = patient
    place.allow(place.kafka)
    await place.up()
    assert not any("died" in line or "taken" in line for line in place.said)


async def test_an_error_it_told_is_quoted(place: Place) -> None:
    place.allow(place.postgres, place.zipkin)
    ends = "print('ERROR the disk is full')\nprint('WARNING: bye')\nraise SystemExit(1)"
    place.kafka = replace(place.kafka, source=ends)
    with pytest.raises(StackError, match="Kafka stopped while it started: ERROR the disk is full "):
        await place.up()


async def test_what_is_waited_for_is_said_as_long_as_it_lasts() -> None:
    said: list[str] = []
    missing = ["Kafka"]
    async with told_meanwhile(said.append, lambda: " ".join(missing), every_seconds=0.02):
        async with asyncio.timeout(PATIENCE * 20):
            while len(said) < 2:
                await asyncio.sleep(0.01)
        missing.clear()
        count = len(said)
        await asyncio.sleep(0.1)
        assert len(said) == count
    assert said[:2] == ["Kafka, 0 s so far", "Kafka, 0 s so far"]


def _all_but(pid: int, place: Place) -> object:
    """Everybody answers but the process with this id."""

    async def answers(self: Program, ports: Mapping[str, int]) -> bool:
        running = read_state(place.stack.folder).running.get(self.name)
        return running is not None and running.pid != pid and await accepts(ports[self.name])

    return answers


async def _said(place: Place, text: str) -> None:
    async with asyncio.timeout(PATIENCE * 20):
        while not any(text in line for line in place.said):
            await asyncio.sleep(0.02)


async def _nothing(say: object) -> None:
    """Nothing has to be fetched."""
    del say
