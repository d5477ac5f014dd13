"""The same days give the same facts as ever: what a change of the tree, of names or of speed must not move.

Four digests and the counts by type of fact stand here. Three were recorded before the first file moved; the city of
two of them is of the mix `plain`. The fourth is of the mix `full`, in which every input is said. Where a type or a
field is renamed later, its old name goes into `WAS`, and the recorded values stay.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import pytest

from deploy.city.registry import remembered
from shared.inputs import INPUTS
from tests.typed import typed_json

pytestmark = [pytest.mark.connected, pytest.mark.digests, pytest.mark.timeout(1800)]

STREETS: Final = Path(__file__).with_name("streets.csv")
"""The districts and streets of the example catalogue: the same city wherever the test runs."""
BOSTON: Final = Path(__file__).parents[3] / "shared/data/boston311_2011h2.csv.zst"
WAS: Final[dict[str, str]] = {"AnswerLimitMissed": "FeedbackLimitMissed"}
"""The names types and fields had when the values were recorded, by their names of now."""
VALUES_WERE: Final = {("limit", "ANSWER"): "FEEDBACK", ("because", "ANSWER"): "FEEDBACK"}
"""The values fields had when the values were recorded, by their names and values of now."""
WHEN_LOOKED: Final = ("noticed_at", "corrected_at")
"""When somebody looked at a clock: not what happened."""
RECORDED: Final = json.loads(Path(__file__).with_name("digests.json").read_text(encoding="utf-8"))


class Facts(NamedTuple):
    """One number for all facts, and how many there are of each type."""

    digest: str
    by_type: dict[str, int]


async def facts_of(dsn: str) -> Facts:
    """All facts of a city; neither the order of complaints nor when anybody looked is in it."""
    lives: dict[str, list[tuple[str, str, str]]] = {}
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        async with connection.transaction():
            async for row in connection.cursor(
                "SELECT stream_id::text, type, occurred_at, body FROM es.fact", prefetch=5000
            ):
                body: dict[str, Any] = json.loads(row[3])
                at = body.get("done_at", row[2].isoformat()) if "corrected_at" in body else row[2].isoformat()
                told = _as_ever({name: value for name, value in body.items() if name not in WHEN_LOOKED})
                text = json.dumps(told, ensure_ascii=False, sort_keys=True)
                lives.setdefault(row[0], []).append((at, WAS.get(row[1], row[1]), text))
    finally:
        await connection.close()
    whole = sha256()
    for stream in sorted(lives):
        for fact in sorted(lives[stream]):
            whole.update("\n".join((stream, *fact, "")).encode())
    return Facts(
        whole.hexdigest(), dict(sorted(Counter(f[1] for life in lives.values() for f in life).items()))
    )


def _as_ever(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            WAS.get(name, name): VALUES_WERE.get((name, one), one) if isinstance(one, str) else _as_ever(one)
            for name, one in value.items()
        }
    return [_as_ever(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("demo", ("demo", "--scale", "0.05", "--streets", str(STREETS), "--mix", "plain")),
        (
            "month",
            (
                "rehearse",
                "--from",
                "2021-01-01",
                "--days",
                "31",
                "--scale",
                "0.01",
                "--streets",
                str(STREETS),
                "--mix",
                "plain",
            ),
        ),
        ("full", ("demo", "--scale", "0.05", "--streets", str(STREETS), "--mix", "full")),
        pytest.param(
            "boston",
            ("backtest", "boston", str(BOSTON)),
            marks=pytest.mark.skipif(not BOSTON.exists(), reason="Boston's file is not here"),
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_same_days_give_the_same_facts_as_ever(
    name: str, words: tuple[str, ...], typed_stack: Path
) -> None:
    told = typed_json(typed_stack, *words)
    city = remembered(typed_stack)
    assert city is not None
    found = asyncio.run(facts_of(city.endpoints.owner_dsn))
    if name == "full":
        assert {kind for kind, times in told["inputs_by_type"].items() if times} == INPUTS.keys()
    assert found.by_type == RECORDED[name]["by_type"]
    assert found.digest == RECORDED[name]["digest"]
