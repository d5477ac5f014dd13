"""The README's `Connect by HTTP`, typed as it stands there, in a city that `hotline up` opened."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import httpx2
import pytest

from tests.shell import PROJECT, Shell, until

pytestmark = pytest.mark.connected

BLOCK: Final = r"^### Connect by {}$.*?^```sh\n(.*?)^```$"
BASH: Final = shutil.which("bash") or "/bin/bash"
STATUS: Final = re.compile(r"^# (\d{3}) ", re.MULTILINE)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(tmp_path_factory.mktemp("http"))
    try:
        made("up")
        yield made
    finally:
        made("down")


def lines(name: str) -> list[str]:
    """The commands of this block, each with the comment that says what is answered."""
    page = (PROJECT / "README.md").read_text(encoding="utf-8")
    found = re.search(BLOCK.format(name), page, re.DOTALL | re.MULTILINE)
    assert found is not None
    return [part for part in found[1].split("\n\n") if part.strip()]


def typed(line: str, told: dict[str, str]) -> Any:
    """The answer to a line; its status must be the one that the comment names."""
    done = subprocess.run(
        [BASH, "-c", line.replace("curl -s", "curl -s -w '\\n%{http_code}'")],
        env={**os.environ, "NO_PROXY": "*", **told},
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    wanted = STATUS.search(line)
    assert wanted is not None
    assert status == wanted[1], f"{line}\n{done.stdout}"
    return json.loads(body)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_every_line_is_typed_and_answered_as_the_page_says(shell: Shell) -> None:
    status = json.loads(shell("status", "--json"))
    assert f"HTTP         {status['http']} for systems" in shell("up")
    told = {"PUBLIC": status["http"], "STAFF": status["http_staff"]}
    told["AGENTS"] = json.loads(shell("key", "add", "agents", "--json"))["key"]
    record, orders, follow, sign, send = lines("HTTP")
    recorded = typed(record, told)
    assert recorded["facts"][0]["type"] == "hotline.ComplaintReceived.v1"
    told |= {"COMPLAINT": recorded["complaint_id"], "UNIT": recorded["order"]["unit"]}
    told["UNITS"] = json.loads(shell("key", "add", "unit", told["UNIT"], "--json"))["key"]
    rows = typed(orders, told)["complaints"]
    assert [row["complaint_number"] for row in rows] == [recorded["complaint_number"]]
    done = subprocess.run(
        [BASH, "-c", follow], check=False, env={**os.environ, "NO_PROXY": "*", **told}, capture_output=True
    )
    assert recorded["complaint_number"] in done.stdout.decode()
    assert typed(sign, told)["facts"][0]["type"] == "hotline.OrderSigned.v1"
    (accepted,) = typed(send, told)["events"]
    assert accepted["id"] == "add-1"
    until(lambda: "楼上也没有水" in shell("show", recorded["complaint_id"]))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_every_line_of_open311_is_typed_and_answered_as_the_page_says(shell: Shell) -> None:
    told = {"PUBLIC": json.loads(shell("status", "--json"))["http"]}
    told["AGENTS"] = json.loads(shell("key", "add", "agents", "--json"))["key"]
    services, send, token, read, add, updates = lines("Open311")
    assert "water-supply" in {one["service_code"] for one in typed(services, told)}
    told["TOKEN"] = typed(send, told)[0]["token"]
    until(lambda: "service_request_id" in typed(token, told)[0])
    told["NUMBER"] = typed(token, told)[0]["service_request_id"]
    until(lambda: "expected_datetime" in typed(read, told)[0])
    (one,) = typed(read, told)
    assert (one["status"], one["service_name"], one["description"]) == ("open", "Water supply", "没有水")
    assert [note["type"] for note in one["notes"]][:2] == ["open", "investigating"]
    update = typed(add, told)[0]["update_id"]
    assert update.startswith("open311-")
    until(lambda: "楼上也没有水" in shell("show", told["NUMBER"]))
    assert {one["service_request_id"] for one in typed(updates, told)} == {told["NUMBER"]}


def asked(address: str, key: str) -> int:
    """The status of an answer to this key."""
    headers = {"Authorization": f"Bearer {key}"}
    try:
        return httpx2.get(address, headers=headers, timeout=30, trust_env=False).status_code
    except httpx2.TransportError:
        return 0  # nobody answers


def test_keys_are_made_shown_once_listed_and_revoked(shell: Shell) -> None:
    made = json.loads(shell("key", "add", "reviewers", "--note", "市级审核", "--rate", "7", "--json"))
    listed = {one["key_id"]: one for one in json.loads(shell("key", "list", "--json"))}
    one = listed[made["key_id"]]
    assert (one["role"], one["rate"], one["note"], one["revoked_at"]) == ("reviewers", 7, "市级审核", None)
    secret = made["key"].partition(".")[2]
    assert secret not in shell("key", "list")
    address = json.loads(shell("status", "--json"))["http_staff"] + "/reviews"
    assert asked(address, made["key"]) == 200
    assert asked(address, made["key_id"] + ".x") == 401
    assert "is void" in shell("key", "revoke", made["key_id"])
    until(lambda: asked(address, made["key"]) == 401)
    assert "revoked" in shell("key", "list")
    assert "there is no key" in shell("key", "revoke", "0000000000000000", code=1).lower()


def test_a_secret_is_shown_once_listed_and_dropped(shell: Shell) -> None:
    made = json.loads(shell("key", "add", "telephony", "--json"))
    secret = json.loads(shell("key", "secret", made["key_id"], "--json"))
    assert secret["secret"].startswith("whsec_")
    listed = shell("key", "list")
    assert f"signs with secret {secret['secret_id']}" in listed
    assert secret["secret"] not in listed
    assert "is void" in shell("key", "drop", secret["secret_id"])
    (row,) = [one for one in json.loads(shell("key", "list", "--json")) if one["key_id"] == made["key_id"]]
    assert [one["revoked_at"] is None for one in row["secrets"]] == [False]
    assert "there is no secret" in shell("key", "drop", "nothing", code=1).lower()
    assert "there is no key" in shell("key", "secret", "0000000000000000", code=1).lower()


def test_each_start_shows_a_link_to_the_pages_of_each_role(shell: Shell) -> None:
    shown = dict(
        re.findall(r"^  (\w+) +(http://127\.0\.0\.1:\d+/sign-in\?code=\S+)$", shell("up"), re.MULTILINE)
    )
    assert set(shown) == {"agents", "unit", "reviewers", "dialler", "supervision"}
    again = dict(re.findall(r"^  (\w+) +(http://\S+/sign-in\?code=\S+)$", shell("up"), re.MULTILINE))
    for role, link in again.items():
        assert link != shown[role]
        assert f"local {role}" in httpx2.get(link, timeout=30, trust_env=False).text
    people = [one["name"] for one in json.loads(shell("staff", "list", "--json"))]
    assert people.count("local unit") == 1


def test_people_are_put_into_the_register_and_revoked(shell: Shell) -> None:
    made = json.loads(
        shell("staff", "add", "王芳", "--role", "unit", "--unit", "street-haidian-huayuanlu", "--json")
    )
    assert made["link"].startswith(json.loads(shell("status", "--json"))["http_staff"] + "/sign-in?code=")
    page = httpx2.get(made["link"], timeout=30, trust_env=False)
    assert page.status_code == 200
    assert "王芳" in page.text
    again = json.loads(shell("staff", "link", made["staff_id"], "--json"))["link"]
    assert "链接已失效" in httpx2.get(made["link"], timeout=30, trust_env=False).text
    assert "王芳" in httpx2.get(again, timeout=30, trust_env=False).text
    assert f"{made['staff_id']}  王芳: unit street-haidian-huayuanlu; not signed in." in shell(
        "staff", "list"
    )
    agent = json.loads(shell("staff", "add", "周话务", "--role", "agents", "--agent", "1001", "--json"))[
        "staff_id"
    ]
    assert f"{agent}  周话务: agents, agent 1001; not signed in." in shell("staff", "list")
    assert "takes no calls" in shell("staff", "agent", agent)
    assert f"{agent}  周话务: agents; not signed in." in shell("staff", "list")
    assert "takes pop up" in shell("staff", "agent", agent, "1002")
    assert "no agent" in shell("staff", "agent", made["staff_id"], "1002", code=1)
    assert "goes with the role agents" in shell(
        "staff", "add", "王芳", "--role", "reviewers", "--agent", "1001", code=2
    )
    assert "cannot sign in any more" in shell("staff", "revoke", made["staff_id"])
    assert "链接已失效" in httpx2.get(again, timeout=30, trust_env=False).text
    assert "revoked" in shell("staff", "list")
    assert "there is nobody" in shell("staff", "revoke", "s0000000000", code=1).lower()
    assert "expected one of agents" in shell("staff", "add", "王芳", "--role", "telephony", code=2)


async def _came_by_the_provider(shell: Shell, staff_id: str) -> None:
    """The first sign-in of somebody of an identity provider, as the listener for staff writes it down."""
    admit = (
        "SELECT web.admit_account($1, $2, $3, ARRAY[$4], ARRAY['reviewers'], ARRAY[''], ARRAY[$5::bytea], $6)"
    )
    staff = await asyncpg.connect(shell.city().endpoints.login("staff"))
    try:
        await staff.execute(
            admit, "https://id.example", "u-1", "赵审核", staff_id, bytes(32), timedelta(minutes=1)
        )
    finally:
        await staff.close()


def test_a_person_of_the_identity_provider_is_let_in_again(shell: Shell) -> None:
    asyncio.run(_came_by_the_provider(shell, "sfeedfeed01"))
    line = "sfeedfeed01  赵审核: reviewers, account u-1; "
    assert f"{line}not signed in." in shell("staff", "list")
    shell("staff", "revoke", "sfeedfeed01")
    assert f"{line}revoked " in shell("staff", "list")
    assert "may sign in by the identity provider again" in shell("staff", "readmit", "sfeedfeed01")
    assert f"{line}not signed in." in shell("staff", "list")
    assert "who was revoked" in shell("staff", "readmit", "sfeedfeed01", code=1)
    made = json.loads(shell("staff", "add", "王芳", "--role", "reviewers", "--json"))
    shell("staff", "revoke", made["staff_id"])
    assert "of the identity provider" in shell("staff", "readmit", made["staff_id"], code=1)


def test_a_key_that_can_be_no_login_is_refused_in_a_sentence(shell: Shell) -> None:
    assert "expected one of telephony" in shell("key", "add", "relay", code=2)
    assert "needs the unit's id" in shell("key", "add", "unit", code=2)
    assert "expected of telephony one of events" in shell(
        "key", "add", "telephony", "--scope", "read", code=2
    )


def test_a_named_key_speaks_on_a_topic_of_its_own(shell: Shell) -> None:
    made = json.loads(shell("key", "add", "agents", "web", "--json"))
    assert made["sources"] == ["/agents/web"]
    address = json.loads(shell("status", "--json"))["http"] + "/acts/request/record"
    body = {"request_id": "own-1", "request_type": "HELP", "subject": "公共服务/供水"}
    body |= {"district": "海淀区", "title": "没有水"}

    def recorded() -> bool:
        told = {"Authorization": f"Bearer {made['key']}", "Idempotency-Key": "own-1"}
        answer = httpx2.post(address, json=body, headers=told, timeout=60, trust_env=False)
        return answer.status_code == 200

    until(recorded)  # intake hears a new topic within half a minute


def test_the_address_stays_when_the_process_comes_back(shell: Shell) -> None:
    before = json.loads(shell("status", "--json"))
    os.kill(before["processes"]["web"]["pid"], 9)

    def came_back() -> bool:
        """`status` ends with 1 while a process is away, so the supervisor's own list is read."""
        services = json.loads((shell.stack / "services.json").read_text())["services"]
        return bool(services["web"]["pid"] != before["processes"]["web"]["pid"])

    until(came_back)
    until(lambda: asked(f"{before['http']}/openapi.json", "no-key") == 200)
    after = json.loads(shell("status", "--json"))
    assert (after["http"], after["http_staff"]) == (before["http"], before["http_staff"])
