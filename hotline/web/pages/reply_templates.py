"""Reply templates of a unit: texts that its people write once and fill into the forms of acts (decision 0076)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hotline.web.kept_texts import KeptTexts
from hotline.web.pages.asking import PageAsk
from hotline.web.pages.catalogues import N_
from hotline.web.pages.verbs import UNIT_VERBS, WORDS
from hotline.web.reading import Connection
from services.intake.numbers_in_texts import kinds_in
from shared.text import has_words, unplain

NAME_MAX: Final = 40
"""Characters of a template's name."""
TEMPLATES_MAX: Final = 100
"""Templates of one unit."""
ID_DIGITS_MAX: Final = 18
"""Digits of a template's id: more are no id of a row."""
NUMBER, UNIT, DUE = "number", "unit", "due"
PLACES: Final[Mapping[str, str]] = {
    "编号": NUMBER,
    "number": NUMBER,
    "单位": UNIT,
    "unit": UNIT,
    "期限": DUE,
    "due": DUE,
}
"""The words that stand in braces for a value; those of both languages count in each."""
NUMBER_FORM: Final = "20211001-7K4MQ-9XR2B-C"
DUE_FORM: Final = "2021-10-01 17:00"
"""The longest forms of what is filled in: a template's length is judged with them."""
_PLACE: Final = re.compile(r"[{\uff5b]([^{}\uff5b\uff5d\n]{0,40})[}\uff5d]")
_BLANKS: Final = re.compile(r"\s+")

_OF_UNIT: Final = """
SELECT t.template_id, t.verb, t.name, t.text, t.changed_at, s.name
FROM web.reply_template t JOIN web.staff s USING (staff_id)
WHERE t.unit = $1 AND ($2 = '' OR t.verb = $2) ORDER BY t.verb, t.name
"""


class ReplyTemplate(NamedTuple):
    """A text with a name, for one act."""

    template_id: int
    verb: str
    """The act, by its name in `UNIT_VERBS`."""
    name: str
    text: str
    changed_at: datetime
    written_by: str
    """The name of the person who wrote it so."""


class FormTemplates(NamedTuple):
    """The templates of the form that is shown."""

    every: Sequence[ReplyTemplate] = ()
    """Those of the unit for this act."""
    filled: str | None = None
    """The name of the one that was just filled in."""


class NotKept(NamedTuple):
    """The reason why something is not kept."""

    field: str
    """The field that is wrong."""
    sentence: str
    told: Mapping[str, object] = {}
    """The values that the sentence names."""

    def said(self, ask: PageAsk) -> str:
        """The sentence in the reader's language."""
        kind = self.told.get("kind")
        told = self.told if kind is None else {**self.told, "kind": ask.text(str(kind))}
        return ask.text(self.sentence) % told


TEMPLATED: Final = tuple(name for name, verb in UNIT_VERBS.items() if verb.templated)
"""The acts that have templates."""
NUMBER_STANDS: Final = N_(
    "A number that looks like a contact stands in it (%(kind)s). Texts that are kept hold none: take it out."
)
HIDDEN_STANDS: Final = N_("A character that nobody sees stands in it. Type it anew.")
_KINDS: Final = {"电话": N_("telephone"), "身份证": N_("identity card"), "银行卡": N_("bank card")}
_ANSWERS: Final = {
    "full": NotKept(
        "name", N_("Your unit has %(most)s templates, which is the most. Delete one that nobody uses.")
    ),
    "taken": NotKept("name", N_("Your unit has a template of this name for this act.")),
    "gone": NotKept("name", N_("Somebody has deleted this template meanwhile.")),
}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with these values where their words stand in braces; other braces stay as they are."""
    return _PLACE.sub(lambda found: values.get(PLACES.get(found[1].strip(), ""), found[0]), text)


def values_of(number: str, unit: str, due: str) -> dict[str, str]:
    """The values of `filled`: the complaint's number, the unit's name, and until when the answer is due."""
    return {NUMBER: number, UNIT: unit, DUE: due}


def joined(draft: str, text: str, *, one_line: bool) -> str:
    """The draft with the text behind it; a text that stands there already is not filled in twice."""
    if one_line:
        draft, text = (_BLANKS.sub(" ", one).strip() for one in (draft, text))
    if text in draft:
        return draft
    return f"{draft.rstrip()}{' ' if one_line else chr(10)}{text}" if draft.strip() else text


def personal_flaw(field: str, text: str) -> NotKept | None:
    """The flaw of a text in which a number stands that tells who somebody is; None where none does."""
    kinds = kinds_in(text)
    return NotKept(field, NUMBER_STANDS, {"kind": _KINDS[kinds[0]]}) if kinds else None


def name_flaw(name: str, most: int) -> NotKept | None:
    """The flaw of a name of at most so many characters; None where it has none.

    It is a link, and two names that look the same are the same: nothing hidden stands in it.
    """
    if not has_words(name) or len(name) > most:
        return NotKept("name", N_("Give it a name of at most %(most)s characters."), {"most": most})
    return None if unplain(name) is None else NotKept("name", HIDDEN_STANDS)


def name_in(form: Mapping[str, object]) -> str:
    """The name that was typed; blanks of all kinds become the usual one, and none stands at an end."""
    return " ".join(str(form.get("name", "")).split())


def flaw_of(verb: str, name: str, text: str, unit: str) -> NotKept | None:
    """The first flaw of a template of the unit of this name; None where it has none."""
    field = UNIT_VERBS[verb].filled_field if verb in TEMPLATED else None
    if field is None:
        return NotKept("verb", N_("Choose the act that the text is for."))
    return (
        name_flaw(name, NAME_MAX)
        or _text_flaw(text, field.most, unit)
        or personal_flaw("name", name)
        or personal_flaw("text", text)
    )


def _text_flaw(text: str, most: int, unit: str) -> NotKept | None:
    if not has_words(text):
        return NotKept("text", N_("Write the text."))
    if "\0" in text:  # PostgreSQL keeps none
        return NotKept("text", HIDDEN_STANDS)
    unknown = next((one for one in _PLACE.findall(text) if one.strip() not in PLACES), None)
    if unknown is not None:
        return NotKept("text", N_("Nothing is filled in for {%(word)s}."), {"word": unknown})
    longest = len(filled(text, values_of(NUMBER_FORM, unit, DUE_FORM)))
    if longest > most:
        told = {"most": most, "n": longest}
        return NotKept(
            "text", N_("With all filled in it has %(n)s characters; this act takes %(most)s."), told
        )
    return None


def is_one_line(verb: str) -> bool:
    """Whether the text of this act is a line."""
    field = UNIT_VERBS[verb].filled_field
    return field is not None and field.widget == WORDS


def id_of(typed: str) -> int | None:
    """The id that was typed; None where it is none."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= ID_DIGITS_MAX else None


async def templates_of(connection: Connection, unit: str, verb: str = "") -> Sequence[ReplyTemplate]:
    """The unit's templates, by act and name; those of one act where it is given."""
    return [ReplyTemplate(*row) for row in await connection.fetch(_OF_UNIT, unit, verb)]


async def keep(
    kept: KeptTexts, staff_id: str, template: int | None, verb: str, name: str, text: str
) -> NotKept | None:
    """Keep it for the person's unit, a new one without an id; the flaw for which it was not kept."""
    answer = await kept.keep_template(staff_id, template, verb, name, text, most=TEMPLATES_MAX)
    flaw = _ANSWERS.get(answer)
    return None if flaw is None else flaw._replace(told={"most": TEMPLATES_MAX})
