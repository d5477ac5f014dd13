"""The services of the compose file: servers by their public images, the job, every process, and what watches them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from deploy.city import kafka_rights
from deploy.city.endpoints import GRANTED
from deploy.city.registry import CALLERS_KEY_FILE, CONTACTS_KEY_FILE
from deploy.processes import GRACE_SECONDS, IDENTITY_PROVIDER, METRICS_PORT, PREPARES, PROGRAMS, Program
from deploy.watching import routing
from deploy.watching.dashboards import SOURCE
from deploy.watching.rules import groups

CITY: Final = "hotline"
IMAGE: Final = "${HOTLINE_IMAGE:-hotline}"
KAFKA_IMAGE: Final = "${KAFKA_IMAGE:-docker.io/apache/kafka:4.4.0}"
POSTGRES_IMAGE: Final = "${POSTGRES_IMAGE:-docker.io/postgres:18}"
ZIPKIN_IMAGE: Final = "${ZIPKIN_IMAGE:-docker.io/openzipkin/zipkin-slim:3.6.1}"
PROMETHEUS_IMAGE: Final = "${PROMETHEUS_IMAGE:-docker.io/prom/prometheus:v3.8.0}"
COLLECTOR_IMAGE: Final = "${COLLECTOR_IMAGE:-docker.io/otel/opentelemetry-collector:0.140.0}"
ALERTMANAGER_IMAGE: Final = "${ALERTMANAGER_IMAGE:-docker.io/prom/alertmanager:v0.29.0}"
GRAFANA_IMAGE: Final = "${GRAFANA_IMAGE:-docker.io/grafana/grafana:12.3.0}"
SECRETS: Final = "/run/secrets"
DASHBOARDS: Final = "/var/lib/grafana/dashboards"
TARGETS: Final = "/etc/hotline/targets.json"
"""Where Prometheus and the operations page find which processes there are."""
_MOUNTED_TARGETS: Final = f"./targets.json:{TARGETS}:ro"
KAFKA_PORT: Final = 9092
POSTGRES_PORT: Final = 5432
ZIPKIN_PORT: Final = 9411
ALERTS_PORT: Final = 9093
SETTINGS_OF_KAFKA: Final = "kafka.properties"
"""A secret: the file of settings holds the passwords of the two users there are before any other."""
OIDC_SECRET: Final = f"{IDENTITY_PROVIDER}.secret"
"""Of the hotline as the client of an identity provider, which makes it: until then the file is empty."""
WATCHED: Final = "watched"
"""The profile with what has been checked by its schema alone."""
POSTGRES_OPTIONS: Final = (
    "max_connections=200",
    "max_locks_per_transaction=2048",  # a batch locks every stream it writes before it writes
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "timezone=UTC",
)
CONFINED: Final = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "tmpfs": ["/tmp"],  # noqa: S108 -- the container's own
}
IN_CITY: Final = {
    "CITY_NAME": CITY,
    "CITY_KAFKA": f"kafka:{KAFKA_PORT}",
    "CITY_POSTGRES": f"postgresql://postgres:{POSTGRES_PORT}/{CITY}",
    "CITY_SECRETS": SECRETS,
}
FOR_COMMANDS: Final = (
    *(f"postgres-{login}" for login in ("reader", "editor", "governor", "visitor", "agent", "operator")),
    *(f"kafka-{name}" for name in (kafka_rights.OPERATOR, *kafka_rights.COMMANDS)),
    CONTACTS_KEY_FILE,
    CALLERS_KEY_FILE,
)
"""The secrets of the commands: each uses the login of the role it acts for."""


def secret_names() -> list[str]:
    """Every secret, as a file is called."""
    own = {key for program in PROGRAMS for key in program.secrets.values()}
    return [
        *(f"postgres-{login}" for login in ("owner", *GRANTED)),
        *(f"kafka-{name}" for name in ("admin", *kafka_rights.PRINCIPALS, *kafka_rights.PLAIN_LOGINS)),
        SETTINGS_OF_KAFKA,
        *sorted({*own, CALLERS_KEY_FILE, OIDC_SECRET}),
    ]


def compose(programs: Iterable[Program] = PROGRAMS) -> dict[str, Any]:
    """The whole file."""
    rows = tuple(programs)
    return {
        "name": CITY,
        "services": {
            "kafka": _kafka(),
            "postgres": _postgres(),
            "prepare": _prepare(),
            **{row.name: process(row) for row in rows},
            "command": _command(),
            "zipkin": _viewer(),
            "prometheus": _prometheus(),
            "collector": {
                "image": COLLECTOR_IMAGE,
                "profiles": [WATCHED],
                "command": ["--config=/etc/collector.yaml"],
                "volumes": ["./collector.yaml:/etc/collector.yaml:ro"],
                "restart": "unless-stopped",
            },
            "alertmanager": {
                "image": ALERTMANAGER_IMAGE,
                "profiles": [WATCHED],
                "command": ["--config.file=/etc/alertmanager/alertmanager.yml"],
                "volumes": ["./alertmanager.yaml:/etc/alertmanager/alertmanager.yml:ro"],
                "ports": [f"127.0.0.1:{ALERTS_PORT}:{ALERTS_PORT}"],
                "restart": "unless-stopped",
            },
            "grafana": {
                "image": GRAFANA_IMAGE,
                "profiles": [WATCHED],
                "ports": ["127.0.0.1:3000:3000"],
                "volumes": [
                    "./grafana.yaml:/etc/grafana/provisioning/datasources/hotline.yaml:ro",
                    "./grafana-dashboards.yaml:/etc/grafana/provisioning/dashboards/hotline.yaml:ro",
                    f"../dashboards:{DASHBOARDS}:ro",
                    "grafana:/var/lib/grafana",
                ],
                "restart": "unless-stopped",
            },
        },
        "volumes": {"kafka": {}, "postgres": {}, "prometheus": {}, "grafana": {}},
        "secrets": {name: {"file": f"./secrets/{name}"} for name in secret_names()},
    }


def process(row: Program) -> dict[str, Any]:
    """A process of the table."""
    kafka = {
        "KAFKA": f"{CITY}-{row.name}@kafka:{KAFKA_PORT}",
        "KAFKA_PASSWORD_FILE": f"{SECRETS}/kafka-{row.name}",
    }
    traces = {
        "TRACES": "zipkin",
        "TRACES_ENDPOINT": f"http://zipkin:{ZIPKIN_PORT}",
    }
    logins = {role: kafka_rights.web_of(role) for role in row.speaks}
    speakers = {
        "SPEAKERS": json.dumps({role: f"{CITY}-{name}@kafka:{KAFKA_PORT}" for role, name in logins.items()}),
        "SPEAKERS_PASSWORD_FILES": json.dumps(
            {role: f"{SECRETS}/kafka-{name}" for role, name in logins.items()}
        ),
    }
    told = {
        **(kafka if row.speaks_kafka else {}),
        **(traces if row.traces else {}),
        **(speakers if row.speaks else {}),
        "POSTGRES": f"postgresql://{CITY}_{row.name}_login@postgres:{POSTGRES_PORT}/{CITY}",
        "POSTGRES_PASSWORD_FILE": f"{SECRETS}/postgres-{row.name}",
        "METRICS_PORT": str(METRICS_PORT),
        "METRICS_ADDRESS": "0.0.0.0",  # noqa: S104 -- of the container; no port of it is published
        **row.settings,
        **{setting: f"{SECRETS}/{key}" for setting, key in row.secrets.items()},
        **({"OIDC_CLIENT_SECRET_FILE": f"{SECRETS}/{OIDC_SECRET}"} if row.own_files else {}),
        **({"OBSERVED_TARGETS": TARGETS} if row.observes else {}),
    }
    return {
        "image": IMAGE,
        "command": [row.module],
        "environment": {f"{row.prefix}_{key}": value for key, value in told.items()},
        "secrets": [
            *([f"kafka-{row.name}"] if row.speaks_kafka else []),
            *(f"kafka-{name}" for name in logins.values()),
            f"postgres-{row.name}",
            *row.secrets.values(),
            *([OIDC_SECRET] if row.own_files else []),
        ],
        **({"env_file": [{"path": f"./{row.own_files}.env", "required": False}]} if row.own_files else {}),
        **({"volumes": [_MOUNTED_TARGETS]} if row.observes else {}),
        "depends_on": {"prepare": {"condition": "service_completed_successfully"}},
        "healthcheck": {
            "test": ["CMD", "python", "-m", "shared.runtime.probe", "ready"],
            "interval": "10s",
            "timeout": "5s",
            "start_period": "60s",
            "retries": 6,
        },
        "restart": "unless-stopped",
        "stop_grace_period": f"{GRACE_SECONDS}s",
        "mem_limit": f"{2 * row.memory_mb}m",
        **({"ports": [f"127.0.0.1:{row.http_port}:{row.http_port}"]} if row.http_port else {}),
        **CONFINED,
    }


def prometheus() -> dict[str, Any]:
    """The settings of Prometheus."""
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["/etc/prometheus/rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"alertmanager:{ALERTS_PORT}"]}]}]},
        "scrape_configs": [{"job_name": CITY, "file_sd_configs": [{"files": [TARGETS]}]}],
    }


def targets(rows: Iterable[Program] = PROGRAMS) -> list[dict[str, Any]]:
    """The processes that Prometheus and the operations page read, as `file_sd_configs` has them."""
    return [{"targets": [f"{row.name}:{METRICS_PORT}"], "labels": {"job": row.name}} for row in rows]


def rules() -> Mapping[str, Any]:
    """The objectives' shares and the alerts, as a file of Prometheus."""
    return {"groups": groups()}


