"""Logins as a person makes them: by commands, in a city that `hotline up` opened, over its next opening."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from shared.runtime import kafka_address
from tests.shell import Shell

pytestmark = pytest.mark.connected

UNIT: Final = "street-dongcheng-donghuamen"
CALL: Final = (
    "call", "--subject", "社会秩序/噪声扰民", "--district", "东城区", "--street", "东华门街道",
    "--title", "半夜施工", "--json",
)  # fmt: skip
WAITING: Final = 3
PATIENCE_SECONDS: Final = 60.0


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder where `hotline up` was typed."""
    made = Shell(tmp_path_factory.mktemp("logins"))
    try:
        made("up")
        yield made
    finally:
        made("down")


def heard(told: dict[str, Any], least: int) -> list[str]:
    """The keys of the first so many messages that come to a consumer with these settings, as they were printed."""
    settings = told["librdkafka"]
    consumer = Consumer({**settings["client"], **settings["consumer"], "log_level": 0})
    consumer.subscribe(told["reads"])
    keys: list[str] = []
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while len(keys) < least and time.monotonic() < until:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                keys.append(bytes(message.key() or b"").decode())
    finally:
        consumer.close()
    return keys


def is_let_in(told: dict[str, Any]) -> bool:
    try:
        AdminClient({**told["librdkafka"]["client"], "log_level": 0}).list_topics(timeout=5)
    except KafkaException:
        return False
    return True


def test_a_new_department_hears_the_orders_that_waited_and_its_login_lasts_over_the_next_opening(
    shell: Shell,
) -> None:
    complaints = [json.loads(shell(*CALL))["complaint_id"] for _ in range(WAITING)]
    told = json.loads(shell("unit", "add", UNIT, "--json"))
    assert told["role"] == "unit"
    assert told["groups"] == f"unit.{UNIT}."
    assert told["writes"] == {f"dispatch.replies.{UNIT}": 1}
    assert heard(told, WAITING) == complaints
    password = told["librdkafka"]["client"]["sasl.password"]
    assert password not in (shell.stack / "city.json").read_text()
    dialler = json.loads(shell("login", "add", "dialler", "--json"))

    shell("down")
    shell("up")
    for kept in (told, dialler):  # a port that nobody took meanwhile is the same
        assert is_let_in(kept)
    shown = json.loads(shell("login", "list", "--json"))
    assert [one["login"] for one in shown] == ["dialler", f"unit-{UNIT}"]
    assert shown[0]["writes"] == ["feedback.visit-results"]

    again = json.loads(shell("login", "renew", "unit", UNIT, "--json"))
    assert not is_let_in(told)
    assert is_let_in(again)
    assert shell("login", "remove", "unit", UNIT) == f"The login unit-{UNIT} is gone.\n"
    assert not is_let_in(again)


def test_a_city_of_up_has_no_login_that_writes_at_two_doors_and_each_command_has_its_roles(
    shell: Shell,
) -> None:
    logins = json.loads((shell.stack / "city.json").read_text())["endpoints"]["kafka_logins"]
    assert "outside" not in logins
    assert {name for name in logins if name.startswith("command-")} == {
        f"command-{role}" for role in ("telephony", "agents", "unit", "reviewers", "dialler", "supervision")
    }
    complaint = json.loads(shell(*CALL))["complaint_id"]
    said = shell("unit", "return", complaint, "--unit", UNIT, "--reason", "not ours", "--evidence", "a map")
    assert said.startswith("Return requested")
    assert shell("review", "approve", complaint) == "Returned: it lies with district-dongcheng now.\n"


def test_what_a_role_may_not_is_refused_in_a_sentence_and_the_next_opening_mends_it(shell: Shell) -> None:
    endpoints = shell.city().endpoints
    admin = AdminClient(kafka_address.librdkafka(endpoints.kafka))
    rights = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{endpoints.name}-command-agents", None,  # type: ignore[arg-type]
        AclOperation.ANY, AclPermissionType.ANY,
    )  # fmt: skip
    (gone,) = admin.delete_acls([rights]).values()
    assert gone.result(30)
    said = shell(*CALL, code=1)
    assert said.startswith("Kafka refused it: the login of the role 'agents' may not write here.")
    shell("down")
    shell("up")
    assert json.loads(shell(*CALL))["complaint_id"]


def test_a_second_add_and_a_role_that_is_none_are_refused(shell: Shell) -> None:
    shown = shell("login", "add", "unit", "street-nowhere")
    assert "The password is shown this once" in shown
    assert "auto.offset.reset=earliest" in shown
    assert "The catalogue has no unit street-nowhere" in shown
    assert "`hotline login renew unit street-nowhere`" in shell("unit", "add", "street-nowhere", code=1)
    assert "no role “relay”: expected one of telephony" in shell("login", "add", "relay", code=2)
    assert "a unit's login needs the unit's id" in shell("login", "add", "unit", code=2)
    assert "UNIT: expected an id of a-z, 0-9, _ and -" in shell("unit", "add", "Straße", code=2)
    assert "no login auditors" in shell("login", "remove", "auditors", code=1)
