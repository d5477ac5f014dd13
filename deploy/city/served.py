"""The processes that serve a city: the program of each and what it is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.city.endpoints import DESKS, PROCESSES, PROJECTOR, STAFF, WEB, CityEndpoints
from deploy.supervision.supervisor import Service
from shared.ids import TOGETHER
from shared.versions import RULESET

COLLECTOR: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own variable for the address of a collector; its headers are told by `..._HEADERS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Which program sits at a city's desks, and what it is told beside addresses and logins."""

    program: str = "services"
    """`python -m PROGRAM.DESK` is one desk, `python -m PROGRAM` all of them in one process."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """By their names without a prefix; every process is told all of them."""
    retention: bool = True
    """Whether its topics forget in time."""


AS_EVERYWHERE: Final = Served()


def services(
    endpoints: CityEndpoints,
    logs: Path,
    *,
    served: Served = AS_EVERYWHERE,
    traces_ratio: float = 0.01,
    ruleset: str = RULESET,
    catalogue: str = "",
    counts: Mapping[str, int] | None = None,
    extra: Mapping[str, str] | None = None,
    metrics: bool = True,
    one_process: bool = False,
    anchors: Path | None = None,
    contacts_public: Path | None = None,
) -> list[Service]:
    """The processes of a city; `counts` says how many of each, `extra` adds settings by their full name.

    With `one_process` all desks sit in one, called `desks`; each is told the same. `anchors`: the file the log's
    anchors go to, beside their topic. `contacts_public`: the file of the public part of the contacts' key.
    """
    own: dict[str, dict[str, str]] = {name: {} for name in PROCESSES}
    if anchors is not None:
        own["relay"]["ANCHORS_FILE"] = str(anchors)
    if contacts_public is not None:
        own["intake"]["CONTACTS_PUBLIC_KEY_FILE"] = str(contacts_public)
    own["intake"]["RULESET"] = ruleset
    for name in ("dispatch", "escalation", "feedback"):
        own[name]["CATALOGUE"] = catalogue
    told: dict[str, dict[str, str]] = {}
    for name in PROCESSES:
        settings = _common_settings(
            endpoints, name, served, traces_ratio, metrics=metrics, one_process=one_process
        )
        upper = name.upper()
        told[name] = {f"{upper}_{key}": value for key, value in (settings | own[name]).items()}
        told[name] |= {k: v for k, v in (extra or {}).items() if k.startswith(upper + "_")}
    processes = {name: (f"{served.program}.{name}", told[name]) for name in DESKS}
    if one_process:
        every = {key: value for name in DESKS for key, value in told[name].items()}
        processes = {TOGETHER: (served.program, every)}
    processes["relay"] = ("shared.log", told["relay"])
    return [
        Service(
            name=name if count == 1 else f"{name}-{number}",
            command=(sys.executable, "-m", module),
            # A lasting name: who comes back after a kill has its partitions at once, not after the session.
            env=environment | {f"{name.upper()}_INSTANCE": f"{name}-{number}"},
            log=logs / f"{name if count == 1 else f'{name}-{number}'}.log",
        )
        for name, (module, environment) in processes.items()
        for count in ((counts or {}).get(name, 1),)
        for number in range(1, count + 1)
    ]


def projector(
    endpoints: CityEndpoints, logs: Path, *, traces_ratio: float = 0.0, metrics: bool = True, **more: str
) -> Service:
    """The process that keeps the lists of a city up with its log; `more`: settings without their prefix."""
    told = {
        "POSTGRES": endpoints.login(PROJECTOR),
        **_traces(endpoints, traces_ratio),
        "METRICS_PORT": "0" if metrics else "-1",
        **more,
    }
    return _alone(PROJECTOR, "hotline.readside", told, logs)


def web(
    endpoints: CityEndpoints, logs: Path, *, ruleset: str = RULESET, metrics: bool = True, **more: str
) -> Service:
    """The process that answers HTTP; `more`: settings without their prefix."""
    told = {
        "POSTGRES": endpoints.login(WEB),
        "CONTACTS_POSTGRES": endpoints.login(STAFF),
        "SPEAKERS": json.dumps(endpoints.speakers_of_web),
        "TOPIC_PREFIX": endpoints.prefix,
        "RULESET": ruleset,
        "METRICS_PORT": "0" if metrics else "-1",
        **more,
    }
    return _alone(WEB, "hotline.web", told, logs)


def _alone(name: str, module: str, told: Mapping[str, str], logs: Path) -> Service:
    """A process of which there is one; `told`: its settings by names without its prefix."""
    return Service(
        name=name,
        command=(sys.executable, "-m", module),
        env={f"{name.upper()}_{key}": value for key, value in told.items()},
        log=logs / f"{name}.log",
    )


def _traces(endpoints: CityEndpoints, ratio: float) -> dict[str, str]:
    """Where traces go: to a collector that the environment names, else to the stack's viewer."""
    kind, endpoint = "zipkin" if endpoints.zipkin else "none", endpoints.zipkin or ""
    if collector := os.environ.get(COLLECTOR):
        kind, endpoint = "otlp", collector
    return {"TRACES": kind, "TRACES_ENDPOINT": endpoint, "TRACES_RATIO": str(ratio)}


def _common_settings(
    endpoints: CityEndpoints,
    name: str,
    served: Served,
    traces_ratio: float,
    *,
    metrics: bool,
    one_process: bool,
) -> dict[str, str]:
    """The settings of every process, by names without its prefix."""
    return {
        "KAFKA": endpoints.kafka_logins[TOGETHER if one_process and name in DESKS else name],
        "POSTGRES": endpoints.logins[name],
        "TOPIC_PREFIX": endpoints.prefix,
        "RETENTION": str(served.retention),
        **_traces(endpoints, traces_ratio),
        "METRICS_PORT": "0" if metrics else "-1",
        **served.settings,
    }
