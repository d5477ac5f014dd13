"""`hotline unit UNIT`: be a department."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from hotline.cli.run import Json, fail, listed, one_of, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.cli.unread import none_unread, tell_cases
from hotline.parsing import CHANNELS
from hotline.terminal import say, say_json
from shared.text import folded, folded_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy.city.registry import City
    from shared.complaint import Complaint
    from shared.events import Fact
    from shared.ids import ComplaintId, UnitId
    from shared.inputs import Input
    from shared.unreadable import UnreadableRows


@speaks
def unit(
    unit: Annotated[
        str, typer.Argument(help="The unit's id or its name in the catalogue; `add` gives one a login.")
    ] = "",
    added: Annotated[str, typer.Argument(metavar="[UNIT]", help="With `add`: the unit's id.")] = "",
    sign: Annotated[str, typer.Option(metavar="COMPLAINT", help="Take this order on.")] = "",
    answer: Annotated[
        str, typer.Option(metavar="COMPLAINT", help="Say what was done about it (with --text).")
    ] = "",
    return_: Annotated[
        str,
        typer.Option(
            "--return", metavar="COMPLAINT", help="Say it is not yours (with --reason and --evidence)."
        ),
    ] = "",
    assign: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT", help="A district: give it on to your street (with --to and --reason)."
        ),
    ] = "",
    extend: Annotated[
        str, typer.Option(metavar="COMPLAINT", help="Ask for more days (with --days and --reason).")
    ] = "",
    pause: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT",
            help="You must wait for something: your clock is to stand still (with --days, --ground, --evidence).",
        ),
    ] = "",
    resume: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT", help="What you waited for has come: end the pause (with --reason)."
        ),
    ] = "",
    terminate: Annotated[
        str,
        typer.Option(metavar="COMPLAINT", help="Ask to end it unanswered (with --ground and --evidence)."),
    ] = "",
    dispute: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT",
            help="Your return was rejected: ask for a council (with --reason and --evidence).",
        ),
    ] = "",
    report: Annotated[
        str,
        typer.Option(metavar="COMPLAINT", help="You help another unit: say what you did (with --text)."),
    ] = "",
    whistle: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT",
            help="A street: call others to it (with --kind, --call, --scene and --reason).",
        ),
    ] = "",
    acknowledge: Annotated[
        str, typer.Option(metavar="COMPLAINT", help="You were whistled for: you come.")
    ] = "",
    arrive: Annotated[
        str, typer.Option(metavar="COMPLAINT", help="You were whistled for: you are there (with --persons).")
    ] = "",
    measure: Annotated[
        str,
        typer.Option(metavar="COMPLAINT", help="You were whistled for: say what you do (with --text)."),
    ] = "",
    release: Annotated[
        str,
        typer.Option(metavar="COMPLAINT", help="A street: let go whom you called, all or one (with --of)."),
    ] = "",
    rate: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT", help="Street and called unit rate each other (with --of and --stars)."
        ),
    ] = "",
    exclude: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT", help="Ask to leave it out of your score (with --ground and --evidence)."
        ),
    ] = "",
    contact: Annotated[
        str,
        typer.Option(metavar="COMPLAINT", help="You spoke to the citizen (--failed CAUSE: you could not)."),
    ] = "",
    progress: Annotated[
        str,
        typer.Option(metavar="COMPLAINT", help="Tell the citizen how far it is (with --text; --stage)."),
    ] = "",
    failed: Annotated[str, typer.Option(metavar="CAUSE", help="With --contact: why it failed.")] = "",
    channel: Annotated[str, typer.Option(help=f"With --contact: one of {', '.join(CHANNELS)}.")] = "phone",
    text: Annotated[str, typer.Option(help="What was done.")] = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    evidence: Annotated[str, typer.Option(help="What shows it.")] = "",
    suggest: Annotated[str, typer.Option(metavar="UNIT", help="With --return: whose it is instead.")] = "",
    to: Annotated[str, typer.Option(metavar="UNIT", help="With --assign: your street.")] = "",
    days: Annotated[
        int, typer.Option(min=0, max=366, help="With --extend: how many more; with --pause: how many.")
    ] = 0,
    kind: Annotated[str, typer.Option(help="With --whistle: KEY_WORK, JOINT_ENFORCEMENT or EMERGENCY.")] = "",
    called: Annotated[
        str,
        typer.Option("--call", metavar="UNITS", help="With --whistle: whom, with commas; the first leads."),
    ] = "",
    scene: Annotated[str, typer.Option(help="With --whistle: where to come to.")] = "",
    number: Annotated[
        int, typer.Option(min=0, max=10_000, help="Which whistle; the last one without it.")
    ] = 0,
    persons: Annotated[int, typer.Option(min=1, max=10_000, help="With --arrive: how many you are.")] = 1,
    of: Annotated[str, typer.Option(metavar="UNIT", help="With --release or --rate: whom.")] = "",
    stars: Annotated[int, typer.Option(min=0, max=5, help="With --rate: 1 to 5.")] = 0,
    ground: Annotated[
        str,
        typer.Option(
            help="With --pause: AWAITS_CITIZEN, AWAITS_AUTHORITY or SEASON; "
            "with --terminate: INFORMATION_REFUSED or UNLAWFUL_OR_IMPOSSIBLE; "
            "with --exclude: INVALID, FORCE_MAJEURE, POLICY_IMPOSSIBLE or DUPLICATE."
        ),
    ] = "",
    *,
    citizen_told: Annotated[
        bool, typer.Option("--citizen-told", help="With --extend: you have told the citizen.")
    ] = False,
    stage: Annotated[
        bool, typer.Option("--stage", help="With --progress: it is the result of one stage.")
    ] = False,
    unsolved: Annotated[
        bool, typer.Option("--unsolved", help="With --answer: you do not claim it is solved.")
    ] = False,
    units: Annotated[bool, typer.Option("--units", help="List the catalogue's units and end.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List the open orders and end.")] = False,
    json: Json = False,
) -> None:
    """Be a department: see your orders, answer them.

    Without an option you sit at the unit's desk: orders appear as they come, replies are typed. A
    COMPLAINT is its id or the beginning of it.
    """
    if units:
        _print_units(json=json)
        return
    if unit == "add":
        run(_add(added, json=json))
        return
    if added:
        fail(f"One UNIT at a time: {unit} or {added}.", code=2)
    if not unit:
        fail("Name a UNIT; `hotline unit --units` lists them.", code=2)
    verbs = {
        "sign": sign,
        "answer": answer,
        "return": return_,
        "assign": assign,
        "extend": extend,
        "pause": pause,
        "resume": resume,
        "terminate": terminate,
        "dispute": dispute,
        "report": report,
        "whistle": whistle,
        "acknowledge": acknowledge,
        "arrive": arrive,
        "measure": measure,
        "release": release,
        "rate": rate,
        "exclude": exclude,
        "contact": contact,
        "progress": progress,
    }
    chosen = [verb for verb, given in verbs.items() if given]
    if len(chosen) > 1:
        fail(f"{' and '.join(f'--{verb}' for verb in chosen)}: one at a time.", code=2)
    words: dict[str, Any] = {
        "text": text,
        "reason": reason,
        "evidence": evidence,
        "suggest": suggest,
        "to": to,
        "days": days,
        "ground": ground,
        "citizen_told": citizen_told,
        "kind": kind,
        "call": called,
        "scene": scene,
        "number": number,
        "persons": persons,
        "of": of,
        "stars": stars,
        "failed": failed,
        "channel": channel,
        "stage": stage,
    }
    if chosen:
        _needs(chosen[0], words)
        run(
            _once(unit, chosen[0], verbs[chosen[0]], words, solved=not unsolved, json=json),
            interrupted=STOPPED,
        )
    elif list_only or json:
        run(_list(unit, json=json))
    else:
        run(_sit(unit), interrupted="You left the desk; your orders stay where they are.")


_NEEDS: Final = {
    "answer": ("text",),
    "return": ("reason", "evidence"),
    "assign": ("to", "reason"),
    "extend": ("days", "reason"),
    "pause": ("days", "ground", "evidence"),
    "resume": ("reason",),
    "terminate": ("ground", "evidence"),
    "dispute": ("reason", "evidence"),
    "report": ("text",),
    "whistle": ("kind", "call", "scene", "reason"),
    "measure": ("text",),
    "rate": ("of", "stars"),
    "exclude": ("ground", "evidence"),
    "progress": ("text",),
}
"""What must be said with each verb."""


def _needs(verb: str, words: dict[str, Any]) -> None:
    """End here where something is missing that the verb cannot do without."""
    from shared.events import ExclusionGround, PauseGround, TerminationGround, WhistleKind

    missing = [f"--{word}" for word in _NEEDS.get(verb, ()) if not words[word]]
    if missing:
        fail(f"--{verb} needs {' and '.join(f'--{word}' for word in _NEEDS[verb])}.", code=2)
    if verb == "whistle":
        one_of("--kind", words["kind"], list(WhistleKind))
    if verb == "contact":
        one_of("--channel", words["channel"], CHANNELS)
    known: dict[str, list[str]] = {
        "pause": list(PauseGround),
        "terminate": list(TerminationGround),
        "exclude": list(ExclusionGround),
    }
    if verb in known:
        one_of("--ground", words["ground"], known[verb])


async def _add(unit: str, *, json: bool) -> None:
    """Topics, a login and its rules for a unit; the password is shown this once and kept nowhere."""
    import asyncio

    from deploy.city.city import make_topics
    from deploy.city.kafka_logins import add_unit, group_of
    from deploy.city.registry import city_up
    from shared.policy.catalogue import catalogue
    from shared.runtime import kafka_address
    from shared.topic_names import UNIT_NAME
    from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES

    unit = folded_code(unit)
    if not UNIT_NAME.fullmatch(unit):
        fail(f"UNIT: expected an id of a-z, 0-9, _ and -, as {UNIT_NAME.pattern}; got {unit!r}.", code=2)
    city = city_up()
    realm = city.realm
    lines = (DISPATCH_ORDERS, DISPATCH_REPLIES)
    await make_topics(realm.kafka, {realm.prefix + line.of(unit): line for line in lines})
    login = kafka_address.parsed(
        await asyncio.to_thread(add_unit, realm.kafka, realm.name, realm.prefix, unit)
    )
    told = {
        "bootstrap.servers": login.servers,
        "security.protocol": "SASL_PLAINTEXT" if login.user else "PLAINTEXT",
        "sasl.mechanism": login.mechanism,
        "sasl.username": login.user,
        "sasl.password": login.password,
        "orders": realm.prefix + DISPATCH_ORDERS.of(unit),
        "replies": realm.prefix + DISPATCH_REPLIES.of(unit),
        "group.id": f"{group_of(realm.prefix, unit)}desk",
    }
    if json:
        say_json(json_module.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        say(f"{name}={value}")
    say("The password is shown this once; `unit add` again makes another and the old one is void.")
    if unit not in catalogue(city.catalogue).units:
        say(f"The catalogue has no unit {unit}: nobody dispatches to it yet.")


def _print_units(*, json: bool) -> None:
    from deploy.city.registry import remembered
    from shared.policy.catalogue import catalogue

    city = remembered()
    units = catalogue(city.catalogue if city is not None else "").units
    if json:
        say_json(
            json_module.dumps({unit_id: unit.name for unit_id, unit in units.items()}, ensure_ascii=False)
        )
        return
    width = max(map(len, units), default=0)
    for unit_id, unit in units.items():
        say(f"{unit_id:<{width}}  {unit.name}")


async def _once(
    name: str, verb: str, complaint: str, words: dict[str, Any], *, solved: bool, json: bool
) -> None:
    from deploy.city.registry import city_up
    from hotline.casefile import refusals
    from hotline.client import complaint_called
    from shared.events import ReplyRefused
    from shared.log.reading import reader

    city = city_up()
    unit = known_unit(name, city.catalogue)
    for word in ("suggest", "to", "of"):
        if words[word]:
            words[word] = known_unit(words[word], city.catalogue)
    if words["call"]:
        words["call"] = tuple(known_unit(unit, city.catalogue) for unit in listed(words["call"]))
    connection = await reader(city.realm.logins["reader"])
    try:
        case = await complaint_called(connection, complaint)
    finally:
        await connection.close()
    facts = await reply(city, unit, case.complaint_id, said(verb, case, words, solved=solved))
    refused = [fact for fact in facts if isinstance(fact, ReplyRefused)]
    if json:
        say_facts(facts)
    elif not refused:
        say(told_of(facts))
    if refused:
        fail(refusals.answer(refused[0]))


async def _list(name: str, *, json: bool) -> None:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import line, row
    from hotline.client import now_of

    city = city_up()
    unit = known_unit(name, city.catalogue)
    unread = none_unread()
    cases = await open_cases(city, unit, unread)
    now = await now_of(city)
    tell_cases(
        cases,
        unread,
        lambda case: row(case, now),
        lambda case: line(case, now),
        nothing=f"No open order lies with {unit}.",
        json=json,
    )


async def _sit(name: str) -> None:
    from deploy.city.registry import city_up
    from hotline.cli.desk import sit

    city = city_up()
    await sit(city, known_unit(name, city.catalogue))


def known_unit(name: str, path: str) -> UnitId:
    """The unit's id, by its id or name; ends with the nearest ones where there is none."""
    from difflib import get_close_matches

    from shared.deciding import units_called
    from shared.ids import UnitId
    from shared.policy.catalogue import catalogue

    known = catalogue(path)
    called = units_called(name, known)
    if len(called) == 1:
        return called[0]
    name = folded(name)
    if called:
        fail(f"{len(called)} units are called {name!r}: {', '.join(sorted(called))}.")
    names = {unit.name: unit_id for unit_id, unit in known.units.items()}
    near = [unit_id for text, unit_id in names.items() if name in text or name in unit_id][:4]
    alike = get_close_matches(name, [*known.units, *names], n=4, cutoff=0.4)
    near += [names.get(text, UnitId(text)) for text in alike]
    shown = ", ".join(f"{unit_id} ({known.units[unit_id].name})" for unit_id in dict.fromkeys(near[:4]))
    return fail(
        f"No unit {name!r} in catalogue {known.version}{f'; near: {shown}' if shown else ''}. "
        f"`hotline unit --units` lists all {len(known.units)}."
    )


