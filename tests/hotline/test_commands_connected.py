"""The command on a stack of its own, as a person uses it: every step is a process that is typed and read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from deploy.city.registry import City
from deploy.embedded.stack import Stack
from deploy.embedded.state import read_state
from hotline.client import tell
from hotline.lab.rehearsal.stage import how_it_is_left
from shared.cloudevents import input_headers
from shared.events import RequestType, Urgency
from shared.ids import complaint_id
from shared.inputs import AnswerOrder, Input, RecordRequest, SignOrder
from shared.log import Incoming
from shared.log.anchors import anchor_of, leaves_of
from shared.log.postgres import _headers_stored
from shared.runtime import kafka_address
from shared.topics import DISPATCH_REPLIES, INTAKE_REQUESTS
from tests.shell import PROJECT, Shell, environment, until
from tests.small_city import streets_in

pytestmark = pytest.mark.connected

UNIT: Final = "street-dongcheng-donghuamen"
CALL: Final = (
    "call", "--subject", "社会秩序/噪声扰民", "--district", "东城区", "--street", "东华门街道",
    "--title", "半夜施工", "--json",
)  # fmt: skip


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder where `hotline up` was typed."""
    made = Shell(tmp_path_factory.mktemp("shell"))
    try:
        made("up")
        yield made
    finally:
        made("down")


def test_up_opens_a_city_and_a_second_up_changes_nothing(shell: Shell) -> None:
    before = {process.pid for process in shell.processes()}
    said = shell("up")
    assert {process.pid for process in shell.processes()} == before
    assert len(before) == 11  # three parts, seven services, the supervisor
    assert "City 'hotline' is up already" in said
    passwords = [
        dsn.partition("//")[2].partition("@")[0].partition(":")[2]
        for dsn in shell.city().endpoints.logins.values()
    ]
    assert all(passwords)
    assert not any(password in said for password in passwords)
    assert (shell.stack / "city.json").stat().st_mode & 0o777 == 0o600
    assert "City 'hotline' is up" in shell("up", "--city", "other", code=1)


def test_status_tells_every_process_what_it_needs_and_who_is_behind(shell: Shell) -> None:
    found = json.loads(shell("status", "--json"))
    assert found["up"] is True
    assert set(found["processes"]) == {
        "kafka", "postgres", "zipkin", "intake", "dispatch", "escalation", "feedback", "relay",
        "projector", "web",
    }  # fmt: skip
    for name, entry in found["processes"].items():
        assert entry["pid"], name
        assert entry["port"], name
        assert entry["memory_mb"] > 0, name
    until(lambda: not any(json.loads(shell("status", "--json"))["behind"].values()))
    assert "City hotline at 2" in shell("status")


def test_a_killed_service_comes_back_and_status_counts_it(shell: Shell) -> None:
    before = json.loads(shell("status", "--json"))["processes"]["feedback"]
    os.kill(before["pid"], signal.SIGKILL)

    def came_back() -> dict[str, Any] | None:
        after: dict[str, Any] = json.loads((shell.stack / "services.json").read_text())["services"][
            "feedback"
        ]
        return after if after["pid"] != before["pid"] else None

    until(came_back)
    until(
        lambda: json.loads((shell.stack / "restarts.json").read_text())["feedback"] == before["restarts"] + 1
    )
    after = json.loads(shell("status", "--json"))["processes"]["feedback"]
    assert (after["up"], after["restarts"]) == (True, before["restarts"] + 1)


@contextmanager
def stopped(shell: Shell, service: str) -> Iterator[None]:
    """The process of a service is there and does nothing."""
    pid = json.loads((shell.stack / "services.json").read_text())["services"][service]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def moves(shell: Shell) -> bool:
    """Whether everything is up and nobody stands still."""
    try:
        return not json.loads(shell("status", "--json"))["stalled"]
    except AssertionError:
        return False


def test_status_tells_a_desk_that_stands_still_from_one_that_works(shell: Shell) -> None:
    until(lambda: not any(json.loads(shell("status", "--json"))["behind"].values()))
    with stopped(shell, "intake"):
        assert moves(shell)  # nobody waits for it
        ask = RecordRequest(
            request_id="req-while-intake-stands", request_type=RequestType.HELP, subject="供水",
            urgency=Urgency.GENERAL_7D, district="东城区", street="东华门街道", address="x", title="停水",
        )  # fmt: skip
        asyncio.run(tell(shell.city(), INTAKE_REQUESTS, ask.request_id, ask))
        found = json.loads(shell("status", "--json", code=1))
        assert found["processes"]["intake"]["up"] is True
        assert found["stalled"] == {"intake": "1 messages wait in 1 partitions, none is taken in"}
        said = shell("status", code=1)
        assert re.search(r"intake\s+stands still", said)
        assert "intake stands still: 1 messages wait in 1 partitions" in said
    until(lambda: moves(shell))


