"""The processes: a deployment each, how many there are, and what the kubelet asks them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploy.city.kafka_rights import web_of
from deploy.kubernetes.names import (
    CITY,
    COLLECTOR_NAMESPACE,
    COLLECTOR_PORT,
    IMAGE,
    KAFKA_ADDRESS,
    KAFKA_CA,
    POSTGRES_ADDRESS,
    POSTGRES_CA,
    PREFIX,
    SECRETS,
    TARGETS,
    TARGETS_FILE,
    USER,
    kafka_user,
    labels,
    meta,
    role,
    role_secret,
)
from deploy.processes import GRACE_SECONDS, METRICS_PORT, PROGRAMS, Program, Sharing
from shared.runtime.patience import LIVE_SECONDS

LAG_MAX: Final = 1000
"""So many messages may wait for one process before one more is started: half of what it takes at once."""
REPLICAS_MIN: Final = 2
"""One may be taken away while the other serves; and at none nobody would know that messages wait (KEDA 4098)."""
PROBE_SECONDS: Final = 10
CONFINED: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
Volumes = Mapping[str, Mapping[str, Any]]
"""A folder below /run/secrets, and the volume that is mounted there."""


def _secret(name: str, **items: str) -> dict[str, Any]:
    """The volume of a secret; `items`: only these keys, each as a file of its name."""
    told: dict[str, Any] = {"secretName": name}
    if items:
        told["items"] = [{"key": key, "path": path} for key, path in items.items()]
    return {"secret": told}


def _not_needed(name: str) -> dict[str, Any]:
    """The volume of a secret that a city may have or not."""
    told = _secret(f"{CITY}-{name}-secret", **{f"{name}.secret": f"{name}.secret"})
    return {"secret": {**told["secret"], "optional": True}}


CERTIFICATES: Final[Volumes] = {
    "kafka-ca": _secret(KAFKA_CA, **{"ca.crt": "ca.crt"}),
    "postgres-ca": _secret(POSTGRES_CA, **{"ca.crt": "ca.crt"}),
}
JOB_VOLUMES: Final[Volumes] = {
    "postgres-ca": CERTIFICATES["postgres-ca"],
    "city": _secret(role_secret("owner"), password="postgres-owner"),  # noqa: S106 -- a key, and a file's name
}
ADDRESSES_OF_JOB: Final = {
    "CITY_NAME": CITY,
    "CITY_OWNER": CITY,
    "CITY_KAFKA": KAFKA_ADDRESS,
    "CITY_POSTGRES": f"postgresql://{POSTGRES_ADDRESS}",
    "CITY_SECRETS": f"{SECRETS}/city",
}


def settings(program: Program) -> dict[str, str]:
    """The settings of a process, by their full names."""
    kafka = {
        "KAFKA": f"{kafka_user(program.name)}@{KAFKA_ADDRESS}",
        "KAFKA_PASSWORD_FILE": f"{SECRETS}/kafka/password",
        "TOPIC_PREFIX": PREFIX,
    }
    traces = {
        "TRACES": "otlp",
        "TRACES_ENDPOINT": f"http://collector.{COLLECTOR_NAMESPACE}:{COLLECTOR_PORT}",
    }
    logins = {role: web_of(role) for role in program.speaks}
    speakers = {
        "SPEAKERS": json.dumps(
            {role: f"{kafka_user(name)}@{KAFKA_ADDRESS}" for role, name in logins.items()}
        ),
        "SPEAKERS_PASSWORD_FILES": json.dumps(
            {role: f"{SECRETS}/kafka-{name}/password" for role, name in logins.items()}
        ),
    }
    told = {
        **(kafka if program.speaks_kafka else {}),
        **(traces if program.traces else {}),
        **(speakers | {"TOPIC_PREFIX": PREFIX} if program.speaks else {}),
        "POSTGRES": f"postgresql://{role(program.name)}@{POSTGRES_ADDRESS}",
        "POSTGRES_PASSWORD_FILE": f"{SECRETS}/postgres/password",
        "METRICS_PORT": str(METRICS_PORT),
        "METRICS_ADDRESS": "0.0.0.0",  # noqa: S104 -- of the pod; its network policy says who reaches it
        **program.settings,
        **({"OBSERVED_TARGETS": f"{SECRETS}/targets/{TARGETS_FILE}"} if program.observes else {}),
        **{setting: f"{SECRETS}/{key}/{key}" for setting, key in program.secrets.items()},
        **(
            {"OIDC_CLIENT_SECRET_FILE": f"{SECRETS}/{name}/{name}.secret"}
            if (name := program.own_files)
            else {}
        ),
    }
    return {f"{program.prefix}_{key}": value for key, value in told.items()}


def volumes(program: Program) -> Volumes:
    """The files of a process: its two passwords, the certificates, and what only it may read."""
    own = {key: _secret(f"{CITY}-{key.replace('.', '-')}", **{key: key}) for key in program.secrets.values()}
    kafka = {
        "kafka-ca": CERTIFICATES["kafka-ca"],
        "kafka": _secret(kafka_user(program.name), password="password"),  # noqa: S106 -- a key
    }
    logins = [web_of(role) for role in program.speaks]
    speakers = {
        "kafka-ca": CERTIFICATES["kafka-ca"],
        **{f"kafka-{name}": _secret(kafka_user(name), password="password") for name in logins},  # noqa: S106 -- a key
    }
    return {
        "postgres-ca": CERTIFICATES["postgres-ca"],
        **(kafka if program.speaks_kafka else {}),
        **(speakers if program.speaks else {}),
        "postgres": _secret(role_secret(program.name), password="password"),  # noqa: S106 -- a key
        **own,
        **({name: _not_needed(name)} if (name := program.own_files) else {}),
        **({"targets": {"configMap": {"name": TARGETS}}} if program.observes else {}),
    }


def deployment(program: Program) -> dict[str, Any]:
    """A process of the table."""
    told = settings(program)
    ports = [{"name": "metrics", "containerPort": METRICS_PORT}]
    if program.http_port is not None:
        ports.append({"name": "http", "containerPort": program.http_port})
    one = container(
        program.name, (program.module,), told, volumes=volumes(program), memory_mb=program.memory_mb
    )
    if program.own_files:
        one["envFrom"] = [{"configMapRef": {"name": f"{CITY}-{program.own_files}", "optional": True}}]
    one |= {
        "ports": ports,
        "startupProbe": _probe("/live", failures=30),
        "livenessProbe": _probe("/live", failures=round(LIVE_SECONDS / PROBE_SECONDS)),
        "readinessProbe": _probe("/ready", failures=2),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(program.name),
        "spec": {
            "replicas": REPLICAS_MIN,
            "selector": {"matchLabels": labels(program.name)},
            # The new one starts before an old one ends; both may work at once.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": pod(program.name, one, volumes(program)),
        },
    }


def disruption(program: Program) -> dict[str, Any]:
    """One of a process at a time may be taken away."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta(program.name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels(program.name)}},
    }


