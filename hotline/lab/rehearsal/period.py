"""Days of the city, lived on a real Kafka and PostgreSQL, read whole and ranked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from deploy.city.registry import folder
from hotline.audit.digest import digest
from hotline.audit.report import Report
from hotline.lab.mix import Mix
from hotline.lab.rehearsal.estimate import LivedPeriod, disk_of, judged, lived
from hotline.lab.rehearsal.progress import View
from hotline.lab.rehearsal.stage import RehearsalCity, staged, verified
from hotline.lab.simulation.conductor import Conductor
from hotline.lab.simulation.full_mix import people_of
from hotline.lab.simulation.ledger import Ledger
from hotline.lab.simulation.year import BeijingYear, midnight, step_of
from hotline.scoring.inhabitants import population
from hotline.scoring.ledger import scores
from hotline.scoring.life import month_after
from hotline.scoring.month import By, Month
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset as ruleset_of


class RehearsedDays(NamedTuple):
    """Which days are lived, and how."""

    load: Mapping[date, float]
    """Requests of the whole city by day."""
    scale: float
    ruleset: str
    seed: int
    mix: Mix


class Rehearsed(NamedTuple):
    """The outcome of the days that were lived."""

    found: LivedPeriod
    report: Report
    digest: str
    months: list[Month]
    """The ranking of each month, where it was asked for."""


async def rehearsed(
    name: str, known: Catalogue, days: RehearsedDays, ledger: Ledger, view: View, *, ranked: bool, keep: bool
) -> Rehearsed:
    """Live these days in a city of this name to the end of their last complaint, then read its whole log."""
    city = staged(name, known, ruleset=days.ruleset, traces_ratio=0.01, counts={}, say=view.say, keep=keep)
    async with city as stage:
        endpoints = stage.endpoints
        empty = await disk_of(endpoints, folder())
        step = step_of(days.scale, sum(days.load.values()) / len(days.load))
        summary = await conductor_of(stage, known, days, step=step, ledger=ledger).live(view.show)
        grown = await disk_of(endpoints, folder()) - empty
        view.say("Nothing is left to happen. Reading the whole log …")
        report = await verified(endpoints, known, ledger, all_end=True)
        reader = endpoints.logins["reader"]
        found = lived(
            summary,
            from_day=min(days.load).isoformat(),
            days=len(days.load),
            scale=days.scale,
            ruleset=days.ruleset,
            seed=days.seed,
            mix=days.mix,
            word=await judged(reader),
            disk=grown,
        )
        months = await _months(endpoints.login("governor"), known, days) if ranked else []
        return Rehearsed(found, report, await digest(reader), months)


def conductor_of(
    stage: RehearsalCity,
    known: Catalogue,
    days: RehearsedDays,
    *,
    step: timedelta,
    ledger: Ledger | None = None,
    ends_at: datetime | None = None,
) -> Conductor:
    """The conductor of these days in this city; see `Conductor` for its arguments."""
    load = days.load
    people = BeijingYear(known, seed=days.seed, scale=days.scale, days=list(load), load=load)
    return Conductor(
        people_of(days.mix, people, known, seed=days.seed),
        kafka=stage.endpoints.outside,
        postgres=stage.endpoints.owner_dsn,
        prefix=stage.endpoints.prefix,
        units=tuple(known.units),
        start=midnight(min(load)),
        step=step,
        ledger=ledger,
        ends_at=ends_at,
    )


async def _months(dsn: str, known: Catalogue, days: RehearsedDays) -> list[Month]:
    """The ranking of each month of these days, and of the next, in which the last visits close."""
    rules = ruleset_of(days.ruleset)
    by = By(rules, known, population(""))
    months = list(dict.fromkeys(day.replace(day=1) for day in days.load))
    async with scores(dsn, ZoneInfo(rules.timezone), rules.score.counting) as view:
        await view.catch_up()
        return [await view.month(month, by) for month in (*months, month_after(months[-1]))]
