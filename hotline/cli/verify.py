"""`hotline verify`: read the whole log again, and say whether everything that must hold holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.report import print_report
from hotline.cli.run import Json, is_up, run
from hotline.terminal import say, say_record

if TYPE_CHECKING:
    from hotline.audit.report import Report


def verify(
    *,
    anchors: Annotated[
        Path | None,
        typer.Option(
            help="A file of the log's anchors, best a copy that lies elsewhere: were facts changed or removed?",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check versions, hash chains, lives, heads, timers and offsets of the whole log; exit 1 on a problem."""
    report, digest = run(is_up(_verify(anchors), json=json))
    if json:
        say_record({"digest": digest, "report": report})
    else:
        print_report(report)
        say(f"digest of all facts: {digest}")
    if report.problem_count:
        raise typer.Exit(1)


async def _verify(anchors: Path | None) -> tuple[Report, str]:
    from deploy.city.registry import find_city
    from hotline.audit.digest import digest
    from hotline.audit.verify import verify

    endpoints = find_city()
    reader = endpoints.logins["reader"]
    return await verify(
        reader, kafka=endpoints.looks, prefix=endpoints.prefix, anchors=anchors
    ), await digest(reader)
