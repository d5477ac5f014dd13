"""`hotline upgrade --check`: the steps that a city needs before processes of this release may serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, fail, is_up, run
from hotline.terminal import say, say_record

if TYPE_CHECKING:
    from hotline.upkeep.upgrade import UpgradeStep


def upgrade(
    *,
    check: Annotated[bool, typer.Option("--check", help="Say what is missing, and change nothing.")] = False,
    json: Json = False,
) -> None:
    """Say what a city needs before processes of this release may serve it; exit 1 where it needs something."""
    if not check:
        fail("--check is missing: a deployment does the steps, see docs/deploy.md.", code=2)
    found = run(is_up(_check(), json=json))
    if json:
        say_record({"steps": [step._asdict() for step in found]})
    elif not found:
        say(
            "Nothing is missing: processes of this release may start, beside those of the release before too."
        )
    for step in () if json else found:
        say(f"{step.what}\n  {step.how}")
    if found:
        raise typer.Exit(1)


async def _check() -> list[UpgradeStep]:
    from deploy.city.registry import city_up
    from hotline.upkeep.upgrade import steps

    return await steps(city_up())