def reached(program: Program) -> list[dict[str, Any]]:
    """The service and the ingress of a process that answers people and machines from outside."""
    if program.http_port is None:
        return []
    at = {"service": {"name": program.name, "port": {"name": "http"}}}
    host = f"{program.name}.{CITY}.example"
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta(program.name),
            "spec": {
                "selector": labels(program.name),
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            },
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": meta(program.name),
            "spec": {
                "tls": [{"hosts": [host], "secretName": f"{CITY}-{program.name}-tls"}],
                "rules": [
                    {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": at}]}}
                ],
            },
        },
    ]


def scaling(program: Program) -> list[dict[str, Any]]:
    """As many of a process as messages wait for it.

    A lag is told by the offsets in Kafka, which follow those in PostgreSQL. A partition that stands still because its
    topic was stopped for a person makes no new process.
    """
    if program.shared is not Sharing.BY_LAG:
        return []
    triggers = [
        {
            "type": "kafka",
            "metadata": {
                "bootstrapServers": KAFKA_ADDRESS.partition("?")[0],
                "consumerGroup": group,
                **({"topic": topic} if topic else {}),
                "lagThreshold": str(LAG_MAX),
                "offsetResetPolicy": "earliest",
                "limitToPartitionsWithLag": "true" if topic else "false",
                "excludePersistentLag": "true",
                "sasl": "scram_sha512",
                "tls": "enable",
            },
            "authenticationRef": {"name": program.name},
        }
        for group, topic in program.groups(PREFIX).items()
    ]
    return [
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "TriggerAuthentication",
            "metadata": meta(program.name),
            "spec": {
                "secretTargetRef": [
                    {"parameter": "password", "name": kafka_user(program.name), "key": "password"},
                    {"parameter": "username", "name": f"{CITY}-users", "key": program.name},
                    {"parameter": "ca", "name": KAFKA_CA, "key": "ca.crt"},
                ]
            },
        },
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": meta(program.name),
            "spec": {
                "scaleTargetRef": {"name": program.name},
                "minReplicaCount": REPLICAS_MIN,
                "maxReplicaCount": max(REPLICAS_MIN, program.replicas_max),
                "pollingInterval": 15,
                "cooldownPeriod": 600,
                "triggers": triggers,
            },
        },
    ]


def user_names() -> dict[str, Any]:
    """The names of the logins, where KEDA can read them: it takes no plain text for a login."""
    scaled = [program.name for program in PROGRAMS if program.shared is Sharing.BY_LAG]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{CITY}-users", "labels": labels("users")},
        "stringData": {name: kafka_user(name) for name in scaled},
    }


def pod(name: str, one: Mapping[str, Any], mounted: Volumes, *, restart: str = "Always") -> dict[str, Any]:
    """The template of a pod, as the restricted standard wants it."""
    return {
        "metadata": {"labels": labels(name)},
        "spec": {
            "serviceAccountName": CITY,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "restartPolicy": restart,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": labels(name)},
                }
            ],
            "containers": [one],
            "volumes": [
                *({"name": key.replace(".", "-"), **volume} for key, volume in mounted.items()),
                {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
            ],
        },
    }


def container(
    name: str, arguments: Sequence[str], told: Mapping[str, str], *, volumes: Volumes, memory_mb: int
) -> dict[str, Any]:
    """The container of a process: its argument of the image, its settings, its secrets."""
    return {
        "name": name,
        "image": IMAGE,
        "args": list(arguments),
        "env": [{"name": key, "value": value} for key, value in told.items()],
        "resources": {
            "requests": {"cpu": "100m", "memory": f"{memory_mb}Mi"},
            "limits": {"memory": f"{2 * memory_mb}Mi"},
        },
        "securityContext": CONFINED,
        "volumeMounts": [
            *(
                {"name": key.replace(".", "-"), "mountPath": f"{SECRETS}/{key}", "readOnly": True}
                for key in volumes
            ),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 -- the container's own
        ],
    }


def _probe(path: str, *, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "metrics"},
        "periodSeconds": PROBE_SECONDS,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
