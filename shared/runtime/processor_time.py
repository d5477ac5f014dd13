"""How much of the processor each kind of work takes, by the clock of the thread; told once a batch."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Generic, TypeVar

_Result = TypeVar("_Result")


class ProcessorWork(StrEnum):
    """A kind of work of a desk's process; the label of `desk.processor_seconds`."""

    UNPACKING = "unpacking"
    """Reading messages: a record from Kafka to a command."""
    RULES = "rules"
    """Deciding commands on heads, and what the facts add up to."""
    POSTGRES = "postgres"
    """Asking the log and writing into it; without what the client reads from its socket."""


Tell = Callable[[ProcessorWork, float], None]
"""Takes seconds of the processor."""


@contextmanager
def measured(work: ProcessorWork, tell: Tell) -> Iterator[None]:
    """Work that waits for nothing: nobody else of this thread goes on meanwhile."""
    began = time.thread_time()
    try:
        yield
    finally:
        tell(work, time.thread_time() - began)


class Measured(Generic[_Result]):
    """Work that waits: only the steps between its waits count, and not what others do meanwhile."""

    def __init__(self, work: ProcessorWork, tell: Tell, inner: Awaitable[_Result]) -> None:
        """`inner` is awaited once, in the same task."""
        self._work = work
        self._tell = tell
        self._inner = inner

    def __await__(self) -> Generator[Any, Any, _Result]:
        """Go on as `inner` does, with its result, its errors and its end from outside."""
        steps: Any = self._inner.__await__()
        spent, error = 0.0, None
        try:
            while True:
                began = time.thread_time()
                try:
                    waits_for = next(steps) if error is None else steps.throw(error)
                except StopIteration as end:
                    result: _Result = end.value
                    return result
                finally:
                    spent += time.thread_time() - began
                try:
                    yield waits_for
                    error = None
                except BaseException as thrown:  # noqa: BLE001 -- handed on, whatever it is
                    error = thrown
        finally:
            self._tell(self._work, spent)
