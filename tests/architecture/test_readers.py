"""Whoever reads Kafka reads alike: only what is committed, every codec, and nothing unreadable stops it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.codec import has_gzip, has_lz4, has_snappy, has_zstd

from shared.doors import kafka_reader

ROOT = Path(__file__).parents[2]
MADE_IN = {
    "shared/doors/kafka_reader.py": "AIOKafkaConsumer(",
    "shared/doors/subscription.py": ".subscriber(",
}
"""Where a consumer comes from: one place for doors, one for everybody else."""


def _sources() -> list[Path]:
    return [
        file
        for folder in ("services", "shared", "hotline", "deploy")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ]


def test_a_consumer_is_made_in_two_places_only() -> None:
    made = re.compile(r"AIOKafkaConsumer\(|\.subscriber\(|\bConsumer\(\s*\{")
    found = {
        str(file.relative_to(ROOT)): set(made.findall(text))
        for file in _sources()
        if made.search(text := file.read_text(encoding="utf-8"))
    }
    assert found == {name: {how} for name, how in MADE_IN.items()}


def test_both_read_only_what_is_committed() -> None:
    for name in MADE_IN:
        assert '"isolation_level": "read_committed"' in (ROOT / name).read_text(encoding="utf-8")


def test_an_end_is_asked_for_as_a_reader_of_what_is_committed_sees_it() -> None:
    asking = [file for file in _sources() if "list_offsets(" in file.read_text(encoding="utf-8")]
    assert [str(file.relative_to(ROOT)) for file in asking] == ["deploy/supervision/topic_ends.py"]
    assert "isolation_level=IsolationLevel.READ_COMMITTED" in asking[0].read_text(encoding="utf-8")


def test_aiokafka_has_all_of_kafkas_codecs() -> None:
    assert all((has_gzip(), has_snappy(), has_lz4(), has_zstd()))


async def test_what_a_reader_is_told_beyond_that_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(kafka_reader, "AIOKafkaConsumer", lambda **options: told.append(options))
    kafka_reader.reader_of("kafka:9092", client_id="x", fetch_min_bytes=7)
    (options,) = told
    assert options["isolation_level"] == "read_committed"
    assert (options["group_id"], options["enable_auto_commit"]) == (None, False)
    assert (options["client_id"], options["fetch_min_bytes"]) == ("x", 7)
    assert AIOKafkaConsumer is not kafka_reader.AIOKafkaConsumer  # type: ignore[attr-defined]  # what it imports
