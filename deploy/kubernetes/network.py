"""Network policies: nobody may speak to anybody, but for the pairs that stand here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploy.kubernetes.names import (
    COLLECTOR_NAMESPACE,
    COLLECTOR_PORT,
    DNS_PORT,
    KAFKA,
    KAFKA_PORT,
    PART_OF,
    POSTGRES,
    POSTGRES_PORT,
    labels,
)
from deploy.processes import METRICS_PORT, PROGRAMS

MONITORING_NAMESPACE: Final = "monitoring"
INGRESS_NAMESPACE: Final = "ingress"
TLS_PORT: Final = 443
KAFKA_PODS: Final = {"strimzi.io/cluster": KAFKA}
POSTGRES_PODS: Final = {"cnpg.io/cluster": POSTGRES}
OURS: Final = [{"key": "app.kubernetes.io/name", "operator": "Exists"}]
Rule = Mapping[str, Any]


def policies() -> list[dict[str, Any]]:
    """All of them. Kafka and PostgreSQL are reached by ours, by each other and by what runs them."""
    ours = {"matchLabels": PART_OF, "matchExpressions": OURS}
    observers = [program for program in PROGRAMS if program.observes]
    outward = [
        _to(_pods(KAFKA_PODS), KAFKA_PORT),
        _to(_pods(POSTGRES_PODS), POSTGRES_PORT),
        _to(_namespace(COLLECTOR_NAMESPACE), COLLECTOR_PORT),
    ]
    return [
        _policy("default-deny", {}, inward=[], outward=[]),
        _policy("names", {}, outward=[_to({"namespaceSelector": {}}, DNS_PORT, protocols=("UDP", "TCP"))]),
        _policy(
            "processes",
            ours,
            inward=[
                _from(_namespace(MONITORING_NAMESPACE), METRICS_PORT),
                *(_from(_pods(labels(program.name)), METRICS_PORT) for program in observers),
            ],
            outward=outward,
        ),
        *(
            _policy(
                f"{program.name}-observes",
                {"matchLabels": labels(program.name)},
                outward=[_to({"podSelector": ours}, METRICS_PORT)],
            )
            for program in observers
        ),
        _server("kafka", KAFKA_PODS, KAFKA_PORT, "strimzi-cluster-operator"),
        _server("postgres", POSTGRES_PODS, POSTGRES_PORT, "cloudnative-pg"),
        *(
            _policy(
                f"{program.name}-http",
                {"matchLabels": labels(program.name)},
                inward=[_from(_namespace(INGRESS_NAMESPACE), program.http_port)],
            )
            for program in PROGRAMS
            if program.http_port is not None
        ),
        # Its address is not known here: an overlay narrows this to it.
        *(
            _policy(
                "identity-provider",
                {"matchLabels": labels(program.name)},
                outward=[{"ports": [{"protocol": "TCP", "port": TLS_PORT}]}],
            )
            for program in PROGRAMS
            if program.own_files
        ),
    ]


def _server(name: str, pods: Mapping[str, str], port: int, operator: str) -> dict[str, Any]:
    """A server: ours reach its port, its own pods and its operator all; it reaches the cluster's API and its backup."""
    runs_it = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/name": operator}}}
    if name == "kafka":
        runs_it = {
            "namespaceSelector": {},
            "podSelector": {"matchLabels": {"strimzi.io/kind": "cluster-operator"}},
        }
    return _policy(
        name,
        {"matchLabels": pods},
        inward=[
            {
                "from": [{"podSelector": {"matchLabels": PART_OF, "matchExpressions": OURS}}],
                "ports": [{"protocol": "TCP", "port": port}],
            },
            {"from": [_pods(pods), runs_it]},
        ],
        outward=[{"to": [_pods(pods)]}, {"ports": [{"protocol": "TCP", "port": one} for one in (443, 6443)]}],
    )


def _policy(
    name: str,
    selects: Mapping[str, Any],
    *,
    inward: Sequence[Rule] | None = None,
    outward: Sequence[Rule] | None = None,
) -> dict[str, Any]:
    """A policy; a direction that is None is not spoken of, an empty one allows nothing."""
    kinds = [kind for kind, rules in (("Ingress", inward), ("Egress", outward)) if rules is not None]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": PART_OF},
        "spec": {
            "podSelector": dict(selects),
            "policyTypes": kinds,
            **({"ingress": list(inward)} if inward else {}),
            **({"egress": list(outward)} if outward else {}),
        },
    }


def _pods(wear: Mapping[str, str]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": dict(wear)}}


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _to(whom: Mapping[str, Any], port: int, *, protocols: Sequence[str] = ("TCP",)) -> dict[str, Any]:
    return {"to": [dict(whom)], "ports": [{"protocol": one, "port": port} for one in protocols]}


def _from(whom: Mapping[str, Any], port: int | None) -> dict[str, Any]:
    return {"from": [dict(whom)], "ports": [{"protocol": "TCP", "port": port}]}