def test_a_request_reaches_its_unit_which_signs_and_answers_it(shell: Shell) -> None:
    called = json.loads(shell(*CALL))
    complaint = called["complaint_id"]
    assert (called["unit"], called["name"]) == (UNIT, "东城区东华门街道")
    listed = json.loads(shell("unit", "list", "--unit", "东华门街道", "--json"))
    mine = next(order for order in listed if order["complaint_id"] == complaint)
    assert (mine["state"], mine["title"], mine["assignment"]) == ("new", "半夜施工", 1)
    assert (
        shell("unit", "sign", shell.number_of(complaint), "--unit", UNIT) == "Signed: the order is yours.\n"
    )
    assert "the order was signed at" in shell("unit", "sign", complaint[:8], "--unit", UNIT, code=1)
    answered = json.loads(
        shell("unit", "answer", complaint[:8], "--unit", UNIT, "--text", "已停工", "--json")
    )
    assert [(fact["type"], fact["result"]) for fact in answered] == [("OrderAnswered", "已停工")]
    assert (
        shell("unit", "answer", complaint, "--unit", UNIT, "--text", "x", code=1)
        == "Refused: the order is answered.\n"
    )
    listed = json.loads(shell("unit", "list", "--unit", "东华门街道", "--json"))
    assert complaint not in {order["complaint_id"] for order in listed}


