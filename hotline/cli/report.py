"""The findings of `hotline verify`, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.terminal import cell

if TYPE_CHECKING:
    from rich.console import Console

    from hotline.audit.report import Report


def print_report(report: Report) -> None:
    """The report as a table for a person, and the problems by name."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="verify", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right", overflow="fold")
    for name, value in _rows(report):
        table.add_row(cell(name), cell(value))
    console.print(table)
    _print_notices(report, console)
    if not report.problem_count:
        console.print(
            "[green]All holds:[/] versions dense, hash chains right, causes before what they led to, every life "
            "legal, heads and timers equal to their rebuild, every open complaint has a deadline "
            "or somebody it waits for."
        )
        return
    console.print(f"[red]{report.problem_count:,} problem{'s' if report.problem_count > 1 else ''}[/]")
    for problem in report.problems:
        named = f"{problem.complaint_id}  " if problem.complaint_id else ""
        console.print(cell(f"  {named}{problem.what}"), highlight=False, soft_wrap=True)
    if report.problem_count > len(report.problems):
        console.print(f"  … and {report.problem_count - len(report.problems):,} more")


def _print_notices(report: Report, console: Console) -> None:
    if not report.notice_count:
        return
    console.print(
        f"[yellow]{report.notice_count:,} notice{'s' if report.notice_count > 1 else ''}[/], no problem"
    )
    for one in report.notices:
        console.print(cell(f"  {one.complaint_id}  {one.what}"), highlight=False, soft_wrap=True)
    if report.notice_count > len(report.notices):
        console.print(f"  … and {report.notice_count - len(report.notices):,} more")
    console.print(cell(f"  What to do: {report.what_to_do}."), highlight=False, soft_wrap=True)


def _rows(report: Report) -> list[tuple[str, str]]:
    waiting = ", ".join(f"{number:,} {who}" for who, number in sorted(report.waiting_for.items()))
    return [
        ("complaints", f"{report.complaints:,}"),
        ("  open", f"{report.open:,}"),
        *((f"  {how}", f"{number:,}") for how, number in sorted(report.ended.items())),
        *([("  archived, detached", f"{report.detached:,}")] if report.detached else []),
        ("facts", f"{report.facts:,}"),
        ("  of them refusals", f"{report.refusals:,}"),
        ("open with a next deadline", f"{report.waiting_with_deadline:,}"),
        ("open, waiting for", waiting or "nobody"),
        ("compared with the facts", ", ".join(report.compared)),
        *_anchor_rows(report),
        ("timers set", f"{report.timers:,}"),
        ("parked messages", f"{report.parked:,}"),
        *(
            [("contacts of requests not on record", f"{report.contacts_without_record:,}")]
            if report.contacts_without_record
            else []
        ),
        *(
            [("programmes", f"{report.programmes:,}, with {report.programme_facts:,} facts")]
            if report.programmes
            else []
        ),
        ("read in", f"{report.seconds:.1f} s ({report.facts / max(report.seconds, 0.001):,.0f} facts/s)"),
    ]


def _anchor_rows(report: Report) -> list[tuple[str, str]]:
    if report.anchors is None:
        return []
    restored = f"{report.restores:,}, {report.anchors_void:,} anchors of what was lost"
    return [
        ("anchors", f"{report.anchors:,}, with {report.anchored:,} facts"),
        *([("  facts in a month that is away", f"{report.not_checkable:,}")] if report.not_checkable else []),
        *([("  restores from a backup", restored)] if report.restores else []),
        ("  facts after the last one", f"{report.not_anchored:,}"),
    ]
