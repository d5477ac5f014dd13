"""Months, days, instants and numbers as a person types them: every command reads them in this one way.

Only the digits 0 to 9 are digits here, and nothing stands before or behind. A day or an instant without a zone is the
city's. A value that cannot be ends the command with exit code 2 and a sentence that names the argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Annotated, Any, Final, NoReturn, TypeAlias

import typer
from typer.core import TyperGroup

from hotline.cli.run import fail
from hotline.lab.mix import Mix
from hotline.parsing import YEAR_MAX, YEAR_MIN, day_of, instant_of, month_of, number_of

MixOption: TypeAlias = Annotated[
    Mix, typer.Option(help="full: the people say every input there is; plain: those of before, to compare.")
]
"""Every command that lets a rehearsed city live has it."""


def month(text: str, name: str) -> date:
    """See `month_of`."""
    return month_of(text) or _wrong(text, name, f"a year and a month such as 2026-10{_years()}")


def day(text: str, name: str) -> date:
    """See `day_of`."""
    return day_of(text) or _wrong(text, name, f"a day such as 2021-12-31{_years()}")


def instant(text: str, name: str, zone: tzinfo, what: str = "a day or an instant") -> datetime:
    """See `instant_of`."""
    expected = f"{what} such as 2026-11-27 or 2026-11-27T08:00+08:00{_years()}"
    return instant_of(text, zone) or _wrong(text, name, expected)


def percent(text: str, name: str) -> Decimal:
    """From 0 to 100."""
    number = number_of(text)
    if number is None or number > 100:  # noqa: PLR2004 -- percent
        _wrong(text, name, "percent such as 91.31")
    return number


def finite(value: float | None) -> float | None:
    """For an option that takes a number with a point: `nan` and `inf` are numbers to Python and to nobody else."""
    if value is not None and not -float("inf") < value < float("inf"):
        raise typer.BadParameter(f"{value} is no number to work with.")
    return value


def _years() -> str:
    return f", of the years {YEAR_MIN} to {YEAR_MAX}"


def _wrong(text: str, name: str, expected: str) -> NoReturn:
    fail(f"{name}: '{text}', expected {expected}.", code=2)


# -- the whole line

AGENT, UNIT, REVIEWER, SUPERVISOR, OPERATOR, DEVELOPER = READERS = (
    "Agent",
    "Unit",
    "Reviewer",
    "Supervisor",
    "Operator",
    "Developer",
)
"""The readers of the help, in its order. An integrator types no command of its own."""
_SHORT_HELP_MAX: Final = 160
"""Characters. The first sentence of every command is shorter, so none is cut."""


def _empty(args: Sequence[str], place: int) -> str | None:
    """The name of the argument at this place, counted from 1, where it is empty; None where it is not."""
    one, before = args[place - 1], args[place - 2] if place > 1 else ""
    option, mark, value = one.partition("=")
    if mark and not value and option.startswith("--"):
        return option
    if one:
        return None
    return before if before.startswith("--") and before != "--" else f"Argument {place}"


class CommandLine(TyperGroup):
    """The command itself. It refuses what is no text before it reads any of it, and lists commands by reader."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List each command under its reader, which is its `rich_help_panel`."""
        panels: dict[str, list[tuple[str, str]]] = {reader: [] for reader in READERS}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if not command.hidden:
                line = (name, command.get_short_help_str(_SHORT_HELP_MAX))
                panels[command.rich_help_panel].append(line)
        width = max(len(name) for lines in panels.values() for name, _ in lines)
        for reader, lines in panels.items():
            with formatter.section(reader):
                formatter.write_dl([(name.ljust(width), said) for name, said in lines])

    def parse_args(self, ctx: Any, args: Sequence[str]) -> list[str]:
        """Refuse what is no text in UTF-8 or nothing at all, by its place; then as ever.

        An option that is given and says nothing is not left out. A script's empty variable means nothing that
        anybody knows, and a missing `--complaint` means all complaints.
        """
        for place, one in enumerate(args, start=1):
            try:
                one.encode()
            except UnicodeEncodeError:
                shown = one.encode("utf-8", "backslashreplace").decode()
                fail(f"Argument {place} is no UTF-8: '{shown}', expected text in UTF-8.", code=2)
            if "\0" in one:
                fail(f"Argument {place} has a NUL character in it: '{one}', expected text.", code=2)
            if (empty := _empty(args, place)) is not None:
                fail(f"{empty}: expected words that can be read, got nothing.", code=2)
        return super().parse_args(ctx, list(args))
