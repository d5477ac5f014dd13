"""Which topics belong to a door: the plain one, those of logins, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from faststream._internal.utils.path import Address
from faststream.kafka.subscriber.usecase import KAFKA_ADDRESS_SYNTAX
from hypothesis import given
from hypothesis import strategies as st

from shared.doors.heard import by_login, door_of, line_of, of_login, pattern
from shared.topic_names import UNIT_NAME, names
from shared.topics import COMPLAINTS_LOG, DISPATCH_REPLIES, DISPATCH_REVIEWS, TOPICS, Topic

PREFIXES = ("", "west.", "a+b.", "intake.")
SPOKEN = [line for line in TOPICS if line.speaker != "relay"]
SHARED = [line for line in SPOKEN if not line.per_unit]
LOGINS = ("web", "app-2", "a", "0", "x_y", "a" * 80)
NONE = ("", "Web", "-a", "_a", "a.b", "a b", "网", "a" * 81, "a\n", "a$", ".", "a/")


def topics(line: Topic, prefix: str) -> Iterator[str]:
    """Every topic of a line in a city of two units and a few logins."""
    yield from names(prefix, ("street-a", "b")) if line is None else ()
    if line.per_unit:
        yield from (prefix + line.of(unit) for unit in LOGINS)
        return
    yield prefix + line.name
    if by_login(line):
        yield from (prefix + of_login(line, login) for login in LOGINS)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("line", TOPICS, ids=lambda line: line.name)
def test_a_pattern_takes_the_topics_of_its_line_and_of_no_other_line_or_city(
    line: Topic, prefix: str
) -> None:
    mine = re.compile(pattern(line, prefix))
    for other in TOPICS:
        for city in PREFIXES:
            for topic in topics(other, city):
                assert bool(mine.match(topic)) == (other is line and city == prefix), topic


@pytest.mark.parametrize("line", SPOKEN, ids=lambda line: line.name)
def test_what_only_looks_like_a_topic_of_the_door_is_not_heard(line: Topic) -> None:
    mine = re.compile(pattern(line, "west."))
    plain = "west." + line.name.removesuffix(".{unit}")
    wrong = [f"{plain}.{login}" for login in NONE]
    wrong += [
        f"{plain}x",
        f"x{plain}",
        f"x.{plain}.web",
        plain.replace(".", "-"),
        f"{plain}.web.",
        f"{plain}..web",
    ]
    assert not [topic for topic in wrong if mine.match(topic)]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("line", TOPICS, ids=lambda line: line.name)
def test_a_topic_says_its_line(line: Topic, prefix: str) -> None:
    for topic in topics(line, prefix):
        assert line_of(topic, prefix) is line
    assert line_of(prefix + "gossip", prefix) is None
    assert line_of(prefix + DISPATCH_REVIEWS.name + "x", prefix) is None


@pytest.mark.parametrize("line", SPOKEN, ids=lambda line: line.name)
def test_faststream_hands_the_pattern_on_as_it_is(line: Topic) -> None:
    """Braces are parameters to it; ours count letters."""
    wanted = pattern(line, "west.")
    assert Address(wanted, KAFKA_ADDRESS_SYNTAX).broker_address == wanted


def test_every_door_of_several_speakers_has_topics_by_login_and_its_results_too_and_no_other() -> None:
    of_results = [line for line in TOPICS if line.name in {door.results for door in SHARED}]
    assert [line for line in TOPICS if by_login(line)] == [*SHARED, *of_results]
    assert len(SHARED) == len(of_results) == 5
    for line in (COMPLAINTS_LOG, DISPATCH_REPLIES):
        with pytest.raises(ValueError, match="no login has a topic of its own here"):
            of_login(line, "web")


@given(st.text(max_size=90))
def test_a_login_looks_as_a_units_id_does_or_is_refused(login: str) -> None:
    if UNIT_NAME.fullmatch(login):
        assert line_of(of_login(DISPATCH_REVIEWS, login), "") is DISPATCH_REVIEWS
    else:
        with pytest.raises(ValueError, match="expected lower-case letters"):
            of_login(DISPATCH_REVIEWS, login)


def test_doors_are_called_as_they_were() -> None:
    """Their names stand in the groups of Kafka, and in es.door_stopped."""
    assert [door_of(line) for line in (*SPOKEN, COMPLAINTS_LOG)] == [
        "calls", "requests", "replies", "reviews", "visit-results", "exceptions", "log",
    ]  # fmt: skip