def test_a_life_is_stated_to_the_viewer_again_and_stands_there_whole(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    for words in (("sign",), ("answer", "--text", "已停工")):
        shell("unit", words[0], complaint, "--unit", UNIT, *words[1:])
    told = shell("trace", complaint)
    stated = json.loads(shell("trace", complaint, "--json"))
    assert told.endswith(f" stand at {stated['trace']}\n")
    names = {one["name"] for one in stated["spans"]}
    assert {"dispatch", f"order 1 at {UNIT}", "OrderSigned", "OrderAnswered"} <= names
    address = stated["trace"].replace("/zipkin/traces/", "/zipkin/api/v2/trace/")

    def stand_there() -> bool:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 -- our own viewer
            found = {one["id"]: one for one in json.load(answer)}
        return all(
            span["span_id"] in found and found[span["span_id"]].get("parentId", "") == span["parent_id"]
            for span in stated["spans"]
        )

    until(stand_there)


def test_what_is_on_record_and_not_dispatched_is_told_as_that(shell: Shell) -> None:
    """And told again by its number it is the same complaint."""
    with stopped(shell, "dispatch"):
        said = shell(*CALL, "--request-id", "req-while-dispatch-stands", code=1)
        assert re.fullmatch(
            r"Complaint \S+ is on record: do not record it again\. What came after is not known: "
            r"It is not dispatched yet: see `hotline status`\.\n",
            said,
        )
    again = json.loads(shell(*CALL, "--request-id", "req-while-dispatch-stands"))
    assert again["complaint_id"] in said


def test_the_same_request_told_twice_is_one_complaint(shell: Shell) -> None:
    first, second = (json.loads(shell(*CALL, "--request-id", "told-twice")) for _ in range(2))
    assert first == second
    assert "data: request_id: is on record already and says something else (content)" in shell(
        *CALL, "--request-id", "told-twice", "--content", "something else", code=1
    )
    aside = _parked(shell, INTAKE_REQUESTS.name)
    assert aside is not None
    shell("parked", "drop", str(aside["id"]), "--reason", "its sender was told")


def test_another_units_order_is_refused_and_an_unknown_complaint_is_named(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    said = shell("unit", "sign", complaint, "--unit", "municipal-water", code=1)
    assert said == f"Refused: the order lies with {UNIT} now.\n"
    said = shell("unit", "return", complaint, "--unit", UNIT, "--reason", "not ours", "--evidence", "map")
    assert said.startswith("Return requested")
    assert shell("unit", "sign", "00000000", "--unit", UNIT, code=1) == (
        "No complaint's id begins with “00000000”, and no request has that id.\n"
    )


def test_what_a_unit_cannot_settle_alone_is_asked_for_listed_and_decided(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    assert "Missing option '--reason'" in shell(
        "unit", "extend", complaint, "--unit", UNIT, "--days", "3", code=2
    )
    extend = ("unit", "extend", complaint, "--unit", UNIT, "--days", "3", "--reason", "parts")
    assert shell(*extend, code=1) == "Refused: only a signed order is extended.\n"
    shell("unit", "sign", complaint, "--unit", UNIT)
    assert shell(*extend).startswith("Extension requested")
    (waiting,) = [
        row for row in json.loads(shell("review", "list", "--json")) if row["complaint_id"] == complaint
    ]
    assert (waiting["asked_for"], waiting["unit"]) == ("extension", UNIT)
    assert f"extension   {UNIT}  {shell.number_of(complaint)}" in shell("review", "list")
    assert shell("review", "approve", complaint, "--to", UNIT, code=2).startswith("--to: only a return")
    assert shell("review", "approve", complaint).startswith("Extended until ")
    assert shell("review", "approve", complaint, code=1).startswith("Refused: no return of this order")

    helper = ("review", "helper", complaint, "--unit", "municipal-water", "--reason", "pipes")
    assert shell(*helper) == f"municipal-water is told to help {UNIT}.\n"
    report = ("unit", "report", complaint, "--unit", "municipal-water", "--text", "closed the valve")
    assert shell(*report) == "Reported: the unit that leads is told.\n"

    ground = ("unit", "terminate", complaint, "--unit", UNIT, "--evidence", "letters", "--ground")
    exclude = ("unit", "exclude", complaint, "--unit", UNIT, "--evidence", "twice", "--ground", "DUPLICATE")
    assert shell(*ground, "TIRED", code=2).startswith(
        "--ground: 'TIRED', expected one of INFORMATION_REFUSED"
    )
    assert shell(*ground, "INFORMATION_REFUSED").startswith("Termination requested")
    assert shell(*exclude).startswith("Asked for: a reviewer decides")
    waiting = json.loads(shell("review", "list", "--unit", UNIT, "--json"))
    assert [row["asked_for"] for row in waiting if row["complaint_id"] == complaint] == [
        "exclusion",
        "termination",
    ]
    approve = ("review", "approve", complaint, "--as", "reviewer-9")
    assert shell(*approve, code=2) == (
        "Several questions wait: termination, exclusion. Name one by --asked.\n"
    )
    assert shell(*approve, "--asked", "pause", code=1).startswith("Refused: no pause")
    assert shell(*approve, "--asked", "mercy", code=2).startswith("--asked: 'mercy', expected one of return")
    reject = ("review", "reject", complaint, "--asked", "exclusion", "--reason", "it is the first")
    assert shell(*reject) == f"Rejected: it counts in the score of {UNIT}.\n"
    assert shell(*approve).startswith("Terminated")
    for _ in range(100):
        shown = shell("show", complaint)
        if "closed: exception" in shown:
            break
        time.sleep(0.1)
    assert "closed: exception, by exception: INFORMATION_REFUSED" in shown
    assert "municipal-water" in shown


def test_the_citizen_is_contacted_told_asked_only_about_what_was_let_through_and_rates(shell: Shell) -> None:
    """R7, T18, R9."""
    first = json.loads(shell(*CALL))
    complaint = first["complaint_id"]
    assert (
        shell("unit", "contact", complaint, "--unit", UNIT, code=1) == "Refused: the order is not signed.\n"
    )
    shell("unit", "sign", complaint, "--unit", UNIT)
    assert shell("unit", "contact", complaint, "--unit", UNIT, "--failed", "busy").startswith(
        "On record: you have tried"
    )
    assert shell("unit", "contact", complaint, "--unit", UNIT).startswith("On record: you have spoken")
    assert "Missing option '--text'" in shell("unit", "progress", complaint, "--unit", UNIT, code=2)
    told = ("unit", "progress", complaint, "--unit", UNIT, "--text", "half done", "--stage")
    assert shell(*told) == "The citizen is told; the limit runs on.\n"
    shell("unit", "answer", complaint, "--unit", UNIT, "--text", "done")
    back = ("review", "send-back", complaint, "--reason", "no photograph")
    assert shell(*back) == f"Sent back: {UNIT} must answer again, by the same limit.\n"
    assert shell(*back, code=1) == "Refused: there is no answer.\n"
    shell("unit", "answer", complaint, "--unit", UNIT, "--text", "done, with a photograph")
    assert shell("request", "rate", complaint, "--not-satisfied", "--comment", "too slow") == "Done.\n"
    report = ("request", "retaliation", complaint, "--by", UNIT, "--text", "cut my water off")
    assert re.fullmatch(r"On record as complaint [0-9a-f-]{36}, for supervision alone\.\n", shell(*report))
    shown = re.sub(r"  +", "  ", shell("show", complaint))
    for words in (
        "could not reach the citizen for the first contact (phone, busy)",
        "spoke to the citizen for the first time (phone)",
        "tells the citizen the result of a stage: half done",
        "the citizen is not asked about it: no photograph",
        "rates it on phone: not satisfied, too slow",
        f"round 1: {UNIT} claims it is solved; the citizen: has not judged",
    ):
        assert words in shown, shown
    assert "retaliat" not in shown


def test_t22_a_unit_asks_to_leave_an_order_out_of_its_score_and_others_decide(shell: Shell) -> None:
    """T22, F3: with evidence, not by itself, and the ranking publishes it."""
    complaint = json.loads(shell(*CALL))["complaint_id"]
    ask = ("unit", "exclude", complaint, "--unit", UNIT, "--evidence", "the same as another", "--ground")
    assert "Missing option '--ground'" in shell("unit", "exclude", complaint, "--unit", UNIT, code=2)
    assert shell(*ask, "TIRED", code=2).startswith("--ground: 'TIRED', expected one of INVALID")
    assert shell(*ask, "DUPLICATE").startswith("Asked for: a reviewer decides")
    (waiting,) = [
        row for row in json.loads(shell("review", "list", "--json")) if row["complaint_id"] == complaint
    ]
    assert waiting["asked_for"] == "exclusion"
    assert shell("review", "approve", complaint, "--as", UNIT, code=1).startswith(
        f"Refused: reviewer: {UNIT} asked for it"
    )
    assert shell("review", "approve", complaint).startswith("Left out: it counts for nothing")
    assert "left out of the score of" in shell("show", complaint)
    now = time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    (line,) = (
        line for line in json.loads(shell("rank", "show", now, "--json"))["lines"] if line["unit"] == UNIT
    )
    assert line["requests"] >= 1
    assert shell("rank", "freeze", now, "--as", "Li Wei", "--yes", code=1).startswith(f"{now} ends at ")


def test_what_an_agent_does_with_a_request_on_record(shell: Shell) -> None:
    first = json.loads(shell(*CALL, "--confidential"))
    complaint = first["complaint_id"]
    assert shell("request", "add", complaint, "--text", "every night") == f"Done; {UNIT} is told.\n"
    assert shell("request", "add", complaint, "--text", "every night") == f"Done; {UNIT} is told.\n"
    assert shell("request", "correct", complaint, code=2).startswith("Give what is right")
    assert shell("request", "correct", complaint, "--address", "No. 6") == f"Done; {UNIT} is told.\n"
    assert shell("request", "again", complaint, "--call", "call-9") == f"Done; {UNIT} is told.\n"
    assert shell("request", "again", complaint, "--call", "call-9").startswith("It was so already")
    assert shell(*CALL, "--matter-of", "0000000000", code=1) == (
        "No complaint's id begins with “0000000000”, and no request has that id.\n"
    )
    second = json.loads(shell(*CALL, "--matter-of", complaint[:13]))
    shown = shell("show", complaint)
    assert "wants to be known to the hotline alone" in shown
    assert "address was –, is “No. 6”" in shown
    assert f"another citizen  brings it up again, 3 times by now ({second['complaint_id']})" in re.sub(
        r"  +", "  ", shown
    )
    assert f"the same matter as complaint {complaint}" in shell("show", second["complaint_id"])
    assert shell("request", "withdraw", complaint, "--reason", "moved") == f"Done; {UNIT} is told.\n"
    assert shell("request", "add", complaint, "--text", "late", code=1).startswith(
        "Refused: the life ended with"
    )


def test_a_question_is_answered_from_an_article_that_holds_and_from_no_other(shell: Shell) -> None:
    """B2: and whoever reads the life sees what it is called."""
    assert "of an example" in shell("knowledge", "load")
    shown = shell("knowledge", "search", "老楼加装电梯")
    assert shown.startswith("kb-0402@2  老楼加装电梯须多少业主同意")
    answered = json.loads(shell(*CALL, "--type", "CONSULT", "--article", "kb-0402@2"))
    assert answered["article"] == "kb-0402@2"
    life = shell("show", answered["complaint_id"])
    assert "answered on the spot from article kb-0402 v2: 老楼加装电梯须多少业主同意" in life
    old = shell(*CALL, "--type", "CONSULT", "--article", "kb-0402@1", code=2)
    assert old.startswith(
        "Not sent: --article: version 1 of article kb-0402 was withdrawn at 2021-01-01 00:00:00"
    )
    assert shell(*CALL, "--article", "kb-0402", code=2).startswith(
        "'kb-0402': expected an article and a version"
    )
    assert shell(*CALL, "--type", "COMPLAINT", "--article", "kb-0402@2", code=2).startswith(
        "--article: only a CONSULT is answered from an article, this is a COMPLAINT"
    )
    assert shell("knowledge", "show", "kb-9", code=1).startswith("The knowledge base has no article 'kb-9'")


def test_a_street_whistles_and_lets_go(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    blow = (
        "unit",
        "whistle",
        complaint,
        "--unit",
        UNIT,
        "--scene",
        "gate",
        "--reason",
        "a burst pipe",
        "--call",
    )
    assert "Missing option '--kind'" in shell(*blow, "municipal-water", code=2)
    kind = ("--kind", "EMERGENCY")
    assert shell(*blow, "municipal-water", "--kind", "LOUD", code=2).startswith(
        "--kind: 'LOUD', expected one"
    )
    assert shell(*blow, "municipal-water, district-dongcheng", *kind).startswith("Whistled: ")
    water = ("--unit", "municipal-water")
    assert shell("unit", "acknowledge", complaint, *water).startswith("Acknowledged")
    assert shell("unit", "arrive", complaint, *water, "--persons", "3").startswith("You are there")
    assert shell("unit", "measure", complaint, *water, "--text", "valve closed").startswith("Recorded")
    refused = f"Refused: only {UNIT}, which whistled, releases (T25).\n"
    assert shell("unit", "release", complaint, *water, code=1) == refused
    assert shell("unit", "release", complaint, "--unit", UNIT) == "Released.\n"
    rate = ("unit", "rate", complaint, "--unit", UNIT, "--of", "municipal-water")
    assert "Missing option '--stars'" in shell(*rate, code=2)
    assert shell(*rate, "--stars", "5") == "Rated.\n"
    shown = shell("show", complaint)
    for words in (
        "whistle 1, EMERGENCY",
        "is there with 3",
        "does: valve closed",
        "rates municipal-water 5 of 5",
    ):
        assert words in shown


SAMPLE_BEGINS: Final = 1_764_208_800
"""The hour in which the recorded calls of the sample begin, in seconds since 1970."""


def test_what_a_switch_recorded_is_taken_in_and_told_as_figures(shell: Shell) -> None:
    sample = PROJECT / "tests" / "intake" / "samples" / "asterisk.jsonl"
    begun = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    later = int(begun.timestamp()) - SAMPLE_BEGINS
    recorded = re.sub(
        rb'("Timestamp": *")(\d+)', lambda at: at[1] + b"%d" % (int(at[2]) + later), sample.read_bytes()
    )
    old = b'{"Event":"QueueCallerJoin","Timestamp":"86400.0","Linkedid":"1.1","Queue":"12345"}\n'
    lines = recorded + b'{"Event": "AgentConnect"}\n' + old

    def taken() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hotline", "calls", "take-in", "asterisk"],
            cwd=shell.folder,
            env=environment(),
            input=lines.decode(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    for _ in range(2):  # the second time nothing changes
        done = taken()
        assert (done.returncode, done.stdout) == (1, "15 events told, 2 lines left out.\n")
        missing, too_old = done.stderr.splitlines()
        assert missing.startswith("line 12: AgentConnect: ")
        assert missing.endswith(": missing")
        assert too_old.startswith("line 13: time: 1970-01-02T00:00:00+00:00 lies too far back, expected from")
    window = (
        "--since",
        (begun - timedelta(hours=1)).isoformat(),
        "--until",
        (begun + timedelta(hours=1)).isoformat(),
    )
    for _ in range(100):
        found = json.loads(shell("calls", *window, "--json"))
        if found["offered"] == 4:
            break
        time.sleep(0.1)
    assert found["by_outcome"] == {"ABANDONED": 2, "ANSWERED": 1, "SYSTEM_FAIL": 1}
    assert (found["answered"], found["within"], found["connection_rate"]) == (1, 1, 0.25)
    assert found["connection_kept"] is None, "of four calls no window is told as the worst"
    assert "In no 24 hours on end were there 20 calls" in shell("calls", *window)
    window = (*window, "--ruleset", "beijing-draft-2021")
    found = json.loads(shell("calls", *window, "--json"))
    assert (found["connection_kept"], found["lowest"]["offered"]) == (False, 4)
    said = shell("calls", *window)
    assert "connection rate: answered of offered" in said
    assert "not kept (A2)" in said
    assert "In no 24 hours on end were there 20 calls: none is the worst." in shell(
        "calls", "--until", "2020-01-01T00:00Z"
    )
    assert shell("calls", "--since", "yesterday", code=2).startswith(
        "--since: 'yesterday', expected an instant"
    )
    assert "Calls offered from 2026-01-01 00:00 to 2026-01-02 08:00 (Asia/Shanghai)" in shell(
        "calls", "--since", "2026-01-01", "--until", "2026-01-02T08:00"
    ), "a day without a zone is the city's"


def test_a_picture_goes_on_record_with_the_request_and_to_the_unit(shell: Shell) -> None:
    """R6: where it is and the SHA-256 of its bytes; the file stays where it is."""
    picture = shell.folder / "fire-lane.jpg"
    picture.write_bytes(b"not much of a picture")
    complaint = json.loads(shell(*CALL, "--attach", str(picture)))["complaint_id"]
    (order,) = (
        o
        for o in json.loads(shell("unit", "list", "--unit", UNIT, "--json"))
        if o["complaint_id"] == complaint
    )
    digest = sha256(picture.read_bytes()).hexdigest()
    kept = {"uri": picture.resolve().as_uri(), "media_type": "image/jpeg", "sha256": digest}
    assert order["attachments"] == [kept]
    video = shell.folder / "again.mp4"
    video.write_bytes(b"nor of a video")
    shell("request", "add", complaint, "--text", "again last night", "--attach", str(video))
    assert "(video/mp4)" in shell("show", complaint)
    missing = shell.folder / "nowhere.jpg"
    assert shell(*CALL, "--attach", str(missing), code=2).startswith(f"--attach: {missing}: ")


def test_a_unit_that_must_wait_asks_for_its_clock_to_stand_still(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    pause = (
        "unit",
        "pause",
        complaint,
        "--unit",
        UNIT,
        "--days",
        "10",
        "--evidence",
        "asked the planning office",
    )
    assert "Missing option '--ground'" in shell(*pause, code=2)
    assert shell(*pause, "--ground", "RAIN", code=2).startswith("--ground: 'RAIN', expected one of AWAITS_")
    assert shell(*pause, "--ground", "AWAITS_AUTHORITY", code=1).startswith("Refused: only a signed order")
    shell("unit", "sign", complaint, "--unit", UNIT)
    assert shell(*pause, "--ground", "AWAITS_AUTHORITY").startswith("Pause requested: a reviewer decides")
    assert shell.number_of(complaint) in shell("review", "list")
    assert shell("review", "approve", complaint).startswith("Its clock stands still until ")
    assert "paused until " in shell("unit", "list", "--unit", UNIT)
    resume = ("unit", "resume", complaint, "--unit", UNIT, "--reason", "the permit is here")
    assert shell(*resume) == "Ended: your clock runs again.\n"
    assert "paused until " not in shell("unit", "list", "--unit", UNIT)
    assert shell(*resume, code=1) == "Refused: it is not paused.\n"


def test_a_dispute_goes_to_a_council_and_an_urgent_matter_to_the_front(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    urgent = ("review", "reclassify", complaint, "--reason", "a child is in danger", "--urgency")
    assert shell(*urgent, "SOON", code=2).startswith("--urgency: 'SOON', expected one of CRITICAL_2H")
    assert shell(*urgent, "CRITICAL_2H").startswith("It is CRITICAL_2H now: to be answered by ")
    shell("unit", "return", complaint, "--unit", UNIT, "--reason", "not ours", "--evidence", "map")
    assert shell("review", "reject", complaint, "--reason", "it is").startswith("Rejected: ")
    dispute = (
        "unit",
        "dispute",
        complaint,
        "--unit",
        UNIT,
        "--reason",
        "a district road",
        "--evidence",
        "deed",
    )
    assert shell(*dispute).startswith("Disputed: a council decides")
    assert "Rejected" not in shell("review", "reject", complaint, "--reason", "no", code=1)
    council = ("review", "council", complaint, "--participants", "district, street", "--reason", "the deed")
    said = shell(*council, "--to", "district-dongcheng", "--with", UNIT)
    assert said == "Decided: it is district-dongcheng's, and is not returned any more.\n"
    assign = ("unit", "assign", complaint, "--unit", "district-dongcheng", "--reason", "by place", "--to")
    assert shell(*assign, "municipal-water", code=1).startswith(
        "Refused: to_unit: “municipal-water” is no street"
    )
    assert shell(*assign, UNIT) == "Given on: the street has it now.\n"
    assert "named by a council" in shell("show", complaint)


def test_at_the_units_desk_orders_appear_as_they_come_and_replies_are_typed(shell: Shell) -> None:
    first = json.loads(shell(*CALL))["complaint_id"]
    sitting = subprocess.Popen(
        [sys.executable, "-u", "-m", "hotline", "unit", "desk", "--unit", UNIT],
        cwd=shell.folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sitting.stdin is not None
    assert sitting.stdout is not None
    try:
        for line in sitting.stdout:
            if shell.number_of(first) in line:
                number = line.split()[0]
                break
        second = json.loads(shell(*CALL))["complaint_id"]
        for line in sitting.stdout:
            if shell.number_of(second) in line:
                assert line.endswith("<- new order\n")
                break
        sitting.stdin.write(f"sign {number}\nanswer {number} 已停工\nnonsense\nquit\n")
        sitting.stdin.flush()
        said = sitting.stdout.read()
        assert sitting.wait(30) == 0
    finally:
        sitting.kill()
        sitting.wait()
        sitting.stdin.close()
        sitting.stdout.close()
    assert f"{shell.number_of(first)}  Signed: the order is yours." in said
    assert f"{shell.number_of(first)}  Answered: now the citizen is asked." in said
    assert "list · sign N" in said


def test_a_parked_message_is_listed_shown_and_released_with_its_effect(shell: Shell) -> None:
    complaint = complaint_id("req-that-comes-late")
    asyncio.run(_told(shell.city(), complaint, SignOrder(complaint_id=complaint, assignment=1)))
    row = until(lambda: _parked(shell, DISPATCH_REPLIES.of(UNIT)))
    number = str(row["id"])
    assert (row["desk"], row["released"]) == ("dispatch", False)
    assert f"complaint {complaint} is not on record" in row["reason"]
    shown = shell("parked", "show", number)
    assert "header     ce_type: hotline.order.sign.v1" in shown
    assert f'"complaint_id":"{complaint}"' in shown
    again = shell("parked", "release", number, code=1)
    assert again == f"{number} is parked again: complaint {complaint} is not on record\n"
    assert _parked(shell, DISPATCH_REPLIES.of(UNIT))["id"] == row["id"]
    shell(*CALL, "--request-id", "req-that-comes-late")
    assert shell("parked", "release", number) == f"{number} is handled.\n"
    assert _parked(shell, DISPATCH_REPLIES.of(UNIT)) is None
    listed = json.loads(shell("unit", "list", "--unit", UNIT, "--json"))
    assert [order["state"] for order in listed if order["complaint_id"] == complaint] == ["signed"]


def test_messages_that_wait_behind_one_are_released_with_it_in_order(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    said = (
        SignOrder(complaint_id=complaint, assignment=1),
        AnswerOrder(complaint_id=complaint, assignment=1, result="已停工", claims_solved=True),
    )
    numbers = asyncio.run(_park(shell.city(), complaint, said))
    lines = shell("parked", "release", str(numbers[1])).splitlines()
    assert lines == [
        "2 messages of the same complaint are released together, oldest first.",
        *(f"{number} is handled." for number in numbers),
    ]
    types = asyncio.run(_story(shell.city(), complaint))
    assert types[-3:] == ["OrderSigned", "OrderAnswered", "VisitScheduled"] or types[-2:] == [
        "OrderSigned",
        "OrderAnswered",
    ]


def test_a_message_that_is_given_up_is_kept_with_the_reason(shell: Shell) -> None:
    asyncio.run(_sent(shell.city(), INTAKE_REQUESTS.name, b"{bad", [("ce_id", b"\xff")]))
    number = until(lambda: _parked(shell, INTAKE_REQUESTS.name))["id"]
    said = shell("parked", "drop", str(number), "--reason", "somebody tried things out")
    assert said == f"{number} is dropped and kept in es.parked_dropped with your reason.\n"
    assert _parked(shell, INTAKE_REQUESTS.name) is None
    kept = asyncio.run(
        _rows(shell.city(), "SELECT value, why FROM es.parked_dropped WHERE parked_id = $1", number)
    )
    assert [tuple(row) for row in kept] == [(b"{bad", "somebody tried things out")]
    for words in (("drop", str(number), "--reason", "x"), ("release", str(number)), ("show", str(number))):
        said = shell("parked", *words, code=1)
        assert said == f"Nothing is parked under {number}: `hotline parked list` shows what is.\n"


def test_a_backup_of_a_city_at_work_is_put_back_on_another_stack_and_goes_on(
    shell: Shell, tmp_path: Path
) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    anchors = shell.stack / "cities" / "hotline" / "anchors.jsonl"
    pid = json.loads((shell.stack / "services.json").read_text())["services"]["relay"]["pid"]
    os.kill(pid, signal.SIGKILL)  # who takes over anchors at once
    until(lambda: anchors.exists() and complaint in _named_in(anchors))
    assert "facts after the last one" in shell("verify", "--anchors", str(anchors))
    assert "who appends waited" in shell("rebuild", "heads")
    shell("knowledge", "load")
    articles = shell("knowledge", "list")
    kept = tmp_path / "kept"
    assert f"{kept}: " in shell("backup", str(kept))
    assert (
        shell("backup", str(kept), code=1) == f"{kept} is there already: a backup is a folder of its own.\n"
    )
    assert shell("restore", str(kept), code=1) == "A city is up on this stack: `hotline down` first.\n"

    other = Shell(tmp_path)
    try:
        said = other("restore", str(kept))
        assert "Its topics begin anew" in said
        assert "`hotline up` opens it" in said
        assert other("restore", str(kept), code=1).endswith(
            "This server has a city 'hotline': restore under another name, or remove it first.\n"
        )
        other("up")
        assert other("knowledge", "list") == articles
        assert other("unit", "sign", complaint[:8], "--unit", UNIT) == "Signed: the order is yours.\n"
        until(lambda: not any(json.loads(other("status", "--json"))["behind"].values()))
        assert "All holds" in other("verify")
        copy = other.stack / "cities" / "hotline" / "anchors.jsonl"
        until(lambda: copy.exists() and complaint in _named_in(copy))
        assert "restores from a backup" in other("verify", "--anchors", str(copy))
    finally:
        other("down")


def _named_in(file: Path) -> set[str]:
    """The complaints whose facts these anchors name."""
    return {
        str(leaf.stream)
        for line in file.read_bytes().splitlines()
        for leaf in leaves_of(anchor_of(line).leaves)
    }


def test_down_ends_everything_and_the_log_can_still_be_looked_into(shell: Shell) -> None:
    complaint = json.loads(shell(*CALL))["complaint_id"]
    assert "still runs" in shell("wipe", "--yes", code=1)
    running = shell.processes()
    assert "Everything is stopped." in shell("down")
    _, alive = psutil.wait_procs(running, timeout=60)
    assert alive == []
    assert shell("status", code=1) == "The stack is not up: `hotline up` starts it.\n"
    shell("up", "--stack-only")
    assert complaint in shell("show", complaint[:8])
    zipkin = json.loads((shell.stack / "stack.json").read_text())["running"]["zipkin"]["pid"]
    os.kill(zipkin, signal.SIGKILL)
    assert re.search(r"zipkin\s+down", shell("status", code=1))
    shell("down")
    assert shell("wipe", "--yes") == ".stack is removed.\n"
    assert not shell.stack.exists()


def test_ctrl_c_in_a_demo_leaves_nothing_running_and_the_next_one_is_lived_to_its_end(tmp_path: Path) -> None:
    shell, small = Shell(tmp_path), ("--streets", streets_in(tmp_path))
    output = tmp_path / "demo.txt"
    with output.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "-u", "-m", "hotline", "demo", "--scale", "0.002", *small],
            cwd=tmp_path,
            env=environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: " lives/s " in output.read_text() or demo.poll() is not None, within=200)
        assert demo.poll() is None, output.read_text()
        running = shell.processes()
        assert len(running) == 11
        demo.send_signal(signal.SIGINT)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(120) == 130
    finally:
        demo.kill()
        demo.wait()
        shell("down")
    said = output.read_text()
    assert "Stopped. Nothing is left running." in said
    assert "`hotline up --city demo`" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs([process for process in running if process.pid != demo.pid], timeout=0)
    assert alive == []

    said = shell("demo", "--scale", "0.001", *small)  # the topics of the first one are gone and made anew
    assert re.search(r"still open\D*\b0\b", said), said
    assert "All holds" in said
    assert shell.processes() == []
    shell("wipe", "--yes")


def test_a_demo_on_a_stack_that_ran_before_leaves_it_running_and_says_so(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    stack = Stack(shell.stack, zipkin=False)
    asyncio.run(stack.up(lambda _: None))
    try:
        said = shell("demo", "--scale", "0.0005", "--streets", streets_in(tmp_path))
        assert (
            "kafka, postgres, zipkin go on running, the stack was up before: `hotline down` ends them."
            in said
        )
        assert {process.pid for process in shell.processes()} >= {
            entry.pid for entry in read_state(shell.stack).running.values()
        }
        assert how_it_is_left(shell.stack, "demo").startswith("kafka, postgres, zipkin go on running")
    finally:
        shell("down")
    assert shell.processes() == []
    assert how_it_is_left(shell.stack, "demo").startswith("Nothing is left running. ")


def _parked(shell: Shell, topic: str) -> Any:
    rows = json.loads(shell("parked", "list", "--json"))
    return next((row for row in rows if row["topic"] == topic), None)


async def _told(city: City, complaint: str, data: Input) -> None:
    await tell(city, DISPATCH_REPLIES, complaint, data, unit=UNIT)


async def _sent(city: City, topic: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    producer = AIOKafkaProducer(**kafka_address.aiokafka(city.endpoints.kafka))
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key=b"x", headers=headers)
    finally:
        await producer.stop()


async def _rows(city: City, statement: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(city.endpoints.owner_dsn)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
        return rows
    finally:
        await connection.close()


async def _park(city: City, complaint: str, said: tuple[Input, ...]) -> list[int]:
    """Put messages of one complaint where a desk with a bug would have put them."""

    numbers = []
    for offset, data in enumerate(said):
        headers = tuple(input_headers(type(data), "/test", f"{complaint}/{offset}", datetime.now(UTC)))
        rows = await _rows(
            city,
            "INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, key, headers, value,"
            " complaint_id, reason) VALUES ('dispatch', $1, 0, $2, $3, $4, $5, $6, $7, 'a bug, now mended')"
            " RETURNING parked_id",
            DISPATCH_REPLIES.of(UNIT),
            1_000_000 + offset,
            int(time.time() * 1000),
            complaint.encode(),
            _headers_stored(Incoming(DISPATCH_REPLIES.of(UNIT), 0, offset, 0, None, headers, None)),
            msgspec.json.encode(data),
            complaint,
        )
        numbers.append(rows[0][0])
    return numbers


async def _story(city: City, complaint: str) -> list[str]:
    rows = await _rows(city, "SELECT type FROM es.event WHERE stream_id = $1 ORDER BY version", complaint)
    return [row[0] for row in rows]
