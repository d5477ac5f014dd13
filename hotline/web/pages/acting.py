"""An act on a page: the form becomes the event that any sender would send, and its outcome becomes words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import uuid4

import msgspec
from starlette.datastructures import FormData

from hotline.web.acts import spoken
from hotline.web.answers import ActOutcome
from hotline.web.asking import HttpReply
from hotline.web.events import HttpEvent
from hotline.web.pages.asking import PageAsk
from hotline.web.pages.verbs import CHECK, DECISION, NAMED, NUMBER, UNIT, UNITS, FormField, VerbForm
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.cloudevents import input_headers
from shared.contacts.details import Contact
from shared.deciding import decider_field, units_called
from shared.inputs import Input
from shared.policy.catalogue import Catalogue
from shared.structured import ACTOR

ACT: Final = "act"
"""The hidden field with the id of the event: the same form sent twice has one effect."""
_SEPARATORS: Final = str.maketrans("，、；;\n", ",,,,,")
_FIELDS_MAX: Final = 40


class DoneAct(NamedTuple):
    """The outcome of an act."""

    done: bool
    facts: tuple[str, ...] = ()
    """The names of the facts it led to."""
    why: str = ""
    """Why it was not done."""
    field: str = ""
    """The field that is wrong."""
    number: str = ""
    """The complaint's number."""
    undecided: bool = False
    """It is sent, and what came of it is not known yet."""


async def form_of(ask: PageAsk) -> FormData:
    """The form as it was sent; no file is taken."""
    return await ask.request.form(max_files=0, max_fields=_FIELDS_MAX + 200)


def new_act() -> str:
    """The id of an event that a form may become."""
    return str(uuid4())


def data_of(
    form: Mapping[str, Any], verb: VerbForm, filled: Mapping[str, Any], catalogue: Catalogue
) -> dict[str, Any]:
    """The data of the input; what nobody typed is left out, and the desk's own checks say what is wrong."""
    data: dict[str, Any] = dict(filled)
    for field in verb.fields:
        typed = str(form.get(field.name, "")).replace("\r\n", "\n").strip()
        value = _value(field, typed, catalogue)
        if value is not None:
            data[field.name] = value
    return data


def _value(field: FormField, typed: str, catalogue: Catalogue) -> Any:
    if field.widget == CHECK:
        return bool(typed)
    if not typed:
        return None
    several = [part for part in map(str.strip, typed.translate(_SEPARATORS).split(",")) if part]
    of_widget: dict[str, Any] = {
        NUMBER: int(typed) if typed.isascii() and typed.isdecimal() else typed,
        UNIT: _unit(typed, catalogue),
        UNITS: [_unit(part, catalogue) for part in several],
        DECISION: typed == "yes",
        NAMED: several,
    }
    return of_widget.get(field.widget, typed)


def _unit(typed: str, catalogue: Catalogue) -> str:
    """The id of the unit that is called so; the text itself where none or several are."""
    called = units_called(typed, catalogue)
    return str(called[0]) if len(called) == 1 else typed


async def acted(
    ask: PageAsk, kind: type[Input], data: Mapping[str, Any], act_id: str, contact: Contact | None = None
) -> DoneAct:
    """Say it on the topic of the person's unit or office, and wait for what comes of it.

    `contact`: that of a request, which is sealed before.
    """
    field = decider_field(kind)
    if field is not None and field not in data:
        data = {**data, field: ask.staff.staff_id}
    key = ask.staff.key
    headers = dict(input_headers(kind, key.sources[0], act_id, ask.now))
    headers[f"ce_{ACTOR}"] = ask.staff.staff_id.encode()
    event = HttpEvent((*headers.items(),), msgspec.json.encode(data))
    try:
        reply: HttpReply = await spoken(ask.http, event, contact)
    except HttpRefusal as refused:
        if refused.kind is ProblemKind.AWAY:
            raise
        named = refused.problem.field
        return DoneAct(
            done=False,
            why=refused.problem.detail,
            field=named.removeprefix("data.") if isinstance(named, str) else "",
        )
    if isinstance(reply.body, ActOutcome):
        names = tuple(one.type.split(".")[1] for one in reply.body.facts)
        ask.rooms.acted.remember(reply.body.complaint_id)
        number = reply.body.complaint_number
        return DoneAct(done=True, facts=names, number=number if isinstance(number, str) else "")
    return DoneAct(done=True, undecided=True)
