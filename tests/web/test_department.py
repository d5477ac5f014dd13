"""A department without Kafka: its whole day over HTTP says the same words and states the same facts as over Kafka."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from shared.log.reading import reader
from tests.shell import Shell, until

pytestmark = pytest.mark.connected

STREET: Final = "street-dongcheng-donghuamen"
DISTRICT: Final = "district-dongcheng"
WATER: Final = "municipal-water"
POWER: Final = "municipal-power"
UNITS: Final = (STREET, DISTRICT, WATER, POWER)
CALLS: Final = {
    "worked": ("社会秩序/噪声扰民", "半夜施工"),
    "disputed": ("社会秩序/噪声扰民", "店铺音响"),
    "ended": ("社会秩序/噪声扰民", "空调外机"),
    "paused": ("社会秩序/噪声扰民", "广场舞"),
    "given": ("城乡建设/道路养护", "路面塌陷"),
}
UNIT, REVIEW = "unit", "review"
# Who types what about which complaint; a unit's words begin with the unit, a reviewer's with REVIEW.
DAY: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    (STREET, "sign", "worked", ()),
    (STREET, "sign", "worked", ()),
    (STREET, "contact", "worked", ("--failed", "无人接听")),
    (STREET, "contact", "worked", ("--channel", "wechat")),
    (STREET, "contact", "worked", ("--channel", "drum")),
    (STREET, "progress", "worked", ("--text", "已联系施工方")),
    (STREET, "progress", "worked", ("--text", "第一步完成", "--stage")),
    (STREET, "extend", "worked", ("--days", "3", "--reason", "等待配件", "--citizen-told")),
    (STREET, "extend", "worked", ("--days", "3", "--reason", "等待配件", "--citizen-told")),
    (REVIEW, "approve", "worked", ()),
    (STREET, "whistle", "worked", ("--kind", "EMERGENCY", "--call", f"市自来水集团, {DISTRICT}",
                                   "--scene", "东门", "--reason", "水管爆裂")),
    (WATER, "acknowledge", "worked", ()),
    (WATER, "arrive", "worked", ("--persons", "3")),
    (WATER, "measure", "worked", ("--text", "已关阀")),
    (WATER, "release", "worked", ()),
    (STREET, "release", "worked", ("--of", WATER)),
    (STREET, "rate", "worked", ("--of", WATER, "--stars", "5", "--text", "很快")),
    (STREET, "release", "worked", ()),
    (REVIEW, "helper", "worked", ("--unit", POWER, "--reason", "断电")),
    (POWER, "report", "worked", ("--text", "已断电")),
    (STREET, "answer", "worked", ("--text", "")),
    (STREET, "answer", "worked", ("--text", "已经停工", "--unsolved")),
    (STREET, "answer", "worked", ("--text", "已经停工")),
    (STREET, "exclude", "worked", ("--ground", "DUPLICATE", "--evidence", "同一件事")),
    (STREET, "return", "disputed", ("--reason", "不在本街道", "--evidence", "地图", "--suggest", WATER)),
    (REVIEW, "reject", "disputed", ("--reason", "在本街道")),
    (STREET, "dispute", "disputed", ("--reason", "界线不清", "--evidence", "勘界图")),
    (STREET, "return", "disputed", ("--reason", "不在本街道", "--evidence", "地图", "--suggest", "某街道办")),
    (STREET, "sign", "ended", ()),
    (STREET, "terminate", "ended", ("--ground", "INFORMATION_REFUSED", "--evidence", "三次去函")),
    (STREET, "sign", "paused", ()),
    (STREET, "pause", "paused", ("--days", "5", "--ground", "AWAITS_CITIZEN", "--evidence", "等待市民材料")),
    (REVIEW, "approve", "paused", ()),
    (STREET, "resume", "paused", ("--reason", "材料已到")),
    (STREET, "resume", "paused", ("--reason", "材料已到")),
    (DISTRICT, "assign", "given", ("--to", "东华门街道", "--reason", "在该街道")),
)  # fmt: skip
FAILING: Final = 8
"""Steps of the day that are refused, mistyped or name nobody."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
_PLACE: Final = re.compile(r"position [\d,]+ of the log")


