"""A history of appends that cannot be is found out, whichever way it is impossible."""

from __future__ import annotations

import pytest

from hotline.lab.chaos.appends import AppendAnswer, Attempt, impossible

S = "complaint"
LOG = {S: {1: "a", 2: "b", 3: "c"}}


def attempt(
    on: int, *facts: str, answer: AppendAnswer = AppendAnswer.WRITTEN, at: tuple[float, float] | None = None
) -> Attempt:
    began_at, ended_at = at or (float(on), on + 0.5)
    return Attempt(stream=S, decided_on=on, facts=facts, began_at=began_at, ended_at=ended_at, answer=answer)


GOOD = [attempt(0, "a"), attempt(1, "b"), attempt(2, "c")]


@pytest.mark.parametrize(
    "more",
    [
        [],
        [attempt(1, "x", answer=AppendAnswer.MOVED)],
        [attempt(3, "x", answer=AppendAnswer.NOTHING)],  # nobody knows, and it was not written
        [attempt(1, "b", answer=AppendAnswer.NOTHING), attempt(1, "b", answer=AppendAnswer.MOVED, at=(5, 6))],
    ],
)
def test_what_can_be_is_not_blamed(more: list[Attempt]) -> None:
    assert impossible([*GOOD, *more], LOG) == []


def test_what_was_written_without_an_answer_may_be_there() -> None:
    told_nothing = [attempt(0, "a"), attempt(1, "b", answer=AppendAnswer.NOTHING), attempt(2, "c")]
    assert impossible(told_nothing, LOG) == []


def test_at_the_same_time_any_order_may_be() -> None:
    together = [attempt(0, "a", at=(0, 1)), attempt(1, "b", at=(0, 9)), attempt(2, "c", at=(0, 8))]
    assert impossible(together, LOG) == []


@pytest.mark.parametrize(
    ("history", "log", "said"),
    [
        ([*GOOD, attempt(3, "d")], LOG, "version 4 was acknowledged and is not in the log"),
        (GOOD, {S: {1: "a", 3: "c"}}, "its versions are [1, 3]"),
        (GOOD, {S: {1: "a", 2: "x", 3: "c"}}, "nobody wrote ['x']"),
        (
            [attempt(0, "a"), attempt(1, "b", answer=AppendAnswer.MOVED), attempt(2, "c")],
            LOG,
            "version 2 was refused",
        ),
        ([*GOOD, attempt(1, "y")], LOG, "two writers were accepted on version 1"),
        (
            [attempt(0, "a", at=(5, 6)), attempt(1, "b", at=(1, 2)), attempt(2, "c", at=(7, 8))],
            LOG,
            "version 2 was written before one in front of it",
        ),
    ],
)
def test_what_cannot_be_is_named(history: list[Attempt], log: dict[str, dict[int, str]], said: str) -> None:
    assert any(said in one for one in impossible(history, log)), impossible(history, log)
