"""One real Kafka and PostgreSQL for a test session, started by the first test that asks; see `sources.py`.

With pytest-xdist, as `make test` runs it, each worker is a session with servers of its own. The tests of a file stay
together, and so do all that stand on one more stack. Connected files come first: the short pure ones fill up the end.

`stack`     addresses of the session's Kafka and PostgreSQL
`database`  the owner's DSN of a fresh migrated database, gone after the test
`typed_stack`  the folder of a running stack for commands that are typed, and find it up as they begin
`city`      makes cities: database, topics and, where asked, running services; gone after the test
`measured`  takes a line with figures for the end of the report: what is told, not asserted
`town`      one city for all tests of the session that only speak to its doors: four desks, relay, system time
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from deploy.city import making
from deploy.embedded.stack import Addresses
from shared.runtime.errors import UserError
from tests.city import City, open_city
from tests.sources import Databases, embedded, stack_of_session

TESTS: Final = Path(__file__).parent
MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- pytest makes a folder of our own in it
STACKS: Final = ("typed_stack", "bench_stage")
"""Fixtures that are a stack beside the session's."""
MEMORY_FREE_MIN: Final = 8 * 1024**3
"""Bytes free in memory for the tests' folders to lie there: all tests together leave 3 GB behind in them."""


def pytest_configure(config: pytest.Config) -> None:
    """The tests' folders lie in memory where there is enough: Kafka makes some 50 partitions a second on a disk."""
    asked = config.option.basetemp or "PYTEST_DEBUG_TEMPROOT" in os.environ
    if not asked and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_FREE_MIN:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives a worker whole files, and one worker all files that stand on one more stack of theirs."""

    def _split_scope(self, nodeid: str) -> str:
        """The group of a test; the tests of a group run in one worker."""
        return _group(nodeid.partition("::")[0])


@cache
def _group(file: str) -> str:
    text = (TESTS.parent / file).read_text(encoding="utf-8")
    return next((name for name in STACKS if f"{name}:" in text), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Use `ByFile`. The mark `xdist_group` has no effect: xdist 3.8 sets an attribute that pytest 9.2 does not read."""
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever asks for the stack is `connected`, marked or not: a pure run can never start it."""
    for item in items:
        if {"stack", "typed_stack"} & set(getattr(item, "fixturenames", ())) and not any(
            item.iter_markers("connected")
        ):
            item.add_marker(pytest.mark.connected)
    if hasattr(config, "workerinput"):
        connected = {item.path for item in items if any(item.iter_markers("connected"))}
        items.sort(key=lambda item: item.path not in connected)


def pytest_collection_finish() -> None:
    """What is collected stays to the end: the garbage collector need not look through it a thousand times."""
    gc.collect()
    gc.freeze()


# A slow machine is no failure: no test asserts speed, Hypothesis' own checks of it included.
settings.register_profile("hotline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hotline")

_MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Callable[[str], None]:
    return pytestconfig.stash.setdefault(_MEASURED, []).append


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker has measured is told with the rest."""
    lines = getattr(node, "workeroutput", {}).get("measured", [])
    node.config.stash.setdefault(_MEASURED, []).extend(lines)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it has measured."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["measured"] = session.config.stash.get(_MEASURED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was measured."""
    lines = config.stash.get(_MEASURED, [])
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Addresses]:
    async with AsyncExitStack() as running:
        try:
            source = stack_of_session(tmp_path_factory.mktemp("session"))
            addresses = await running.enter_async_context(source)
        except UserError as error:  # one sentence, once, not a trace for every test that asks
            request.session.shouldstop = str(error)  # from a worker to who started it
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        yield addresses


@pytest.fixture(scope="session")
async def typed_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """For commands of which the servers' start is not what is tested; one city at a time, as for anybody."""
    folder = tmp_path_factory.mktemp("typed") / ".stack"
    async with embedded(folder):
        yield folder


@pytest.fixture(scope="session")
async def databases(stack: Addresses) -> AsyncIterator[Databases]:
    made = Databases(stack, making.migrate)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def database(stack: Addresses, databases: Databases) -> AsyncIterator[str]:
    name = await databases.make()
    try:
        yield stack.database(name)
    finally:
        await databases.drop(name)


@pytest.fixture
async def city(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[..., Awaitable[City]]]:
    """`await city(**options)`, the options of `tests.city.open_city`."""
    async with AsyncExitStack() as cities:

        async def make(**options: Any) -> City:
            folder = tmp_path_factory.mktemp("city")
            return await cities.enter_async_context(open_city(stack, databases, folder, **options))

        yield make


@pytest.fixture(scope="session")
async def town(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    async with open_city(stack, databases, tmp_path_factory.mktemp("town")) as made:
        # Its doors hear much nonsense from many tests; when a door stops is tried in a city of its own.
        desks = ("intake", "dispatch", "feedback")
        await made.start(extra={f"{desk.upper()}_PARKED_SHARE_MAX": "1" for desk in desks})
        yield made
