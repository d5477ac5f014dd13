"""`hotline supervise`: keep a city's services and its stack alive; what `hotline up` leaves running."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.commands.run import run


def supervise(
    city: Annotated[str, typer.Argument(help="The city whose services are started.")],
) -> None:
    """Keep a city's services alive until told to stop (SIGTERM)."""
    run(_supervise(city))


async def _supervise(name: str) -> None:
    import asyncio
    import signal
    from datetime import UTC, datetime

    from hotline.realm import services
    from hotline.stack.stack import Stack
    from hotline.stack.supervisor import Supervisor
    from hotline.where import city_up, folder

    city = city_up()

    def say(text: str) -> None:
        print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}", flush=True)

    supervisor = Supervisor(
        services(
            city.realm,
            folder() / "logs" / name,
            time=city.time,
            traces_ratio=city.traces_ratio,
            ruleset=city.ruleset,
            catalogue=city.catalogue,
        ),
        stack=Stack(folder()),
        say=say,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await supervisor.start()
    say(f"supervising {name}")
    watching = asyncio.ensure_future(supervisor.watch())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
    await supervisor.stop()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
