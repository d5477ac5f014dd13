"""The published contract says everything: each field in words, each message by example, one type for each schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from hotline.contract.fields import EVERYWHERE, described
from shared.cloudevents import ATTRIBUTE_BYTES_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, VALUE_BYTES_MAX
from shared.events import SPEAKERS
from shared.inputs import INPUTS
from tests.generated import CONTRACT, SCHEMAS, python_types

MESSAGES: Final[dict[str, Any]] = CONTRACT["components"]["messages"]
EACH: Final = pytest.mark.parametrize("name", MESSAGES)


def properties(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property at any depth."""
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield f"{path}.{name}", inner
        for name, inner in schema.items():
            if name not in {"examples", "x-limits"}:
                yield from properties(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from properties(inner, f"{path}/{number}")


def test_every_property_of_every_schema_and_header_has_a_description() -> None:
    found = [
        (path, inner.get("description", "") or inner.get("const", ""))
        for part in ("schemas", "messages")
        for path, inner in properties(CONTRACT["components"][part], part)
    ]
    assert len(found) > 1_000
    assert [path for path, text in found if not text] == []


def test_no_sentence_stands_for_a_field_that_there_is_none_of() -> None:
    fields = {text for kind in (*SPEAKERS, *INPUTS.values()) for text in described(kind).values()}
    told = {inner["description"] for _, inner in properties(SCHEMAS, "")}
    assert {
        name for name, text in EVERYWHERE.items() if text not in fields | told and not _begins(told, text)
    } == set()


def _begins(told: set[str], text: str) -> bool:
    return any(one.startswith(text) for one in told)


def test_titles_are_unique_and_every_schema_and_message_has_one() -> None:
    for part in (SCHEMAS, MESSAGES):
        titles = Counter(one["title"] for one in part.values())
        assert set(titles.values()) == {1}


@EACH
def test_a_message_has_an_example_that_its_schema_allows(name: str) -> None:
    told = MESSAGES[name]
    (example,) = told["examples"]
    for part in ("headers", "payload"):
        schema = {"allOf": [told[part]], "components": CONTRACT["components"]}
        jsonschema_rs.Draft7Validator(schema).validate(example[part])


@EACH
def test_a_header_that_is_required_is_described_and_the_time_is_among_them(name: str) -> None:
    headers = MESSAGES[name]["headers"]
    if "$ref" in headers:
        assert "time" in SCHEMAS["Structured"]["required"]
    else:
        assert "ce_time" in headers["required"]
        assert set(headers["required"]) <= set(headers["properties"])


def test_sizes_clocks_keys_and_servers_stand_in_it() -> None:
    limits = CONTRACT["info"]["x-limits"]
    assert (limits["valueBytesMax"], limits["attributeBytesMax"]) == (VALUE_BYTES_MAX, ATTRIBUTE_BYTES_MAX)
    assert (limits["headersMax"], limits["headersBytesMax"]) == (HEADERS_MAX, HEADERS_BYTES_MAX)
    assert (limits["timeBehindDaysMax"], limits["timeAheadSecondsMax"]) == (1_096, 300)
    assert {one["protocol"] for one in CONTRACT["servers"].values()} == {"kafka", "kafka-secure"}
    assert CONTRACT["components"]["securitySchemes"]["scramSha512"]["type"] == "scramSha512"
    for channel in CONTRACT["channels"].values():
        assert channel["x-key"]
        assert channel["x-partitioner"] == "crc32"
        assert channel["bindings"]["kafka"]["partitions"] >= 1


def test_a_message_that_says_more_than_its_fact_refers_to_the_fact() -> None:
    assert [part.get("$ref") for part in SCHEMAS["OrderMovedTold"]["allOf"]] == [
        "#/components/schemas/OrderMoved",
        None,
    ]
    assert set(SCHEMAS["OrderMovedTold"]["allOf"][1]["properties"]) == {"complaint_number"}


def test_a_generator_for_python_makes_one_type_of_each_schema_and_reads_every_example(tmp_path: Path) -> None:
    types = python_types(tmp_path)
    assert [name for name in SCHEMAS if not hasattr(types, name)] == []
    for told in MESSAGES.values():
        kind = getattr(types, told["payload"]["$ref"].rsplit("/", 1)[1])
        kind.model_validate(told["examples"][0]["payload"])
