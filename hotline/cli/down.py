"""`hotline down` and `hotline wipe`: stop everything; remove what it left."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.cli.run import run, sure
from hotline.terminal import say


def down() -> None:
    """Stop services and stack; what is in the log stays."""
    run(_down(), interrupted="Something may still run: `hotline down` again ends it.")


async def _down() -> None:
    from deploy.city.registry import anything_runs, folder, typed, up_again
    from deploy.embedded.stack import Stack
    from deploy.embedded.state import is_stack

    where = folder()
    if not anything_runs():
        say(f"Nothing runs in {where}." if is_stack(where) else f"There is no stack in {where}.")
        return
    await Stack(where).down()
    say("Everything is stopped.")
    say(
        f"What was recorded stays in {where}: {typed(up_again(where), where)} goes on, "
        f"{typed('wipe', where)} removes it."
    )


def wipe(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove the stack's folder with every complaint in it.

    Asks first, and refuses while anything runs.
    """
    from deploy.city.registry import folder
    from deploy.embedded.stack import Stack

    where = folder()
    if not where.exists():
        say(f"There is nothing in {where}.")
        return
    if not sure(f"Remove {where} with every complaint in it?", yes=yes):
        say("Nothing is removed.")
        return
    Stack(where).wipe()
    say(f"{where} is removed.")
