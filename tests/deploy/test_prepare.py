"""The job that brings a deployed city up to date starts beside its servers: it waits for both."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.city import kafka_rights
from deploy.city import prepare as job
from deploy.city.deployed import Settings
from deploy.embedded import child
from shared.runtime.errors import UserError

pytestmark = pytest.mark.connected


def settings(dsn: str, folder: Path, kafka: str) -> Settings:
    """A city of which the owner and Kafka's admin are known."""
    at = urlsplit(dsn)
    (folder / "postgres-owner").write_text(at.password or "")
    for name in ("admin", *kafka_rights.PRINCIPALS):
        (folder / f"kafka-{name}").write_text("a-password")
    return Settings(
        kafka=kafka,
        postgres=f"postgresql://{at.hostname}:{at.port}{at.path}",
        owner=at.username or "",
        secrets=folder,
    )


async def test_it_waits_for_a_kafka_that_is_not_there_yet_and_says_in_the_end_that_it_never_came(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "SERVERS_SECONDS_MAX", 0.5)
    monkeypatch.setattr(job, "ASKED_AGAIN_SECONDS", 0.2)
    nowhere = f"127.0.0.1:{child.free_ports(1)[0]}"
    with pytest.raises(UserError, match="Kafka does not answer"):
        await job.prepare(settings(database, tmp_path, nowhere), ["kafka"])

    monkeypatch.setattr(job, "SERVERS_SECONDS_MAX", 600.0)
    waits = asyncio.create_task(job.prepare(settings(database, tmp_path, nowhere), ["kafka"]))
    done, _ = await asyncio.wait({waits}, timeout=3)
    assert not done, "it asks again"
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