class Way:
    """One way to the city, and the complaints that are worked by it."""

    def __init__(self, shell: Shell, over: dict[str, Sequence[str]], name: str) -> None:
        self.shell = shell
        self._over = over
        self.numbers: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        for which, (subject, title) in CALLS.items():
            street = () if which == "given" else ("--street", "东华门街道")
            words = (
                "call",
                "--subject",
                subject,
                "--district",
                "东城区",
                *street,
                "--title",
                title,
                "--json",
            )
            told = json.loads(shell(*words, "--request-id", f"{name}-{which}"))
            self.numbers[which], self.ids[which] = told["complaint_number"], told["complaint_id"]
        self._name = name

    def does(self, who: str, verb: str, about: str, words: Sequence[str]) -> tuple[int, str]:
        """The code and what is read of what is typed."""
        number = self.numbers[about]
        typed = (
            (REVIEW, verb, number, *words)
            if who == REVIEW
            else (UNIT, *self._over.get(who, ()), verb, number, *words, "--unit", who)
        )
        return self.typed(*typed)

    def unit(self, who: str, *words: str) -> str:
        """The answers to a command of a unit that names no complaint."""
        named = () if who in self._over else ("--unit", who)
        return self.shell(UNIT, *self._over.get(who, ()), *words, *named)

    def typed(self, *words: str) -> tuple[int, str]:
        from tests.forked import run
        from tests.shell import environment

        done = run(words, env=environment(), folder=self.shell.folder, together=True)
        assert "Traceback" not in done.stdout
        return done.returncode, self.plain(done.stdout)

    def plain(self, text: str) -> str:
        """The same without what only this way has: identities and instants."""
        for which in CALLS:
            text = text.replace(self.numbers[which], f"<{which}>").replace(self.ids[which], f"<{which}>")
            text = text.replace(f"{self._name}-{which}", f"<request {which}>")
        return _PLACE.sub("position", _MOMENT.sub("<at>", text))

    async def facts(self, which: str) -> list[tuple[str, str]]:
        """The facts of a complaint, without identities and instants."""
        connection = await reader(self.shell.city().endpoints.logins["reader"])
        try:
            rows = await connection.fetch(
                "SELECT type, body FROM es.fact WHERE stream_id = $1 ORDER BY version", self.ids[which]
            )
        finally:
            await connection.close()
        plain = [(row["type"], msgspec.json.decode(row["body"])) for row in rows]
        return [
            (kind, self.plain(json.dumps(body, ensure_ascii=False, sort_keys=True))) for kind, body in plain
        ]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(tmp_path_factory.mktemp("department"))
    try:
        made("up")
        yield made
    finally:
        made("down")


@pytest.fixture(scope="module")
def keys(shell: Shell) -> dict[str, Path]:
    """The file of each unit's key."""
    files: dict[str, Path] = {}
    for unit in UNITS:
        files[unit] = shell.folder / f"{unit}.key"
        files[unit].write_text(json.loads(shell("key", "add", "unit", unit, "--json"))["key"] + "\n")
    return files


@pytest.fixture(scope="module")
def address(shell: Shell) -> str:
    told: str = json.loads(shell("status", "--json"))["http_staff"]
    return told


@pytest.fixture(scope="module")
def ways(shell: Shell, keys: dict[str, Path], address: str) -> tuple[Way, Way]:
    over = {unit: ("--http", address, "--key", str(file)) for unit, file in keys.items()}
    return Way(shell, {}, "kafka"), Way(shell, over, "http")


