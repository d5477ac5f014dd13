"""Whoever has read one service has read all four."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from shared.events import REFUSALS, SPEAKERS, DeskName, facts_of
from shared.outward import OUTWARD
from shared.topics import TOPICS

ROOT = Path(__file__).parents[2]
ROOMS = {"__init__", "__main__", "app", "settings", "rules", "inbound", "decisions"}
"""What every desk has; `inbound` holds its doors to Kafka."""
BY_THE_CLOCK = (ROOMS - {"inbound"}) | {"ticker"}
"""Escalation's one door is the clock."""


def rooms_of(desk: DeskName) -> set[str]:
    return {one.stem for one in (ROOT / "services" / desk).iterdir() if one.name != "__pycache__"}


def contract_of(desk: DeskName) -> str:
    return importlib.import_module(f"services.{desk}").__doc__ or ""


@pytest.mark.parametrize("desk", DeskName)
def test_every_service_has_the_same_rooms_and_those_its_contract_names(desk: DeskName) -> None:
    same = BY_THE_CLOCK if desk is DeskName.ESCALATION else ROOMS
    _, _, keeps = contract_of(desk).partition("Keeps")
    assert rooms_of(desk) == same | set(re.findall(r"`(\w+)`", keeps))


@pytest.mark.parametrize("desk", DeskName)
def test_no_room_of_a_desk_is_one_that_nobody_uses(desk: DeskName) -> None:
    own = rooms_of(desk) - ROOMS - {"ticker"}
    used = {name: [file for file in _sources() if _names(file, f"services.{desk}.{name}")] for name in own}
    assert [name for name, files in used.items() if not files] == []


@pytest.mark.parametrize("desk", DeskName)
def test_a_fact_is_stated_in_one_place_of_its_desk(desk: DeskName) -> None:
    """In its matter, or where an order is written; what cannot be is refused wherever that is found out."""
    home = ROOT / "services" / desk
    stated: dict[str, set[str]] = {}
    for file in home.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                stated.setdefault(call.func.id, set()).add(str(file.relative_to(home)))
    own = {fact.__name__ for fact, speaker in SPEAKERS.items() if speaker is desk and fact not in REFUSALS}
    by_review = {"ReturnRejected", "ExtensionRejected", "PauseRejected", "TerminationRejected"}
    assert {fact: places for fact in own - by_review if len(places := stated.get(fact, set())) != 1} == {}
    places = {place for fact in own - by_review for place in stated[fact]}
    assert {place for place in places if not place.startswith("decisions/")} <= {"work_order.py"}


def _sources() -> list[Path]:
    return [file for folder in ("services", "hotline") for file in (ROOT / folder).rglob("*.py")]


def _names(file: Path, module: str) -> bool:
    own = module.replace(".", "/")
    if str(file.relative_to(ROOT)).removesuffix(".py").startswith(own):
        return False
    parent, _, name = module.rpartition(".")
    text = file.read_text(encoding="utf-8")
    return bool(
        re.search(rf"from {re.escape(module)}\b|from {re.escape(parent)} import [^\n]*\b{name}\b", text)
    )


@pytest.mark.parametrize("desk", DeskName)
def test_a_services_contract_names_exactly_the_facts_it_may_state(desk: DeskName) -> None:
    """By their names, or where they are many by the files they stand in."""
    contract = contract_of(desk)
    says = contract[contract.index("Says") : contract.find("Keeps")]
    named = set(re.findall(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+", says))
    for file in re.findall(r"`shared/events/(\w+)\.py`", says):
        named |= {fact.__name__ for fact in facts_of(importlib.import_module(f"shared.events.{file}"))}
    assert named == {fact.__name__ for fact, speaker in SPEAKERS.items() if speaker is desk}


def test_only_one_file_reads_a_clock() -> None:
    readers = [
        str(file.relative_to(ROOT))
        for folder in ("services", "shared")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"datetime\.now\(|utcnow\(|date\.today\(", file.read_text())
    ]
    assert readers == ["shared/runtime/clock.py"]


def test_what_the_relay_sends_outward_is_what_the_table_says_a_topic_carries() -> None:
    sent = {(line.name, fact) for fact, lines in OUTWARD.items() for line, _ in lines}
    # Refusals go by whose word they answer.
    answered = {topic for door in TOPICS if door.results for topic in TOPICS if topic.name == door.results}
    sent |= {(topic.name, kind.__name__) for topic in answered for kind in REFUSALS if kind in topic.carries}
    carried = {
        (topic.name, kind.__name__)
        for topic in TOPICS
        if topic.speaker == "relay" and topic.name != "complaints.log"
        for kind in topic.carries
    }
    assert sent == carried


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda p: p.name)
def test_every_decision_names_the_check_that_holds_it_and_the_paths_it_names_exist(record: Path) -> None:
    text = record.read_text()
    assert "Held by" in text
    named = re.findall(r"`((?:services|shared|hotline|deploy|tests|docs)/[\w./-]*)`", text)
    missing = [path for path in named if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/integration.md", "docs/runbook.md"]
)
def test_a_page_names_only_paths_that_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"`((?:services|shared|hotline|deploy|tests|docs|\.ci)/[\w./-]*|[A-Z]+\.md)`", text)
    linked = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [target for target in linked if not ((ROOT / page).parent / target).exists()]
    assert missing == []
