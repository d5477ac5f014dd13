"""How the facts of a monthly programme or a list of projects read: who did what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from hotline.governance import facts as p
from shared.ids import UnitId


def _with(units: Iterable[UnitId]) -> str:
    return f", with {', '.join(units)}" if units else ""


def _grown(clusters: Iterable[p.Cluster]) -> str:
    """The complaints it grew from."""
    subjects = "; ".join(one.subject + (f" in {one.district}" if one.district else "") for one in clusters)
    return f", from complaints about {subjects}" if subjects else ""


_SAYS: Final[dict[type[p.ProgrammeFact], Callable[[Any], str]]] = {
    p.ProgrammeProposed: lambda f: (
        f"proposed {f.title} for {f.year}-{f.month:02}, {f.lead} leads{_grown(f.clusters)}"
    ),
    p.ListDrawnUp: lambda f: (
        f"drew up {f.title} for {f.year}, {f.level.lower()} level, {f.owner} owns it{_grown(f.clusters)}"
    ),
    p.ProgrammeAdopted: lambda _: "adopted it",
    p.ItemNamed: lambda f: f"named {f.item}. {f.title}: {f.lead} leads{_with(f.cooperating)}",
    p.LeadChanged: lambda f: f"gave {f.item}. to {f.lead}{_with(f.cooperating)}: {f.reason}",
    p.TaskSet: lambda f: f"set task {f.task} of {f.item}.: {f.title}, {f.owner}, due {f.due}",
    p.TaskProgressed: lambda f: f"task {f.task} goes on: {f.text}",
    p.LongTermApproved: lambda f: f"let task {f.task} be kept up, looked at again on {f.review_on}: {f.plan}",
    p.LongTermReviewed: lambda f: f"looked at task {f.task}, and will on {f.review_on}: {f.found}",
    p.TaskCompleted: lambda f: f"task {f.task} is done: {f.evidence}",
    p.TaskVerified: lambda f: f"verified that task {f.task} is done",
    p.CompletionRejected: lambda f: f"found task {f.task} not done: {f.reason}",
    p.PolicyIssued: lambda f: f"issued {f.document}",
    p.AssessmentMade: lambda f: f"asked {f.visits:,} citizens, {f.survey_rate} % of them are satisfied",
    p.AnswerOffered: lambda f: (
        f"offered the answer to {f.first[:8]} for {len(f.members):,} in its position ({f.item}.): {f.answer}"
    ),
    p.ClosingExceptionApproved: lambda f: f"let it be closed as an exception: {f.reason}",
    p.ProgrammeClosed: lambda f: f"closed it ({f.basis.lower()})",
    p.WishRefused: lambda f: f"was refused: {f.reason} (wanted: {sentence(f.wanted)})",
}
"""For each fact, what its speaker did."""


def sentence(fact: p.ProgrammeFact) -> str:
    """A fact for a person: by whom, and what."""
    return f"{fact.by}: {_SAYS[type(fact)](fact)}"
