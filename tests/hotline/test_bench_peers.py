"""Part `peers` at a size too small to measure anything: every life of every system is lived and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.check import LIFE
from hotline.lab.bench.peer import Body, PeerOrders, Teller, serve
from hotline.lab.bench.peers import OURS, PEERS, PeersResult, PeersSize, measured, missing, run
from hotline.lab.bench.stage import BenchCity
from shared.runtime.errors import UserError

SIZE = PeersSize(ours=100, ours_warm_up=100, peer=18, peer_warm_up=4, rounds=1)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> PeersResult:
    if absent := missing():
        pytest.skip(f"the group `bench` is not installed: {', '.join(absent)}")
    return await run(bench_stage, SIZE, print)


@pytest.mark.connected
def test_every_life_is_whole_in_every_system(result: PeersResult) -> None:
    assert result.wrong == []
    (once,) = result.rounds
    assert (once.ours.lives, once.ours.closed, once.ours.facts) == (200, 100, 100 * len(LIFE))
    assert {name: peer.lives for name, peer in once.peers.items()} == dict.fromkeys(PEERS, 18)
    for peer in once.peers.values():
        assert peer.spent.wal_bytes > 0
        assert sum(peer.spent.cpu_seconds.values()) > 0
    assert list(result.systems) == [OURS, *PEERS]
    assert result.systems[OURS].times_rate.median == result.systems[OURS].times_cpu.median == 1.0


@pytest.mark.connected
def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: PeersResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("peers", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), PeersResult) == result
    tell("peers", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "DIGIT (published, not run here): 37 lives a second" in said
    assert "All 244 lives are closed with their eight facts" in said
    pytest.importorskip("matplotlib")
    draw("peers", result, tmp_path / "peers.svg")
    assert "eventsourcing" in (tmp_path / "peers.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("lost", ["nothing", "a fact", "a body", "the end"])
def test_a_life_that_is_not_as_it_was_told_is_not_whole(
    lost: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(["3\n", "check\n", ""])
    monkeypatch.setattr("sys.stdin.readline", lambda: next(lines))
    known: dict[str, list[Body]] = {}

    def facts_of(complaint_id: str) -> list[Body] | None:
        bodies: list[Any] = list(known[complaint_id])
        if complaint_id != next(iter(known)) or lost == "nothing":
            return bodies
        return {"a fact": bodies[:-1], "a body": [*bodies[:-1], {}], "the end": None}[lost]

    orders = PeerOrders(number=0, postgres="", lives=[[{"a": 1}, {"b": 2}]], at_once=1)
    serve(orders, lambda told: known.update({told.complaint_id: told.bodies}), facts_of)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["ready", "done"]
    assert json.loads(said[2]) == {"lives": 3, "whole": 3 if lost == "nothing" else 2}


def test_no_two_lives_told_share_an_id() -> None:
    teller = Teller([[{"a": 1}], [{"a": 2}]])
    told = [*teller.next(3), *teller.next(2)]
    assert len({one.complaint_id for one in told}) == 5
    assert [one.bodies[0]["a"] for one in told] == [1, 2, 1, 2, 1]
    assert teller.told == told


async def test_without_the_peers_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEERS, "no-such-library", "hotline.lab.bench.nothing")
    with pytest.raises(UserError, match=r"not installed: .*no-such-library"):
        await measured(quick=True, folder=tmp_path, say=print)
