"""How much of everything a city has, and what that makes of its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from deploy.kubernetes.names import CITY
from deploy.processes import Program, Sharing

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything. The defaults are a city's (ARCHITECTURE, "Scale")."""

    brokers: int = 3
    broker_storage: str = "100Gi"
    broker_memory: str = "2Gi"
    databases: int = 3
    database_storage: str = "200Gi"
    database_memory: str = "4Gi"
    replicas_min: int = 2
    replicas_max: int | None = None
    """None: as many as there are partitions."""
    relay_shards: int = 1
    backed_up: bool = True
    namespaces: tuple[str, ...] = (CITY,)
    """A city each: nothing is shared between them."""


LAPTOP: Final = Size(
    brokers=1,
    broker_storage="5Gi",
    broker_memory="1Gi",
    databases=1,
    database_storage="5Gi",
    database_memory="1Gi",
    replicas_min=1,
    replicas_max=1,
    backed_up=False,
)
BASE: Final = Size()
SIZES: Final[Mapping[str, Size]] = {
    "laptop": LAPTOP,
    "city": Size(database_storage="400Gi"),
    "province": Size(
        database_storage="400Gi", namespaces=tuple(f"{CITY}-{number}" for number in range(1, 7))
    ),
}


def resize(manifest: Manifest, size: Size, rows: Iterable[Program]) -> None:
    """Give an object what this size says of its kind."""
    change = _CHANGES.get(manifest["kind"])
    if change is None:
        return
    row = next((row for row in rows if row.name == manifest["metadata"]["name"]), None)
    change(manifest["spec"], size, row)


def _nodes(spec: Manifest, size: Size, _: Program | None) -> None:
    spec["replicas"] = size.brokers
    spec["storage"]["volumes"][0]["size"] = size.broker_storage
    spec["resources"] = _resources(spec["resources"], size.broker_memory)


def _replication(spec: Manifest, size: Size, _: Program | None) -> None:
    spec["kafka"]["config"] = {
        key: min(value, size.brokers) if type(value) is int else value
        for key, value in spec["kafka"]["config"].items()
    }


def _databases(spec: Manifest, size: Size, _: Program | None) -> None:
    spec["instances"] = size.databases
    spec["storage"] = {"size": size.database_storage}
    spec["resources"] = _resources(spec["resources"], size.database_memory)
    for bound in ("minSyncReplicas", "maxSyncReplicas"):
        spec[bound] = min(spec[bound], size.databases - 1)
    if not size.backed_up:
        del spec["backup"]


def _processes(spec: Manifest, size: Size, row: Program | None) -> None:
    spec["replicas"] = size.replicas_min
    if row is not None and row.shared is Sharing.BY_SHARDS and row.log_shards:
        spec["replicas"] += size.relay_shards - 1
        (one,) = spec["template"]["spec"]["containers"]
        one["env"].append({"name": f"{row.name.upper()}_SHARDS", "value": str(size.relay_shards)})


def _bounds(spec: Manifest, size: Size, _: Program | None) -> None:
    spec["minReplicaCount"] = size.replicas_min
    if size.replicas_max is not None:
        spec["maxReplicaCount"] = size.replicas_max


def _resources(before: Mapping[str, Any], memory: str) -> dict[str, Any]:
    told = deepcopy(dict(before))
    told["requests"]["memory"] = told["limits"]["memory"] = memory
    return told


_CHANGES: Final[Mapping[str, Callable[[Manifest, Size, Program | None], None]]] = {
    "KafkaNodePool": _nodes,
    "Kafka": _replication,
    "Cluster": _databases,
    "Deployment": _processes,
    "ScaledObject": _bounds,
}
