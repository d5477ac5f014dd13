"""How much may be parked before a topic stops: much of what came last, never a little, never for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.doors.parking_limit import PARDONED, PARKED_MIN, STEPS, Share

WINDOW = 1000


def share(share_max: float = 0.5) -> Share:
    return Share(WINDOW, share_max)


def test_a_little_nonsense_stops_no_topic_even_if_nothing_else_comes() -> None:
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


def test_at_a_share_of_one_no_topic_stops() -> None:
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


def test_what_was_good_is_remembered_whatever_was_heard_before_the_first_nonsense() -> None:
    """A window whose good half is one number until then must be left behind step by step, not at once."""
    good = share()
    for _ in range(700):
        good.add(1, 0)
    for _ in range(499):
        good.add(1, 1)
    assert good.too_much() is None
    for _ in range(WINDOW // STEPS + 2):
        good.add(1, 1)
    assert good.too_much() is not None


BATCHES = st.lists(
    st.integers(1, 400).flatmap(lambda heard: st.tuples(st.just(heard), st.integers(0, heard))), max_size=100
)


@given(BATCHES)
def test_a_window_stays_small_however_much_comes(batches: list[tuple[int, int]]) -> None:
    """A door has one for each of hundreds of topics."""
    one = share()
    for heard, parked in batches:
        one.add(heard, parked)
        assert one.size <= 2 * STEPS + 2


def test_a_topic_of_which_nothing_was_parked_takes_no_room() -> None:
    one = share()
    for _ in range(10_000):
        one.add(3, 0)
    assert one.size == 0
    one.add(1, 1)
    assert one.size > 0
    for _ in range(2 * WINDOW):
        one.add(1, 0)
    assert one.size == 0


RUNS = st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=8)


@given(RUNS)
def test_it_says_what_a_list_of_every_message_says_but_for_one_step_of_the_window(
    runs: list[tuple[int, bool]],
) -> None:
    """The window is never shorter than it is said to be, and longer by one step at most."""
    one, parked_by = share(), [0]
    for length, bad in runs:
        for _ in range(length):
            one.add(1, int(bad))
            parked_by.append(parked_by[-1] + bad)
        heard = len(parked_by) - 1
        windows = {min(size, heard) for size in range(WINDOW, WINDOW + WINDOW // STEPS + 1)}
        verdicts = {
            parked >= PARKED_MIN and parked > 0.5 * size
            for size in windows
            for parked in (parked_by[heard] - parked_by[heard - size],)
        }
        assert (one.too_much() is not None) in verdicts
