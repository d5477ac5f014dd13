"""Whoever has read one service has read all four."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from shared.events import SPEAKERS, Desk
from shared.outward import OUTWARD
from shared.topics import TOPICS

ROOT = Path(__file__).parents[2]
ROOMS = {
    "__init__.py",
    "__main__.py",
    "app.py",
    "commands.py",
    "inbound.py",
    "rules.py",
    "settings.py",
}
TABLES = {
    "intake": {
        "telephone.py",
        "register.py",
        "switches.py",
        "messages.py",
        "knowledge.py",
        "knowledge_base.py",
        "links.py",
        "naming.py",
        "told_again.py",
        "twice.py",
        "views.py",
    },
    "dispatch": {
        "routing.py",
        "matters.py",
        "orders.py",
        "reviews.py",
        "whistles.py",
        "exclusions.py",
        "handling.py",
        "pauses.py",
        "limits.py",
        "reclassification.py",
        "calendars.py",
        "contact_policy.py",
        "contact_door.py",
        "deciders.py",
        "corrections.py",
        "views.py",
    },
    "escalation": {"due.py", "ladder.py", "watermark.py"},
}


@pytest.mark.parametrize("desk", Desk)
def test_every_service_has_the_same_rooms(desk: Desk) -> None:
    rooms = {file.name for file in (ROOT / "services" / desk).glob("*.py")}
    assert rooms == ROOMS | TABLES.get(desk, set())


@pytest.mark.parametrize("desk", Desk)
def test_a_services_contract_names_exactly_the_facts_it_may_state(desk: Desk) -> None:
    contract = importlib.import_module(f"services.{desk}").__doc__ or ""
    says = contract[contract.index("Says") :]
    named = set(re.findall(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+", says))
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
