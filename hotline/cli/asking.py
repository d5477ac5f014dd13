"""A subject or place that the catalogue does not know is asked about before it is sent; nobody guesses it (D1)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hotline.cli.run import fail
from hotline.terminal import asks, note
from shared.text import folded, has_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.policy.catalogue import Catalogue

AsIs = Annotated[
    bool,
    typer.Option(
        "--as-is", help="Record a subject or place that the catalogue does not know, as it is typed."
    ),
]
NEAR_MAX: Final = 3
"""Names shown beside one that is not known: for the person who is asked, never taken by themselves."""

Said = dict[str, str | None]


def settled(
    known: Catalogue, subject: str | None, district: str | None, street: str | None, *, as_is: bool
) -> Said:
    """The three as they are to be recorded: as they were typed, or as they were typed again; none stays none.

    Ends where nobody can be asked. `hotline request to-correct` lists requests that are recorded as they are.
    """
    said: Said = {"subject": subject, "district": district, "street": street}
    for what in ("subject", "district", "street"):
        while not as_is and (amiss := _amiss(known, what, said)):
            again = asks(f"{amiss} Type it right, or Enter to record it as it is:")
            if again is None:
                fail(f"Not sent: --{what}: {amiss} --as-is records it so.", code=2)
            if not has_words(again):
                break
            said[what] = again
        if amiss := _amiss(known, what, said):
            note(f"note: {amiss}")
    return said


def _amiss(known: Catalogue, what: str, said: Mapping[str, str | None]) -> str:
    """The name that is not known, in a sentence, and names near it; "" where it is known or cannot be judged."""
    name, names = folded(said[what] or ""), _names(known, what, said)
    if not name or names is None or name in names:
        return ""
    near = get_close_matches(name, names, n=NEAR_MAX, cutoff=0.3)
    near = near or [one for one in names if name in one][:NEAR_MAX]
    hint = f"; near: {', '.join(near)}" if near else ""
    return f"'{name}' is no {what} of catalogue {known.version}{hint}."


def _names(known: Catalogue, what: str, said: Mapping[str, str | None]) -> Mapping[str, object] | None:
    if what == "subject":
        return known.subjects
    if what == "district":
        return known.districts
    district = known.districts.get(folded(said["district"] or ""))
    return None if district is None else district.streets