async def test_the_day_of_a_unit_by_http_and_by_kafka_says_and_states_the_same(ways: tuple[Way, Way]) -> None:
    kafka, http = ways
    said: list[tuple[Any, Any]] = []
    for step in DAY:
        one, other = await asyncio.gather(*(asyncio.to_thread(way.does, *step) for way in ways))
        assert (step, other) == (step, one)
        said.append((step, one))
    failed = [(step[1], text) for step, (code, text) in said if code]
    assert len(failed) == FAILING, failed
    for which in CALLS:
        stated = await kafka.facts(which)
        assert await http.facts(which) == stated
        assert len(stated) > 3
    kinds = {kind for which in CALLS for kind, _ in await http.facts(which)}
    assert {
        "OrderSigned", "ContactFailed", "CitizenContacted", "ProgressReported", "ExtensionRequested", "WhistleBlown",
        "WhistleAcknowledged", "WhistleArrived", "WhistleMeasureRecorded", "WhistleReleased", "WhistleRated",
        "CoUnitReported", "OrderAnswered", "ExclusionRequested", "ReturnRequested", "DisputeRaised",
        "TerminationRequested", "PauseRequested", "PauseEnded", "OrderAssigned", "ReplyRefused",
    } <= kinds  # fmt: skip


def test_its_lists_show_the_same_rows_and_the_same_units(ways: tuple[Way, Way]) -> None:
    kafka, http = ways

    def rows(way: Way, *words: str) -> list[Any]:
        found: list[Any] = json.loads(way.unit(STREET, "list", "--json", *words))
        return sorted(found, key=lambda row: row["complaint_id"])

    assert rows(kafka) == rows(http)
    assert len(rows(http)) > 4
    assert rows(kafka, "--overdue") == rows(http, "--overdue") == []
    assert rows(http, "--limit", "1") == rows(kafka, "--limit", "1")
    assert kafka.unit(STREET, "list") == http.unit(STREET, "list")
    assert kafka.unit(WATER, "offered") == http.unit(WATER, "offered") == "No answer is offered to it.\n"
    over = http._over[STREET]
    assert http.shell(UNIT, *over, "list", "--all-units") == kafka.shell(UNIT, "list", "--all-units")


def test_what_it_is_told_of_a_life_is_shown_and_no_more(ways: tuple[Way, Way]) -> None:
    _, http = ways
    over = http._over[STREET]
    shown = http.shell(UNIT, *over, "show", http.numbers["worked"])
    assert "OrderAnswered" not in shown
    assert "半夜施工" in http.shell(UNIT, *over, "list", "--content") or "已经停工" in shown
    facts = [
        one["fact"]
        for one in json.loads(http.shell(UNIT, *over, "show", http.ids["worked"], "--json"))["entries"]
    ]
    assert facts[0] == "ComplaintDispatched"
    assert "ComplaintReceived" not in facts


def test_at_its_desk_orders_appear_as_they_come_and_verbs_are_typed(
    shell: Shell, ways: tuple[Way, Way]
) -> None:
    import os
    import subprocess
    import sys

    from tests.shell import environment

    _, http = ways
    desk = subprocess.Popen(
        [sys.executable, "-u", "-m", "hotline", UNIT, *http._over[STREET], "desk"],
        cwd=shell.folder, env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert desk.stdin is not None
    assert desk.stdout is not None
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.extend(iter(desk.stdout.readline, "")), daemon=True)
    reading.start()
    try:
        until(lambda: any(line.startswith(f"You are {STREET} (") for line in read))
        until(lambda: any(http.numbers["disputed"] in line for line in read))
        words = ("--subject", "社会秩序/噪声扰民", "--district", "东城区", "--street", "东华门街道")
        told = json.loads(shell("call", *words, "--title", "新来的", "--json"))
        number = told["complaint_number"]
        line = until(lambda: next((one for one in read if number in one and "<- new order" in one), ""))
        n = line.split()[0]
        for typed in (f"sign {n}", f"progress {n} 已派人", f"show {n}", f"sign {n} 多余"):
            desk.stdin.write(typed + "\n")
            desk.stdin.flush()
        until(lambda: any("nothing stands behind the number" in one for one in read))
        assert any(f"{number}  Signed: the order is yours." in one for one in read)
        assert any(f"{number}  The citizen is told" in one for one in read)
        assert any(told["complaint_id"] in one for one in read)
        os.kill(json.loads(shell("status", "--json"))["processes"]["web"]["pid"], 9)
        until(lambda: any("New orders are shown once it answers again." in one for one in read))
        until(lambda: any("The door answers again." in one for one in read))
        later = json.loads(shell("call", *words, "--title", "后来的", "--json"))["complaint_number"]
        until(lambda: any(later in one and "<- new order" in one for one in read))
        desk.stdin.write("quit\n")
        desk.stdin.flush()
        assert desk.wait(60) == 0
    finally:
        desk.kill()
        desk.wait(30)
        reading.join(30)
        desk.stdin.close()
        desk.stdout.close()