def alertmanager() -> Mapping[str, Any]:
    """The receivers of alerts."""
    return routing.alertmanager()


def collector() -> dict[str, Any]:
    """Traces in, by OTLP, and on to the viewer: for those who set TRACES=otlp."""
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "0.0.0.0:4318"}}}},
        "exporters": {"zipkin": {"endpoint": f"http://zipkin:{ZIPKIN_PORT}/api/v2/spans"}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["zipkin"]}}},
    }


def grafana() -> dict[str, Any]:
    """Where Grafana finds the figures and the traces."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": SOURCE,
                "type": "prometheus",
                "url": "http://prometheus:9090",
                "isDefault": True,
            },
            {"name": "Zipkin", "type": "zipkin", "url": f"http://zipkin:{ZIPKIN_PORT}"},
        ],
    }


def grafana_dashboards() -> dict[str, Any]:
    """Where Grafana finds the dashboards."""
    return {
        "apiVersion": 1,
        "providers": [{"name": CITY, "folder": CITY, "type": "file", "options": {"path": DASHBOARDS}}],
    }


def _kafka() -> dict[str, Any]:
    return {
        "image": KAFKA_IMAGE,
        "environment": {"KAFKA_HEAP_OPTS": "-Xms512m -Xmx512m"},
        "secrets": [{"source": SETTINGS_OF_KAFKA, "target": "/mnt/shared/config/server.properties"}],
        "volumes": ["kafka:/var/lib/kafka/data"],
        "restart": "unless-stopped",
        "stop_grace_period": "60s",
    }


def _postgres() -> dict[str, Any]:
    return {
        "image": POSTGRES_IMAGE,
        "environment": {
            "POSTGRES_USER": CITY,
            "POSTGRES_DB": CITY,
            "POSTGRES_PASSWORD_FILE": f"{SECRETS}/postgres-owner",
            "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C --locale-provider=builtin "
            "--builtin-locale=C.UTF-8",
        },
        "command": ["postgres", *(part for option in POSTGRES_OPTIONS for part in ("-c", option))],
        "secrets": ["postgres-owner"],
        "volumes": ["postgres:/var/lib/postgresql"],
        "restart": "unless-stopped",
        "stop_grace_period": "60s",
        "shm_size": "128m",
    }


def _prepare() -> dict[str, Any]:
    """It waits for the servers by itself: a health check of theirs would be one more program in their images."""
    return {
        "image": IMAGE,
        "command": [PREPARES],
        "environment": {**IN_CITY, "CITY_OWNER": CITY, "CITY_KAFKA_MECHANISM": "PLAIN"},
        "secrets": [name for name in secret_names() if name.startswith(("postgres-", "kafka-"))],
        "depends_on": {name: {"condition": "service_started"} for name in ("kafka", "postgres")},
        "restart": "on-failure",
        **CONFINED,
    }


def _command() -> dict[str, Any]:
    """`docker compose run --rm command hotline …`: the centre's commands, with the logins of people alone."""
    return {
        "image": IMAGE,
        "profiles": ["commands"],
        "command": ["hotline", "--help"],
        "environment": IN_CITY,
        "secrets": list(FOR_COMMANDS),
        **CONFINED,
    }


def _viewer() -> dict[str, Any]:
    return {
        "image": ZIPKIN_IMAGE,
        "environment": {"JAVA_OPTS": "-Xmx256m"},
        "ports": [f"127.0.0.1:{ZIPKIN_PORT}:{ZIPKIN_PORT}"],
        "restart": "unless-stopped",
    }


def _prometheus() -> dict[str, Any]:
    return {
        "image": PROMETHEUS_IMAGE,
        "command": [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--storage.tsdb.retention.time=30d",
        ],
        "ports": ["127.0.0.1:9090:9090"],
        "volumes": [
            "./prometheus.yaml:/etc/prometheus/prometheus.yml:ro",
            "./rules.yaml:/etc/prometheus/rules.yaml:ro",
            _MOUNTED_TARGETS,
            "prometheus:/prometheus",
        ],
        "restart": "unless-stopped",
    }
