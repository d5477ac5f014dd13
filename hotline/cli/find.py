"""`hotline find`: complaints by number, request, words of the title, place, unit or caller."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.cli.listing import LISTED, After, Content, District, Limit, Subject, tell_listed
from hotline.cli.run import Json, fail, run


def find(
    text: Annotated[
        str, typer.Argument(help="A complaint's number or id, a request's id, or words of the title.")
    ] = "",
    subject: Subject = "",
    district: District = "",
    street: Annotated[str, typer.Option(help="Only of this street or town.")] = "",
    unit: Annotated[str, typer.Option(help="Only those whose last order lies, or lay, with this unit.")] = "",
    caller: Annotated[
        str, typer.Option(help="Only of this telephone number. The search is noted, and the number is not.")
    ] = "",
    agent: Annotated[str, typer.Option(help="The agent that looks for a caller.")] = "agent",
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    content: Content = False,
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """Find complaints, the newest first: by number, words of the title, subject, place, unit or caller."""
    from deploy.city.registry import city_up
    from hotline.casefile.orders import Whereabouts, found_in, line, of_caller, row

    if not (text or subject or district or street or unit or caller):
        fail("Give a text, --subject, --district, --street, --unit or --caller.", code=2)
    if caller and (text or subject or district or street or unit or after):
        fail("--caller: stands alone, with --open and --limit.", code=2)
    place = Whereabouts(subject, district, street, unit)
    looked = run(
        of_caller(city_up(), caller, agent, open_only=open_only, most=limit)
        if caller
        else found_in(city_up(), text, place=place, open_only=open_only, after=after, most=limit)
    )
    tell_listed(
        looked,
        lambda one: {**row(one, looked.now), "unit": one.lead, "stage": one.stage},
        lambda one: f"{one.stage:14} {line(one, looked.now)}",
        nothing="Nothing is found.",
        json=json,
        below=lambda one: one.content if content else "",
    )