def answering(status: int, body: dict[str, Any], headers: dict[str, str]) -> HTTPServer:
    """A door that gives one answer to everything but the question whose key it is."""
    own = {"key_id": "k", "role": "unit", "name": STREET, "topic": "t", "scopes": [], "sources": ["/s"], "rate": 1,
           "ruleset": "beijing-2021-09-24"}  # fmt: skip

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            mine = self.path == "/key"
            told = json.dumps(own if mine else body).encode()
            self.send_response(200 if mine else status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _answer  # noqa: N815 -- the names that the library calls

        def log_message(self, *_: Any) -> None:
            pass

    return HTTPServer(("127.0.0.1", 0), Answers)


def test_what_keeps_it_from_its_orders_is_said_in_a_sentence(
    shell: Shell, keys: dict[str, Path], address: str, ways: tuple[Way, Way]
) -> None:
    _, http = ways
    listed = (UNIT, "--http", address, "--key")
    wrong = shell.folder / "wrong.key"
    wrong.write_text("0000000000000000." + "A" * 43)
    assert "does not know the key: it is mistyped, or void." in shell(*listed, str(wrong), "list", code=1)
    wrong.write_text("nothing")
    assert "expected ID.SECRET" in shell(*listed, str(wrong), "list", code=2)
    assert "does not exist: expected a secret" in shell(*listed, "nowhere.key", "list", code=1)
    agents = shell.folder / "agents.key"
    agents.write_text(json.loads(shell("key", "add", "reviewers", "--json"))["key"])
    assert "It is a key of the role reviewers" in shell(*listed, str(agents), "list", code=1)
    mine = str(keys[STREET])
    assert "expected http://HOST:PORT" in shell(UNIT, "--http", "ftp://x", "--key", mine, "list", code=2)
    assert "Say both --http URL and --key FILE" in shell(UNIT, "--http", address, "list", code=2)
    nobody = (UNIT, "--http", "http://127.0.0.1:9", "--key", mine)
    assert "does not answer" in shell(*nobody, "sign", "x", code=1)
    foreign = (*listed, str(keys[WATER]), "sign", http.numbers["paused"])
    absent = (*listed, str(keys[WATER]), "sign", "HL-0")
    assert shell(*foreign, code=1) == shell(*absent, code=1)
    assert "or it is none of yours" in shell(*foreign, code=1)
    assert f"The key is that of {STREET}" in shell(*listed, mine, "list", "--unit", WATER, code=1)
    assert "Missing option '--unit'" in shell(UNIT, "sign", http.numbers["paused"], code=2)


@pytest.mark.parametrize(
    ("status", "body", "headers", "sentence"),
    [
        (422, {"detail": "Waits."}, {}, "The message was set aside: Waits."),
        (429, {"detail": "Too many."}, {"Retry-After": "7"}, "Too many. Try again in 7 s."),
        (503, {"detail": "Kafka is away."}, {}, "cannot do it just now: Kafka is away."),
        (403, {"detail": "No scope."}, {}, "The key may not do this. No scope."),
    ],
)
def test_an_answer_that_is_none_is_a_sentence(
    shell: Shell,
    keys: dict[str, Path],
    status: int,
    body: dict[str, str],
    headers: dict[str, str],
    sentence: str,
) -> None:
    problem = {"type": "urn:x", "title": "x", "status": status, **body}
    server = answering(status, problem, headers)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        at = f"http://127.0.0.1:{server.server_port}"
        assert sentence in shell(UNIT, "--http", at, "--key", str(keys[STREET]), "list", code=1)
    finally:
        server.shutdown()
        server.server_close()
        serving.join(30)
