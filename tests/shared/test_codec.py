"""Facts to bytes and back; and every shape ever stored can still be read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared.events import Fact
from shared.log.codec import TYPES, UnknownType, ce_type_of, decoded, encoded, fact_type_of
from tests.examples import FACTS

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_comes_back_as_it_was_and_always_gives_the_same_bytes(fact: Fact) -> None:
    body = encoded(fact)
    assert decoded(type(fact).__name__, fact.SCHEMA, body) == fact
    assert encoded(decoded(type(fact).__name__, fact.SCHEMA, body)) == body


def test_there_is_an_example_of_every_fact() -> None:
    assert {type(fact).__name__ for fact in FACTS} == set(TYPES)


def test_there_is_a_golden_file_of_every_shape_ever_stored() -> None:
    expected = {f"{name}.v{v}.json" for name, kind in TYPES.items() for v in range(1, kind.SCHEMA + 1)}
    assert {file.name for file in GOLDEN.glob("*.json")} == expected


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.name)
def test_what_was_stored_once_can_be_read_for_ever(file: Path) -> None:
    name, version, _ = file.name.split(".")
    fact = decoded(name, int(version[1:]), file.read_bytes())
    if int(version[1:]) == fact.SCHEMA:
        assert encoded(fact) == file.read_bytes()


@pytest.mark.parametrize(("name", "version"), [("OrderEaten", 1), ("OrderSigned", 99)])
def test_a_fact_of_a_newer_system_is_not_guessed(name: str, version: int) -> None:
    with pytest.raises(UnknownType, match=name):
        decoded(name, version, b"{}")


def test_a_fact_without_its_time_zone_is_not_taken() -> None:
    body = encoded(FACTS[0]).replace(b"Z", b"")
    with pytest.raises(msgspec.ValidationError, match="tz|timezone"):
        decoded(type(FACTS[0]).__name__, 1, body)


def test_the_type_travels_by_name_and_version() -> None:
    assert ce_type_of("OrderSigned", 1) == b"hotline.OrderSigned.v1"
    assert fact_type_of(b"hotline.OrderSigned.v1") == ("OrderSigned", 1)
    assert fact_type_of(b"hotline.OrderSigned.v9") is None