async def open_cases(city: City, unit: str, unread: UnreadableRows) -> list[Complaint]:
    """The complaints whose open order lies with this unit, the earliest due first."""
    from services.dispatch.views import open_orders
    from shared.log.reading import reader

    connection = await reader(city.realm.logins["reader"])
    try:
        return await open_orders(connection, unit, unread)
    finally:
        await connection.close()


def said(verb: str, case: Complaint, words: dict[str, Any], *, solved: bool = True) -> Input:
    """What the unit says to the present order of a complaint."""
    from shared import inputs
    from shared.events import ExclusionGround, PauseGround, TerminationGround

    complaint = case.complaint_id
    if verb == "report":
        return inputs.CoUnitReported(complaint_id=complaint, result=words["text"])
    if verb in _WHISTLED:
        return _about_a_whistle(verb, case, words)
    if verb == "exclude":
        ground = ExclusionGround(words["ground"])
        return inputs.ExclusionRequested(complaint_id=complaint, ground=ground, evidence=words["evidence"])
    about: dict[str, Any] = {
        "complaint_id": complaint,
        "assignment": case.order.assignment if case.order is not None else 1,
    }
    reason, evidence = words["reason"], words["evidence"]
    says: dict[str, Callable[[], Input]] = {
        "sign": lambda: inputs.OrderSigned(**about),
        "answer": lambda: inputs.OrderAnswered(**about, result=words["text"], claims_solved=solved),
        "return": lambda: inputs.ReturnRequested(
            **about, reason=reason, evidence=evidence, suggested_unit=words.get("suggest") or None
        ),
        "assign": lambda: inputs.OrderAssigned(**about, to_unit=words["to"], reason=reason),
        "extend": lambda: inputs.ExtensionRequested(
            **about, days=words["days"], reason=reason, citizen_told=words["citizen_told"]
        ),
        "pause": lambda: inputs.PauseRequested(
            **about, ground=PauseGround(words["ground"]), days=words["days"], evidence=evidence
        ),
        "resume": lambda: inputs.PauseEnded(**about, reason=reason),
        "terminate": lambda: inputs.TerminationRequested(
            **about, ground=TerminationGround(words["ground"]), evidence=evidence
        ),
        "dispute": lambda: inputs.DisputeRaised(**about, reason=reason, evidence=evidence),
        "contact": lambda: (
            inputs.ContactFailed(**about, cause=words["failed"], channel=words["channel"])
            if words["failed"]
            else inputs.CitizenContacted(**about, channel=words["channel"])
        ),
        "progress": lambda: inputs.ProgressReported(
            **about, text=words["text"], stage_feedback=words["stage"]
        ),
    }
    return says[verb]()


