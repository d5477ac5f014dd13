"""`hotline rebuild VIEW`: make the heads or the timers what the facts say."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.commands.run import run


def rebuild(
    view: Annotated[str, typer.Argument(help="heads or timers.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Make a view anew from the log while the desks go on; only at its end they wait, for a moment."""
    import msgspec

    from hotline.rebuild import VIEWS
    from hotline.rebuild import rebuild as rebuilt
    from hotline.where import find_city

    if view not in VIEWS:
        raise typer.BadParameter(f"there is no view {view!r}, only {' and '.join(VIEWS)}")
    done = run(rebuilt(find_city().owner_dsn, view))
    if json:
        print(msgspec.json.format(msgspec.json.encode(done), indent=2).decode())
        return
    print(
        f"{done.view}: {done.rows:,} rows from {done.facts:,} facts in {done.seconds:.1f} s"
        f" ({done.facts / max(done.seconds, 0.001):,.0f} facts/s); who appends waited {done.held_seconds:.2f} s"
    )
    if done.removed or done.added:
        print(f"{done.removed:,} rows were wrong and are gone, {done.added:,} were missing and are there")
    else:
        print("every row was what the facts say")
