"""How much may be parked before a door stops: much of what came last, never a little, never for ever."""

from __future__ import annotations

from shared.parking import PARDONED, PARKED_MIN, Share

WINDOW = 1000


def share(share_max: float = 0.5) -> Share:
    return Share(WINDOW, share_max)


def test_a_little_nonsense_stops_no_door_even_if_nothing_else_comes() -> None:
    quiet = share()
    quiet.add(PARKED_MIN - 1, PARKED_MIN - 1)
    assert quiet.too_much() is None
    assert quiet.too_much(1, 1) == "100 of the last 100 messages could not be taken in, at most 50% may"


def test_what_lies_further_back_than_the_window_is_forgotten() -> None:
    busy = share()
    for _ in range(100):
        busy.add(100, 0)
    for _ in range(5):
        busy.add(100, 100)
    assert busy.too_much() is None  # half of the last thousand, and half may
    busy.add(100, 100)
    assert busy.too_much() is not None
    for _ in range(5):
        busy.add(100, 0)
    assert busy.too_much() is None


def test_a_batch_is_judged_before_it_is_taken_in() -> None:
    busy = share()
    busy.add(1000, 0)
    assert busy.too_much(900, 900) is None
    assert busy.too_much(1100, 1100) is not None
    assert busy.too_much() is None


def test_at_a_share_of_one_no_door_stops() -> None:
    every = share(1)
    every.add(5000, 5000)
    assert every.too_much(5000, 5000) is None


def test_once_a_person_has_looked_it_goes_on_for_a_while_and_is_judged_anew() -> None:
    stopped = share()
    stopped.add(1000, 1000)
    assert stopped.too_much() is not None
    stopped.pardon()
    assert stopped.too_much(4000, 4000) is None
    stopped.add(4000, 4000)
    stopped.add(PARDONED - 4000, PARDONED - 4000)
    assert stopped.too_much() is None
    stopped.add(1000, 1000)
    assert stopped.too_much() is not None
