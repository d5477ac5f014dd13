"""Taking a matter on: propose a programme or draw up a list, adopt it, name its problems or projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.arguments import month as month_of
from hotline.cli.asking import AsIs
from hotline.cli.programme.options import By, ItemNumber, Lead, OutOf, ProgrammeNamed, Title, With
from hotline.cli.programme.recording import Speaker, one, record
from hotline.cli.run import Json, one_of, run
from hotline.cli.speaking import speaks

if TYPE_CHECKING:
    from hotline.governance.facts import Wanted
    from hotline.governance.state import Programme


@speaks
def propose(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2021-01.")],
    title: Title,
    lead: Lead,
    by: By,
    out_of: OutOf = None,
    *,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Propose a theme for a month."""
    first = month_of(month, "MONTH")
    year, number = first.year, first.month

    def wanted(_: Programme | None, city: Speaker) -> list[Wanted]:
        from hotline.governance import facts as f

        return [
            f.ProgrammeProposed(
                programme_id=f.programme_id_of(year, number, title),
                by=city.by,
                year=year,
                month=number,
                title=title,
                lead=city.unit(lead),
                clusters=city.clusters(out_of, as_is=as_is),
                proposed_at=city.now,
            )
        ]

    run(record("", by, wanted, json=json))


@speaks
def draw_up(
    year: Annotated[int, typer.Argument(metavar="YEAR", min=2000, max=2999)],
    level: Annotated[str, typer.Argument(metavar="LEVEL", help="MUNICIPAL, DISTRICT or STREET.")],
    owner: Annotated[str, typer.Argument(metavar="UNIT", help="The unit the list belongs to.")],
    title: Title,
    by: By,
    out_of: OutOf = None,
    *,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Draw up a project list for a year."""
    from hotline.governance import facts as f

    one_of("LEVEL", level, list(f.ListLevel))

    def wanted(_: Programme | None, city: Speaker) -> list[Wanted]:
        unit = city.unit(owner)
        return [
            f.ListDrawnUp(
                programme_id=f.list_id(year, f.ListLevel(level), unit, title),
                by=city.by,
                year=year,
                title=title,
                level=f.ListLevel(level),
                owner=unit,
                clusters=city.clusters(out_of, as_is=as_is),
                drawn_up_at=city.now,
            )
        ]

    run(record("", by, wanted, json=json))


@speaks
def adopt(programme: ProgrammeNamed, by: By, *, json: Json = False) -> None:
    """Decide that it is taken on."""
    one(programme, by, "ProgrammeAdopted", lambda *_: {}, json=json)


@speaks
def item(
    programme: ProgrammeNamed, title: Title, lead: Lead, by: By, others: With = "", *, json: Json = False
) -> None:
    """Name a problem of a monthly programme or a project of a list, with its one lead."""
    one(
        programme,
        by,
        "ItemNamed",
        lambda state, city: {
            "item": len(state.items) + 1,
            "title": title,
            "lead": city.unit(lead),
            "cooperating": city.units(others),
        },
        json=json,
    )


@speaks
def lead(
    programme: ProgrammeNamed,
    item: ItemNumber,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The new lead.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    by: By,
    others: With = "",
    *,
    json: Json = False,
) -> None:
    """Give a problem or project another lead, or others who work with it."""
    one(
        programme,
        by,
        "LeadChanged",
        lambda _, city: {
            "item": item,
            "lead": city.unit(unit),
            "cooperating": city.units(others),
            "reason": reason,
        },
        json=json,
    )
