"""`hotline supervisor`: keep a city's services and its stack alive; what `hotline up` leaves running."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.cli.run import run
from hotline.terminal import say


def supervisor(
    city: Annotated[str, typer.Argument(help="The city whose services are started.")],
) -> None:
    """Keep a city's services alive until told to stop (SIGTERM)."""
    run(_supervise(city))


async def _supervise(name: str) -> None:
    import asyncio
    import json
    import signal
    from contextlib import suppress
    from datetime import UTC, datetime

    from deploy.city.processes import prometheus_of, services_of
    from deploy.city.registry import RESTARTS_FILE, city_up, folder
    from deploy.embedded.atomic import write_atomically
    from deploy.embedded.open_listener import listeners
    from deploy.embedded.stack import Stack
    from deploy.supervision.supervisor import Supervisor
    from deploy.supervision.watchman import Watchman
    from shared.policy.catalogue import catalogue
    from shared.runtime.errors import UserError

    city = city_up()
    if city.endpoints.name != name:
        raise UserError(f"The current city is {city.endpoints.name}, not {name}.")

    def tell(text: str) -> None:
        say(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}")

    made = Supervisor(
        [*services_of(city), *prometheus_of(city)], stack=Stack(folder(), listeners=listeners()), say=tell
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def note_restarts() -> None:
        noted: dict[str, int] | None = None
        while True:
            if made.restarts != noted:
                noted = dict(made.restarts)
                with suppress(FileNotFoundError):  # wiped meanwhile
                    write_atomically(folder() / RESTARTS_FILE, json.dumps(noted) + "\n")
            await asyncio.sleep(0.5)

    await made.start()
    tell(f"supervising {name}")
    watchman = Watchman(city.endpoints, catalogue(city.catalogue), made, tell)
    tasks = [
        asyncio.ensure_future(work) for work in (made.watch(), watchman.watch(), note_restarts(), stop.wait())
    ]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await made.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()  # a supervisor that failed says so in its log
