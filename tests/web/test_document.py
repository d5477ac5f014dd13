"""`docs/openapi.json`: a schema for every body, no field beside those named, and no answer that nobody foresaw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from hotline.contract.examples.told import input_example
from hotline.contract.openapi import text
from hotline.web.document import document
from hotline.web.documented_answers import problems_of
from hotline.web.events import BATCH, JSON
from hotline.web.paths import EVENTS, act_path
from hotline.web.roles import ACTS_OF, LINE_OF, HttpListener
from hotline.web.route_shapes import TakenBody
from hotline.web.routes import ROUTES, at
from shared.inputs import INPUTS, Input
from shared.structured import CONTENT_TYPE as STRUCTURED

DOCUMENT: Final[dict[str, Any]] = json.loads(text())
PAGE: Final = Path(__file__).parents[2] / "docs" / "openapi.json"


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == text()


def test_every_route_is_an_operation_and_every_act_has_one() -> None:
    assert {name for name, _ in operations()} == {f"{one.method} {one.path}" for one in ROUTES}
    acts = {kind for kinds in ACTS_OF.values() for kind in kinds}
    assert {one.input for one in ROUTES if one.takes is TakenBody.INPUT} == acts
    assert len({act_path(kind) for kind in acts}) == len(acts)
    assert acts == set(INPUTS.values()) - set(LINE_OF["telephony"].inputs)


def test_a_name_of_an_operation_stands_once() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_body_and_every_answer_has_a_schema() -> None:
    for name, operation in operations():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for told in (*bodies, *operation["responses"].values()):
            assert told["content"], name
            assert all(content["schema"] for content in told["content"].values()), name


def test_no_answer_is_a_fault_but_503_and_none_is_any() -> None:
    for name, operation in operations():
        statuses = set(operation["responses"])
        assert "default" not in statuses, name
        assert {status for status in statuses if status >= "500"} == {"503"}, name


def test_the_headers_that_an_answer_brings_are_named_and_are_always_there() -> None:
    brought: dict[str, set[str]] = {}
    for _, operation in operations():
        for status, told in operation["responses"].items():
            for header, how in told.get("headers", {}).items():
                assert how["required"]
                brought.setdefault(header, set()).add(status)
    assert brought == {"Retry-After": {"429", "503"}, "WWW-Authenticate": {"401"}, "Location": {"202"}}


def test_every_problem_of_a_route_is_in_the_document() -> None:
    for route in ROUTES:
        told = DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
        assert set(told) == {str(status) for status in route.answers} | (
            {"200"} if route.streams else set()
        ) | {str(route.status_of(problem)) for problem in problems_of(route)}


def test_every_input_refuses_unknown_fields() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for kind in INPUTS.values():
        assert schemas[kind.__name__]["additionalProperties"] is False
    assert schemas["Attachment"]["additionalProperties"] is False
    assert schemas["CloudEvent"]["additionalProperties"] is False


def test_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    told = text()
    named = {part.partition('"')[0] for part in told.split('"#/components/schemas/')[1:]}
    assert named <= set(schemas)


@pytest.mark.parametrize("kind", INPUTS.values(), ids=lambda kind: kind.__name__)
def test_every_example_of_an_input_is_valid_and_no_more(kind: type[Input]) -> None:
    schema = {**DOCUMENT, "$ref": f"#/components/schemas/{kind.__name__}"}
    validator = jsonschema_rs.Draft202012Validator(schema)
    told = input_example(kind)["payload"]
    assert [error.message for error in validator.iter_errors(told)] == []
    assert list(validator.iter_errors({**told, "phone": "1"}))


@pytest.mark.parametrize("kind", INPUTS.values(), ids=lambda kind: kind.__name__)
def test_every_example_of_an_input_is_valid_as_an_event_in_each_mode(kind: type[Input]) -> None:
    told = input_example(kind)["payload"]
    event = {
        "specversion": "1.0",
        "type": kind.TYPE,
        "source": "/agents",
        "id": "e-1",
        "time": "2021-09-24T08:00:00+08:00",
        "actorid": "p-1",
    }
    content = DOCUMENT["paths"][EVENTS]["post"]["requestBody"]["content"]
    for media_type, body in (
        (JSON, told),
        (STRUCTURED, {**event, "data": told}),
        (BATCH, [{**event, "data": told}]),
    ):
        validator = jsonschema_rs.Draft202012Validator({**DOCUMENT, **content[media_type]["schema"]})
        assert [error.message for error in validator.iter_errors(body)] == [], media_type
    assert list(validator.iter_errors([{**event, "data": told, "of": {}}]))


def test_each_listener_serves_its_own_part() -> None:
    public = document(at(HttpListener.PUBLIC))
    assert "/acts/request/record" in public["paths"]
    assert not any("order" in path or "review" in path for path in public["paths"])
    assert set(public["paths"]) | set(document(at(HttpListener.STAFF))["paths"]) == set(DOCUMENT["paths"])
