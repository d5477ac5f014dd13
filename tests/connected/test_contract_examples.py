"""Every example of the contract goes through its real door; types made from the contract take a life to its end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from hotline.contract.examples import STREET
from shared.ids import complaint_id, message_id
from shared.runtime import kafka_address
from shared.topics import (
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
    TOPICS,
    Topic,
)
from tests.city import DISTRICT, UNIT, WATER, City, until
from tests.city import STREET as STREET_NAME
from tests.generated import CONTRACT, python_types

pytestmark = pytest.mark.connected

DOORS: Final = tuple(line for line in TOPICS if line.is_door)
WITHIN: Final = 60.0
NODE_SECONDS: Final = 120.0
TYPESCRIPT: Final = Path(__file__).parent / "typescript"
NODE, NPM = shutil.which("node"), shutil.which("npm")


async def _sent(town: City, line: Topic, key: str, headers: dict[str, str], payload: Any, unit: str) -> None:
    raw = [(name, value.encode()) for name, value in headers.items()]
    body = msgspec.json.encode(payload)
    await town.send(town.topic(line, unit), key, body, raw, partitions=line.partitions)


async def test_every_example_is_taken_in_at_its_door_in_both_modes(town: City) -> None:
    messages, now = CONTRACT["components"]["messages"], datetime.now(UTC).isoformat()
    expected: list[tuple[str, str]] = []
    for line in DOORS:
        for kind in line.inputs:
            for name in (f"{kind.__name__}Told", f"{kind.__name__}ToldStructured"):
                (example,) = messages[name]["examples"]
                headers, payload = dict(example["headers"]), dict(example["payload"])
                if "ce_time" in headers:
                    headers["ce_time"], source, event_id = now, headers["ce_source"], headers["ce_id"]
                else:
                    payload["time"], source, event_id = now, payload["source"], payload["id"]
                expected.append((line.hearers[0], message_id(line.of(STREET), source, event_id)))
                await _sent(town, line, "20210924-0001", headers, payload, STREET)
        # A reply waits only so long for its request to be on record, and a machine may be slow.
        await town.settled(within=WITHIN)
    # A call is no message to a complaint: it is kept among the calls, and has no row here.
    calls = set(DOORS[0].inputs)
    wanted = [identity for desk, identity in expected][2 * len(calls) :]
    parked = [(row["topic"], row["reason"]) for row in await town.parked() if row["key"] == b"20210924-0001"]
    assert parked == []
    known = await town.sql(
        "SELECT message_id::text FROM es.inbox WHERE message_id = ANY ($1::uuid[])", wanted
    )
    assert {row[0] for row in known} == set(wanted)


async def test_types_that_are_made_from_it_take_a_life_to_its_end(town: City, tmp_path: Path) -> None:
    types, number = python_types(tmp_path), "made-by-a-generator"
    complaint = complaint_id(number)

    async def say(line: Topic, key: str, name: str, **fields: Any) -> None:
        told = CONTRACT["components"]["messages"][f"{name}Told"]["headers"]["properties"]
        data = getattr(types, name)(**fields).model_dump(mode="json", exclude_unset=True)
        headers = {
            "ce_specversion": "1.0",
            "ce_type": told["ce_type"]["const"],
            "ce_source": "/generated",
            "ce_id": f"{number}/{name}",
            "ce_time": datetime.now(UTC).isoformat(),
            "content-type": "application/json",
        }
        await _sent(town, line, key, headers, data, UNIT)

    async def heard(line: Topic, name: str) -> Any:
        async def ask() -> Any:
            for record in await town.messages(town.topic(line, UNIT)):
                headers = dict(record.headers)
                if record.key.decode() == complaint and headers["ce_type"].decode() == _type(name):
                    datetime.fromisoformat(headers["ce_time"].decode())
                    return getattr(types, name).model_validate_json(record.value)
            return None

        return await until(ask, within=WITHIN, what=f"{name} on {line.name}", every=0.2)

    await say(
        INTAKE_REQUESTS, number, "RecordRequest", request_id=number, request_type="HELP", subject=WATER,
        district=DISTRICT, street=STREET_NAME, title="没有水",
    )  # fmt: skip
    order = await heard(DISPATCH_ORDERS, "WorkOrder")
    about = {"complaint_id": complaint, "assignment": order.assignment}
    await say(DISPATCH_REPLIES, complaint, "SignOrder", **about)
    await say(DISPATCH_REPLIES, complaint, "AnswerOrder", **about, result="修好了", claims_solved=True)
    asked = await heard(FEEDBACK_VISITS, "VisitScheduledTold")
    await say(
        FEEDBACK_VISIT_RESULTS, complaint, "RecordVisit", complaint_id=complaint, visit=asked.visit,
        attempt=asked.attempt, solved=True, satisfied=True,
    )  # fmt: skip
    closed = await heard(DISPATCH_ORDERS, "OrderClosed")
    assert closed.judgement.solved
    assert closed.complaint_number == order.complaint_number


@pytest.mark.skipif(
    not (NODE and NPM), reason="Node with npm is not on this machine: nobody makes TypeScript's types"
)
async def test_types_of_typescript_take_a_life_to_its_end(town: City, tmp_path: Path) -> None:
    """Each schema has one type, a program with them compiles with every check on, and its life ends."""
    folder, number = tmp_path / "typescript", "made-for-typescript"
    shutil.copytree(TYPESCRIPT, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "asyncapi.json").write_text(json.dumps(CONTRACT), encoding="utf-8")
    await _node(folder, str(NPM), "ci", "--no-audit", "--no-fund", "--silent")
    await _node(folder, str(NODE), "generate.js", "asyncapi.json", "types.ts")
    made = (folder / "types.ts").read_text(encoding="utf-8")
    named = set(re.findall(r"^export (?:interface|type) (\w+)", made, re.MULTILINE))
    assert set(CONTRACT["components"]["schemas"]) <= named
    await _node(folder, str(NODE), "node_modules/typescript/bin/tsc", "-p", ".")
    said = ("RecordRequest", "SignOrder", "AnswerOrder", "RecordVisit")
    told = {
        **kafka_address.parsed(town.endpoints.kafka)._asdict(),
        "group": f"{town.endpoints.prefix}generated",
        "number": number,
        "complaint": complaint_id(number),
        "topics": {
            "requests": town.topic(INTAKE_REQUESTS),
            "replies": town.topic(DISPATCH_REPLIES, UNIT),
            "orders": town.topic(DISPATCH_ORDERS, UNIT),
            "visits": town.topic(FEEDBACK_VISITS),
            "results": town.topic(FEEDBACK_VISIT_RESULTS),
        },
        "types": {
            **{name: _type(f"{name}Told") for name in said},
            **{name: _type(name) for name in ("WorkOrder", "VisitScheduledTold", "OrderClosed")},
        },
        "request": {
            "request_id": number, "request_type": "HELP", "subject": WATER, "district": DISTRICT,
            "street": STREET_NAME, "title": "没有水",
        },
    }  # fmt: skip
    closed = json.loads(await _node(folder, str(NODE), "made/life.js", json.dumps(told)))
    assert closed["solved"] is True
    assert closed["number"] == closed["ordered"]


async def _node(folder: Path, *command: str) -> bytes:
    """Run a program of Node's and return its output; the test fails with its words where it fails."""
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "KAFKAJS_NO_PARTITIONER_WARNING": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    hung = asyncio.get_running_loop().call_later(NODE_SECONDS, running.kill)
    output, amiss = await running.communicate()
    hung.cancel()
    assert running.returncode == 0, f"{command[1]}: {(output + amiss).decode()[-2000:]}"
    return output


def _type(name: str) -> str:
    told: str = CONTRACT["components"]["messages"][name]["headers"]["properties"]["ce_type"]["const"]
    return told
