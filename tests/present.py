"""A database whose present is told by a test: the port that the laboratory fills as well."""

from __future__ import annotations

from datetime import UTC, datetime


def present_is(at: datetime) -> str:
    """The statement after which it is this instant there, until another is said."""
    return _present(f"'{at.isoformat()}'::timestamptz")


def present_runs_from(at: datetime) -> str:
    """The statement after which it is this instant there, and time goes on as everywhere."""
    return _present(f"clock_timestamp() - '{(datetime.now(UTC) - at).total_seconds():f} s'::interval")


def _present(expression: str) -> str:
    return (
        "CREATE OR REPLACE FUNCTION es.present() RETURNS timestamptz LANGUAGE sql VOLATILE"
        f" AS $$ SELECT {expression} $$"
    )
