"""A city's manifests in sizes: what each changes of the base, and the whole as it is applied.

An overlay's patches are computed: the base beside what the size makes of it. So a kustomization and the rendered whole
say the same, whatever a size changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deploy.city.endpoints import GRANTED
from deploy.kubernetes import kafka, network, postgres, watching, workloads
from deploy.kubernetes.names import CITY, PART_OF, POSTGRES
from deploy.kubernetes.sizes import BASE, Manifest, Size, resize
from deploy.processes import PROGRAMS, Program
from deploy.yaml_text import dumped


def manifests(
    size: Size, units: Iterable[str], programs: Iterable[Program] = PROGRAMS
) -> dict[str, list[Manifest]]:
    """Every object of one city in this size, by the file it stands in."""
    known, rows = tuple(units), tuple(programs)
    files: dict[str, list[Manifest]] = {
        "namespace": [_namespace(CITY), _account()],
        "network": network.policies(),
        "kafka": kafka.cluster(),
        "topics": kafka.topics(known),
        "users": kafka.users(known),
        "postgres": [*postgres.cluster(), postgres.migration(size.relay_shards)],
        **{
            row.name: [
                workloads.deployment(row),
                workloads.disruption(row),
                watching.answering(row),
                *workloads.reached(row),
                *workloads.scaling(row),
            ]
            for row in rows
        },
        "watching": [workloads.user_names(), watching.monitor(), watching.rules(), watching.targets(rows)],
        "dashboards": watching.dashboards(),
    }
    for manifest in (one for file in files.values() for one in file):
        resize(manifest, size, rows)
    if not size.backed_up:
        files["postgres"] = [one for one in files["postgres"] if one["kind"] != "ScheduledBackup"]
    return files


def rendered(size: Size, units: Iterable[str]) -> list[Manifest]:
    """Every object that is applied, once for each city."""
    made = [one for file in manifests(size, units).values() for one in file]
    return [_in(namespace, one) for namespace in size.namespaces for one in made]


def kustomization(size: Size, units: Iterable[str]) -> Manifest:
    """The overlay of one city: the base and what is different, as JSON patches of single objects."""
    known = tuple(units)
    before = {_key(one): one for file in manifests(BASE, known).values() for one in file}
    after = {_key(one): one for file in manifests(size, known).values() for one in file}
    patches = [
        {
            "target": {"kind": key[0], "name": key[1]},
            "patch": dumped([operations]),
        }
        for key, one in before.items()
        if key in after and (operations := differences(one, after[key]))
    ]
    removed = [
        {"patch": dumped([{"$patch": "delete", **_identity(one)}])}
        for key, one in before.items()
        if key not in after
    ]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": size.namespaces[0],
        "resources": ["../../base"],
        **({"patches": patches + removed} if patches or removed else {}),
    }


def differences(before: Any, after: Any, path: str = "") -> list[dict[str, Any]]:
    """The operations (RFC 6902) that make the second of the first; lists of one length place by place."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[dict[str, Any]] = []
        for key in before.keys() | after.keys():
            at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in after:
                found.append({"op": "remove", "path": at})
            elif key not in before:
                found.append({"op": "add", "path": at, "value": after[key]})
            else:
                found += differences(before[key], after[key], at)
        return sorted(found, key=lambda one: str(one["path"]))
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            one
            for number, (old, new) in enumerate(zip(before, after, strict=True))
            for one in differences(old, new, f"{path}/{number}")
        ]
    return [] if before == after else [{"op": "replace", "path": path, "value": after}]


def secrets_needed() -> list[str]:
    """The secrets that no operator makes: `python -m deploy.kubernetes secrets` prints them with new passwords."""
    kept = sorted({key for row in PROGRAMS for key in row.secrets.values()})
    return [
        *(f"{POSTGRES}-{login}" for login in ("owner", *GRANTED)),
        *(f"{CITY}-{k.replace('.', '-')}" for k in kept),
    ]


def _in(namespace: str, manifest: Manifest) -> Manifest:
    """The object as a kustomization with this namespace gives it."""
    if manifest["kind"] == "Namespace":
        return {**manifest, "metadata": {**manifest["metadata"], "name": namespace}}
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def _namespace(name: str) -> Manifest:
    standard = "pod-security.kubernetes.io"
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {
                **PART_OF,
                **{f"{standard}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
            },
        },
    }


def _account() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": CITY, "labels": PART_OF},
        "automountServiceAccountToken": False,
    }


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def _identity(manifest: Manifest) -> Manifest:
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {"name": manifest["metadata"]["name"]},
    }
