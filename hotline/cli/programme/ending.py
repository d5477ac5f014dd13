"""The results of a programme: documents, an assessment, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.arguments import percent
from hotline.cli.programme.options import By, ProgrammeNamed
from hotline.cli.programme.recording import Speaker, one, record
from hotline.cli.run import Json, run
from hotline.cli.speaking import speaks
from hotline.parsing import NUMBER_MAX

if TYPE_CHECKING:
    from hotline.governance.facts import Wanted
    from hotline.governance.state import Programme


@speaks
def policy(
    programme: ProgrammeNamed,
    document: Annotated[str, typer.Argument(help="Its name and number.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Write down a document that came of it."""
    one(programme, by, "PolicyIssued", lambda *_: {"document": document}, json=json)


@speaks
def assess(
    programme: ProgrammeNamed,
    survey: Annotated[str, typer.Option(metavar="PERCENT", help="How many percent are satisfied, 0 to 100.")],
    visits: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="How many citizens were visited.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Write down what citizens said of the whole; not by who leads, helps or owns a task."""
    rate = percent(survey, "--survey")
    one(programme, by, "AssessmentMade", lambda *_: {"survey_rate": rate, "visits": visits}, json=json)


@speaks
def close(
    programme: ProgrammeNamed,
    by: By,
    exception: Annotated[
        str, typer.Option(metavar="REASON", help="Approve that it closes without an assessment, and why.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Close it: with its assessment, or by an exception approved by somebody not concerned."""

    def wanted(state: Programme | None, city: Speaker) -> list[Wanted]:
        from hotline.governance import facts as f

        assert state is not None  # noqa: S101 -- it was called by its id
        basis = f.Basis.EXCEPTION if exception else f.Basis.ASSESSMENT
        common: dict[str, Any] = {"programme_id": state.programme_id, "by": city.by}
        end = f.ProgrammeClosed(**common, basis=basis, closed_at=city.now)
        if not exception:
            return [end]
        return [f.ClosingExceptionApproved(**common, reason=exception, approved_at=city.now), end]

    run(record(programme, by, wanted, json=json))
