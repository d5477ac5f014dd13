"""The reason of a refusal in the reader's language: the desks state it in English, as the log keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from markupsafe import Markup, escape

from hotline.web.pages.catalogues import N_, translations_of
from hotline.web.pages.look import Language

REASONS: Final[Sequence[str]] = (
    N_("the complaint is not dispatched"),
    N_("a council has named the unit already"),
    N_("a council has named the unit"),
    N_("it can be returned: a council meets about what a review rejected"),
    N_("its clock stands still"),
    N_("no visit is under way"),
    N_("%(who)s asks the citizen: wait %(minutes)s minutes, or until the outcome is written down"),
    N_("the citizen is not to be asked before %(at)s"),
    N_("nobody helps with a report of retaliation (R9)"),
    N_("nothing about whose order it is is under review"),
    N_("only a signed order is extended"),
    N_("only a signed order is paused"),
    N_("supervision keeps it (R9)"),
    N_("the citizen is being asked"),
    N_("the order is not signed"),
    N_("the order is signed"),
    N_("there is no answer"),
    N_("the citizen has judged it"),
    N_("a council decides on what is disputed"),
    N_("a dispute about this order is under review"),
    N_("a return of this order is under review"),
    N_("called: everybody it names was let go already"),
    N_("it is not paused"),
    N_("no exclusion is under review"),
    N_("nobody knows who it was"),
    N_("only a signed order is terminated; one that is not yours is returned"),
    N_("the order is answered"),
    N_("the order is terminated"),
    N_("a termination for %(ground)s is under review"),
    N_("assignment %(n)s is not written yet"),
    N_("assignment %(n)s is over, the present one is %(now)s"),
    N_("assignment %(n)s is over"),
    N_("calendar: %(why)s"),
    N_("called: %(unit)s was not called by whistle %(n)s"),
    N_("it goes by calendar %(calendar)s already"),
    N_("it reported at %(at)s"),
    N_("no %(what)s of this order is under review"),
    N_("only %(unit)s, which whistled, releases (T25)"),
    N_("rated: who was called rates %(unit)s, which whistled"),
    N_("the citizen was spoken to at %(at)s"),
    N_("the life ended with %(how)s, and everybody was let go"),
    N_("the life ended with %(how)s: asked again it is a new request"),
    N_("the life ended with %(how)s: what is new is a new request"),
    N_("the life ended with %(how)s at %(at)s"),
    N_("the life ended with %(how)s"),
    N_("the order lies with %(unit)s now"),
    N_("the order was signed at %(at)s"),
    N_("the pause ended at %(at)s"),
    N_("whistle %(n)s is not between %(one)s and %(other)s"),
    N_("whistle %(n)s was not blown"),
    N_("whistle %(n)s did not call %(unit)s"),
    N_("whistle %(n)s was blown already, the next is %(next)s"),
    N_("whistle %(n)s: the next is %(next)s"),
    N_("%(unit)s has rated %(rated)s for whistle %(n)s already"),
    N_("%(unit)s was not asked to help"),
    N_("%(unit)s acknowledged it at %(at)s"),
    N_("%(unit)s arrived at %(at)s"),
    N_("%(unit)s has neither come nor been let go"),
    N_("%(unit)s has let it go"),
    N_("a review has approved an exclusion for %(ground)s"),
    N_("a review has rejected an exclusion for %(ground)s"),
    N_("an exclusion for %(ground)s is under review"),
    N_("co_unit: %(unit)s helps already"),
    N_("co_unit: %(unit)s leads"),
    N_("co_units: each unit once, and not %(unit)s, which leads"),
    N_("days: %(n)s asked for, at most %(most)s (D4)"),
    N_("days: %(n)s asked for, at most %(most)s"),
    N_("extended %(n)s times already, at most %(most)s (D4)"),
    N_("it counts in no score: the life ended with %(how)s"),
    N_("it is paused until %(at)s"),
    N_("it was answered only at %(at)s"),
    N_("paused %(n)s times already, at most %(most)s"),
    N_("sent back %(n)s times already, at most %(most)s; the citizen judges"),
    N_("something later is on record, of %(at)s"),
    N_("suggested_unit: %(unit)s is who returns it"),
    N_("the limit passed at %(at)s (T6)"),
    N_("the limit passed at %(at)s; the citizen judges (R8)"),
    N_("the record was corrected, and the catalogue names %(unit)s now"),
    N_("to_unit: %(unit)s is who returns it; to leave it there the return is rejected"),
    N_("to_unit: %(unit)s is no street of %(district)s in catalogue %(version)s"),
    N_("%(field)s: %(unit)s is not in catalogue %(version)s"),
    N_("visit %(visit)s attempt %(attempt)s was not to be made before %(at)s"),
    N_("%(n)s units help already, at most %(most)s"),
    N_("an extension of this order is under review"),
    N_("a pause of this order is under review"),
    N_("a termination of this order is under review"),
    N_("called: each unit once, and not the street itself"),
    N_("called: %(n)s units, at most %(most)s"),
    N_("in a later round the limit is the round's own, and only becomes shorter"),
    N_("it has not climbed: no district and no supervision watches over it"),
    N_("its limit came with the request"),
    N_("only a street or town whistles (G1)"),
    N_("the order of the next round is not written yet"),
    N_("it is %(urgency)s already"),
    N_("%(n)s whistles already, at most %(most)s"),
    N_("only a limit in days is %(done)s"),
    N_("%(field)s: blank, expected who decided"),
    N_("%(field)s: %(unit)s has the order; nobody decides what he asked for (T22)"),
    N_("No order of this complaint lies with you"),
)
"""The reasons of the desks; a more special one stands before a more general one."""
_PLACE: Final = re.compile(r"%\((\w+)\)s")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = _PLACE.split(text)
    made = "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+?)" for at, part in enumerate(parts))
    return re.compile(made, re.DOTALL)


def reason(language: Language, told: str) -> Markup:
    """The sentence of a refusal; one that the catalogue does not have stays English, and is marked as English."""
    if language is Language.ENGLISH:
        return escape(told)
    known = known_reason(language, told.strip().removeprefix("Refused: ").removesuffix("."))
    return Markup('<q lang="en">{}</q>').format(told) if known is None else escape(f"{known}。")


def known_reason(language: Language, plain: str) -> str | None:
    """The reason of a fact in this language; None where the catalogue does not have it."""
    for text in REASONS:
        found = _pattern(text).fullmatch(plain)
        if found is not None:
            return translations_of(language).gettext(text) % found.groupdict()
    return None