_WHISTLED: Final = frozenset(("whistle", "acknowledge", "arrive", "measure", "release", "rate"))


def _about_a_whistle(verb: str, case: Complaint, words: dict[str, Any]) -> Input:
    from shared import inputs
    from shared.events import WhistleKind

    number = words["number"] or max(len(case.whistles) + (verb == "whistle"), 1)
    about: dict[str, Any] = {"complaint_id": case.complaint_id, "whistle": number}
    says: dict[str, Callable[[], Input]] = {
        "whistle": lambda: inputs.WhistleBlown(
            **about,
            assignment=case.order.assignment if case.order is not None else 1,
            kind=WhistleKind(words["kind"]),
            called=words["call"],
            scene=words["scene"],
            reason=words["reason"],
        ),
        "acknowledge": lambda: inputs.WhistleAcknowledged(**about),
        "arrive": lambda: inputs.WhistleArrived(**about, persons=words["persons"]),
        "measure": lambda: inputs.WhistleMeasureRecorded(**about, measure=words["text"]),
        "release": lambda: inputs.WhistleReleased(
            **about, called=words["of"] or None, reason=words["reason"]
        ),
        "rate": lambda: inputs.WhistleRated(
            **about, rated=words["of"], stars=words["stars"], comment=words["text"]
        ),
    }
    return says[verb]()


