"""`python -m shared.log`: the relay."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.log.anchoring import ANCHOR_SECONDS, Anchoring
from shared.log.relay.cursor import WrongShards
from shared.log.relay.loop import PAGE_MAX, Relay
from shared.runtime.garbage import tune_gc
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry, exporter_of, set_up_logs
from shared.topics import COMPLAINTS_LOG


class Settings(CommonSettings):
    """Prefix RELAY_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="RELAY_")

    page_max: int = Field(default=PAGE_MAX, ge=1, le=PAGE_MAX)
    """Facts read and sent at once."""
    shards: int = Field(default=1, ge=1, le=COMPLAINTS_LOG.partitions)
    """How many relays share the log. The log knows it too (es.relay); a relay that disagrees does not start."""
    anchors_file: str = ""
    """Where the anchors of the log go beside their topic; empty: nowhere."""
    anchor_seconds: float = Field(default=ANCHOR_SECONDS, gt=0)
    """How often what is new in the log is anchored."""
    poll_ms: float = Field(default=5.0, gt=0)
    """How long an idle relay waits before it looks again."""


async def run(settings: Settings) -> None:
    """Relay until told to stop."""
    set_up_logs(settings.log_level)
    telemetry = Telemetry(
        "relay",
        exporter=exporter_of(settings.traces, settings.traces_endpoint),
        ratio=settings.traces_ratio,
        prefix=settings.topic_prefix,
    )
    telemetry.serve(settings)
    telemetry.hear_kafka()
    relay = Relay(
        settings,
        telemetry,
        page_max=settings.page_max,
        poll_seconds=settings.poll_ms / 1000,
        shards=settings.shards,
    )
    anchoring = Anchoring(
        settings,
        telemetry,
        file=Path(settings.anchors_file) if settings.anchors_file else None,
        every_seconds=settings.anchor_seconds,
    )
    task = asyncio.gather(relay.run(), anchoring.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    tune_gc()
    await task


def main() -> None:
    """Run; being told to stop is no failure."""
    try:
        asyncio.run(run(Settings()))
    except asyncio.CancelledError:
        return
    except WrongShards as error:
        raise SystemExit(f"relay: {error}") from None


if __name__ == "__main__":
    main()
