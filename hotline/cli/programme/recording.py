"""How a fact of a programme is recorded: who speaks, when in the city, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from hotline.cli.asking import settled
from hotline.cli.run import demand_words, fail, listed, run
from hotline.terminal import say, say_record
from shared.text import folded

if TYPE_CHECKING:
    from deploy.city.registry import City
    from hotline.governance.facts import Cluster, Recorded, Wanted
    from hotline.governance.state import Programme
    from shared.ids import UnitId
from hotline.governance.figures import line


class Speaker:
    """The speaker, the city's time, and the names of units."""

    def __init__(self, city: City, by: str, now: datetime) -> None:
        """`by` as it was typed: a unit or a person's name."""
        from shared.policy.catalogue import catalogue

        self._path = city.catalogue
        self._known = catalogue(city.catalogue)
        self._found: dict[str, UnitId] = {}
        self.now = now
        self.by: str = self._speaker(by)

    def unit(self, name: str) -> UnitId:
        """The unit of the catalogue with this id or name; `UserError` names the nearest ones where there is none.

        Names are compared as a reader sees them, so none passes for another's by its width or by what nobody sees.
        """
        from hotline.lookup import unit_named

        if name not in self._found:
            self._found[name] = unit_named(name, self._path)
        return self._found[name]

    def _speaker(self, name: str) -> str:
        """A unit by its id where the catalogue knows this id or name; else the person's name as it was typed."""
        from shared.deciding import units_called

        called = units_called(name, self._known)
        if len(called) > 1:
            fail(f"{len(called)} units are called '{folded(name)}': {', '.join(sorted(called))}.", code=2)
        return called[0] if called else folded(name)

    def units(self, text: str) -> tuple[UnitId, ...]:
        """Several, with commas between."""
        return tuple(self.unit(part) for part in listed(text))

    def clusters(self, told: list[str] | None, *, as_is: bool) -> tuple[Cluster, ...]:
        """Subjects, each with a district or without; asked about where the catalogue does not know them."""
        from hotline.governance.facts import Cluster

        found: list[Cluster] = []
        for one in told or ():
            subject, _, district = folded(one).partition("@")
            said = settled(self._known, subject, district or None, None, as_is=as_is)
            found.append(
                Cluster(subject=folded(said["subject"] or ""), district=folded(said["district"] or ""))
            )
        return tuple(found)


def one(
    called: str, by: str, kind: str, fields: Callable[[Programme, Speaker], dict[str, Any]], *, json: bool
) -> None:
    """Want one fact of this kind, with these fields beside who, when and of what."""

    def wanted(state: Programme | None, city: Speaker) -> list[Wanted]:
        from hotline.governance import facts as f

        assert state is not None  # noqa: S101 -- it was called by its id
        made = getattr(f, kind)
        common = {"programme_id": state.programme_id, "by": city.by, made.TIME: city.now}
        return [made(**common, **fields(state, city))]

    run(record(called, by, wanted, json=json))


async def record(
    called: str, by: str, wanted: Callable[[Programme | None, Speaker], list[Wanted]], *, json: bool
) -> None:
    """Record what is wanted of the programme that is called so, and tell what came of it; "" for a new one."""
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes

    demand_words("--as", by)
    city = city_up()
    said = Speaker(city, by, await city_now(city))
    async with programmes(city.endpoints.login("governor")) as log:
        state = await log.one(await log.called(called)) if called else None
        facts, after = await log.record(checked(wanted(state, said)))
    tell_recorded(facts, after, said.now.date(), json=json)


def tell_recorded(facts: Sequence[Recorded], after: Programme, today: date, *, json: bool) -> None:
    """Say how the programme stands after these facts; ends the command with the reason where one is a refusal."""
    from hotline.casefile import refusals
    from hotline.governance.facts import WishRefused

    refused = [fact for fact in facts if isinstance(fact, WishRefused)]
    if json:
        say_record(facts)
    elif not facts:
        say("It was so already; nothing changed.")
    elif not refused:
        say(line(after, today))
    if refused:
        fail(refusals.answer(refused[0]))


def checked(wishes: Sequence[Wanted]) -> list[Wanted]:
    """These wishes with their texts in one form; the command ends where one is none, or tells a citizen's number."""
    import msgspec

    from hotline.client import without_numbers
    from hotline.governance.facts import decoded, encoded
    from shared.wording import TextInvalid, look_at

    try:
        for wish in wishes:
            decoded(encoded(wish))  # lengths and ranges, which constructors do not look at
        looked = [look_at(wish) for wish in wishes]
    except (msgspec.ValidationError, TextInvalid) as error:
        fail(f"{error}.", code=2)
    for wish in looked:
        without_numbers(wish)
    return looked


async def city_now(city: City) -> datetime:
    """The city's present, in its own zone."""
    from zoneinfo import ZoneInfo

    from hotline.client import now_of
    from shared.policy.ruleset import ruleset

    return (await now_of(city)).astimezone(ZoneInfo(ruleset(city.ruleset).timezone))