async def reply(city: City, unit: str, complaint: ComplaintId, data: Input) -> list[Fact]:
    """Say it on the unit's own topic and wait for what the log makes of it."""
    from hotline.client import effect, tell
    from shared.topics import DISPATCH_REPLIES

    told = await tell(city, DISPATCH_REPLIES, complaint, data, unit=unit)
    return await effect(city, complaint, told)


def told_of(facts: list[Fact]) -> str:
    """What came of a reply, in a sentence."""
    from hotline.casefile import refusals
    from shared import events as e

    sentences: dict[type[Fact], str] = {
        e.OrderSigned: "Signed: the order is yours.",
        e.OrderAnswered: "Answered: now the citizen is asked.",
        e.ReturnRequested: "Return requested: a reviewer decides; the limit runs on.",
        e.OrderAssigned: "Given on: the street has it now.",
        e.ExtensionRequested: "Extension requested: a reviewer decides; the limit runs on.",
        e.PauseRequested: "Pause requested: a reviewer decides; the limit runs on.",
        e.PauseEnded: "Ended: your clock runs again.",
        e.TerminationRequested: "Termination requested: a reviewer decides; the limit runs on.",
        e.DisputeRaised: "Disputed: a council decides whose it is; the limit runs on.",
        e.ExclusionRequested: "Asked for: a reviewer decides; until then it counts.",
        e.CoUnitReported: "Reported: the unit that leads is told.",
        e.WhistleBlown: "Whistled: whom you called is told.",
        e.WhistleAcknowledged: "Acknowledged: the street knows that you come.",
        e.WhistleArrived: "You are there: the street knows.",
        e.WhistleMeasureRecorded: "Recorded: the street is told.",
        e.WhistleReleased: "Released.",
        e.WhistleRated: "Rated.",
        e.CitizenContacted: "On record: you have spoken to the citizen.",
        e.ContactFailed: "On record: you have tried; try again.",
        e.ProgressReported: "The citizen is told; the limit runs on.",
    }
    for fact in facts:
        if isinstance(fact, e.ReplyRefused):
            return refusals.answer(fact)
        if type(fact) in sentences:
            return sentences[type(fact)]
    return "It was so already; nothing changed."


def say_facts(facts: Sequence[Fact]) -> None:
    """Facts for a program: each with its type and its fields."""
    import msgspec

    rows = [{"type": type(fact).__name__, **msgspec.to_builtins(fact)} for fact in facts]
    say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
