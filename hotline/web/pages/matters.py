"""One matter on somebody's page: its words and limits, what can be done, and its life as far as they hear it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from hotline.readside.lists import Listed
from hotline.web.pages.acting import ACT, DoneAct, acted, data_of, form_of, new_act
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.fact_words import FACT_WORDS
from hotline.web.pages.lives import LifeFact, ReadLife, life_of, told_facts
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.reply_templates import FormTemplates, templates_of
from hotline.web.pages.staff import names_of
from hotline.web.pages.verbs import Situation, VerbForm, offered
from hotline.web.reading import Connection, lent
from services.dispatch.contact_reading import Reading

TITLES: Final[Mapping[str, str]] = {kind.__name__: words.title for kind, words in FACT_WORDS.items()}


class WorkPlace(NamedTuple):
    """Where people of one role work: a list, and a page for each matter of it."""

    base: str
    """The path of the list; a matter stands below it."""
    title: str
    verbs: Mapping[str, VerbForm]
    find: Callable[[PageAsk, Connection], Awaitable[Listed | None]]
    """The matter of the address, where this person may see it."""
    hears: Callable[[PageAsk, LifeFact], bool]
    """Whether this person is told of a fact."""
    reads_contacts: bool = False
    """Whether a contact can be read here, by an act that is written down."""
    templated: bool = False
    """Whether the unit's reply templates fill its forms."""
    to_list: bool = False
    """Whether one goes on to the list after an act: the matter is done with, and no page of it is left."""


def matter_page(place: WorkPlace) -> Callable[[PageAsk], Awaitable[PageView]]:
    """The page of a matter, with the form of the act that was chosen."""

    async def page(ask: PageAsk) -> PageView:
        one, life, names = await read_matter(ask, place)
        verb = ask.query("do")
        return shown_matter(
            ask,
            place,
            one,
            life,
            names,
            verb=verb,
            done=done_of(ask),
            sent=ask.query("done") == "sent",
            templates=await _templates(ask, place, verb),
        )

    return page


def act_on_matter(place: WorkPlace) -> Callable[[PageAsk], Awaitable[PageView | PageMoved]]:
    """Do it. Where it is refused the page says why, and the draft stays."""

    async def act(ask: PageAsk) -> PageView | PageMoved:
        name = ask.path("verb")
        verb = place.verbs.get(name)
        form = await form_of(ask)
        one, life, names = await read_matter(ask, place)
        if verb is None or life.case is None:
            raise PageRefusal(PageFault.NOT_FOUND)
        at = Situation(life.case, ask.staff.unit, ask.now, ask.rooms.catalogue)
        filled = {**verb.filled(at), "complaint_id": one.complaint_id}
        data = data_of(form, verb, filled, ask.rooms.catalogue)
        done = await acted(ask, verb.kind, data, str(form.get(ACT, "")))
        if done.done:
            told = urlencode({"done": said(done), **({"of": one.complaint_number} if place.to_list else {})})
            return PageMoved(f"{place.base}{'' if place.to_list else f'/{one.complaint_number}'}?{told}")
        draft = {key: str(value) for key, value in form.items()}
        templates = await _templates(ask, place, name)
        return shown_matter(
            ask, place, one, life, names, verb=name, refused=done, draft=draft, templates=templates
        )

    return act


async def _templates(ask: PageAsk, place: WorkPlace, name: str) -> FormTemplates:
    """The unit's templates for the form of an act; none where it takes none."""
    verb = place.verbs.get(name)
    if verb is None or not (place.templated and verb.templated):
        return FormTemplates()
    async with lent(ask.rooms.pool) as connection:
        return FormTemplates(await templates_of(connection, ask.staff.unit, name))


def done_of(ask: PageAsk) -> list[str]:
    """The titles of the facts that an act led to, as the address tells them."""
    return [ask.text(TITLES[name]) for name in ask.query("done").split(",") if name in TITLES]


def said(done: DoneAct) -> str:
    """The outcome of an act, for the address of the page that tells it."""
    return "sent" if done.undecided else ",".join(done.facts) or "nothing"


async def read_matter(ask: PageAsk, place: WorkPlace) -> tuple[Listed, ReadLife, Mapping[str, str]]:
    """The matter of the address, its life, and who acted by name; `PageRefusal` where it is none of this person's."""
    async with lent(ask.rooms.pool) as connection:
        one = await place.find(ask, connection)
        if one is None:
            raise PageRefusal(PageFault.NOT_FOUND)
        life = await life_of(connection, one.complaint_id)
        names = await names_of(connection, sorted({fact.actor_id for fact in life.facts if fact.actor_id}))
    return one, life, names


def shown_matter(
    ask: PageAsk,
    place: WorkPlace,
    one: Listed,
    life: ReadLife,
    names: Mapping[str, str],
    *,
    verb: str = "",
    done: list[str] | None = None,
    sent: bool = False,
    refused: DoneAct | None = None,
    draft: Mapping[str, str] | None = None,
    contact: Reading | None = None,
    templates: FormTemplates = FormTemplates(),  # noqa: B008 -- a value that nobody changes
) -> PageView:
    """The page of a matter; `contact`: that of the citizen, where it was just read."""
    verbs: dict[str, VerbForm] = {}
    if life.case is not None:
        verbs = offered(place.verbs, Situation(life.case, ask.staff.unit, ask.now, ask.rooms.catalogue))
    chosen = place.verbs.get(verb) if verb in verbs or draft is not None else None
    told = [fact for fact in life.facts if place.hears(ask, fact)]
    values: dict[str, Any] = {
        "place": place,
        "contact": contact,
        "one": one,
        "case": life.case,
        "told": told_facts(ask, told, one.ruleset),
        "names": names,
        "verbs": verbs,
        "verb": verb if chosen is not None else "",
        "chosen": chosen,
        "act": new_act(),
        "draft": draft or {},
        "templates": templates.every,
        "filled": templates.filled,
        "refused": refused,
        "done": done or [],
        "sent": sent,
        "lead": unit_name(ask.rooms.catalogue, one.lead),
        "units": ask.rooms.catalogue.units,
    }
    status = HTTPStatus.OK if refused is None else HTTPStatus.CONFLICT
    return PageView("matter.html", values, status)
