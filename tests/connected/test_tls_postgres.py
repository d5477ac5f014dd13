"""A PostgreSQL that encrypts by itself: it is believed by its authority's certificate alone, and only by its own name.

The embedded stack's PostgreSQL is built without TLS. This server is the one of the machine's distribution. An older
one does for a connection; the schema needs the embedded stack's version.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from deploy.city import making
from deploy.city.deployed import Settings
from deploy.city.prepare import prepare
from deploy.embedded import child
from deploy.embedded.postgres import USER_NAMESPACE
from shared.log.postgres import connect
from shared.log.reading import reader
from shared.runtime.errors import UserError, told
from tests.certificates import Pair, authority, server
from tests.city import until
from tests.shell import PATIENCE, PROJECT, environment

pytestmark = pytest.mark.programs
INSTALLED: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
PROGRAMS: Final = INSTALLED[-1].parent if INSTALLED else Path(shutil.which("postgres") or "/nowhere").parent
NOT_BELIEVED: Final = "The server's certificate is not believed (unable to get local issuer certificate)"
ENCRYPTED: Final = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


def encrypts() -> bool:
    """Whether this machine has a PostgreSQL that was built with TLS."""
    if not (PROGRAMS / "pg_config").exists():
        return False
    told_of = subprocess.run(
        [PROGRAMS / "pg_config", "--configure"], capture_output=True, text=True, check=True
    )
    return "openssl" in told_of.stdout


needs_server = pytest.mark.skipif(
    not encrypts(), reason="no PostgreSQL that encrypts is on this machine: apt-get install postgresql"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running server, and how it is asked."""

    port: int
    folder: Path
    ours: Pair
    other: Pair

    def dsn(self, ca: Path | None = None, *, host: str = "127.0.0.1", mode: str = "verify-full") -> str:
        how = f"sslmode={mode}" + (f"&sslrootcert={ca or self.ours.certificate}" if mode != "disable" else "")
        return f"postgresql://hotline:a-password@{host}:{self.port}/postgres?{how}"


@contextmanager
def serving(folder: Path, *, encrypted: bool = True) -> Iterator[Served]:
    """The distribution's PostgreSQL in a folder, with a certificate for 127.0.0.1 alone; TLS is the only way in."""
    ours, other = authority(folder, "ours"), authority(folder, "other")
    shows = server(folder, ours, names=["the.database"], addresses=["127.0.0.1"])
    way = USER_NAMESPACE if os.geteuid() == 0 else ()
    (folder / "password").write_text("a-password")
    data = folder / "data"
    subprocess.run(
        [
            *(*way, PROGRAMS / "initdb", "-D", data, "-U", "hotline", "--auth=scram-sha-256", "--no-sync"),
            *(f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C"),
        ],
        check=True,
        capture_output=True,
    )
    if encrypted:
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    port = child.free_ports(1)[0]
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        **(
            {"ssl": "on", "ssl_cert_file": str(shows.certificate), "ssl_key_file": str(shows.key)}
            if encrypted
            else {}
        ),
    }
    with (folder / "postgres.log").open("wb") as log:
        running = subprocess.Popen(
            [*way, PROGRAMS / "postgres", "-D", data, "-p", str(port)]
            + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        give_up_at = time.monotonic() + 20 * PATIENCE
        while b"ready to accept connections" not in (folder / "postgres.log").read_bytes():
            assert running.poll() is None, (folder / "postgres.log").read_text()
            assert time.monotonic() < give_up_at, (folder / "postgres.log").read_text()
            time.sleep(0.05)
        yield Served(port=port, folder=folder, ours=ours, other=other)
    finally:
        running.send_signal(2)
        running.wait(60)


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    with serving(tmp_path_factory.mktemp("encrypted")) as made:
        yield made


@needs_server
@pytest.mark.parametrize("ask", [lambda dsn: connect(dsn, "test"), reader], ids=["a desk", "a reader"])
async def test_a_setting_asks_for_encryption_and_every_word_is_encrypted(
    served: Served, ask: Callable[[str], Awaitable[asyncpg.Connection[Any]]]
) -> None:
    connection = await ask(served.dsn())
    try:
        assert await connection.fetchval(ENCRYPTED) is True
    finally:
        await connection.close()


@needs_server
@pytest.mark.parametrize("ask", [lambda dsn: connect(dsn, "test"), reader], ids=["a desk", "a reader"])
async def test_another_authority_and_another_name_are_refused_with_a_sentence(
    served: Served, ask: Callable[[str], Awaitable[asyncpg.Connection[Any]]]
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        await ask(served.dsn(served.other.certificate))
    assert told(refused.value).startswith(NOT_BELIEVED)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        await ask(served.dsn(host="localhost"))
    assert "Hostname mismatch" in told(refused.value)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await ask(served.dsn(mode="disable"))  # what is not encrypted does not come in


@needs_server
async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(tmp_path: Path) -> None:
    with serving(tmp_path, encrypted=False) as bare:
        with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
            await connect(bare.dsn(), "test")
        plain = await connect(bare.dsn(mode="disable"), "test")
        assert await plain.fetchval(ENCRYPTED) is False
        await plain.close()


@needs_server
async def test_the_job_of_a_deployment_gives_up_at_once_and_says_why(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres-owner").write_text("a-password")

    def told_of(ca: Path) -> Settings:
        at = f"postgresql://127.0.0.1:{served.port}/postgres?sslmode=verify-full&sslrootcert={ca}"
        return Settings(kafka="127.0.0.1:1", postgres=at, secrets=tmp_path)

    began = time.monotonic()
    with pytest.raises(UserError) as refused:
        await prepare(told_of(served.other.certificate), ["database"])
    assert str(refused.value).startswith(NOT_BELIEVED)
    assert time.monotonic() - began < 20 * PATIENCE, "it did not wait for another certificate"
    await prepare(told_of(served.ours.certificate), [])  # it is spoken to
    with pytest.raises(UserError, match="certificate"):  # and the program of the migrations looks as well
        await making.migrate(served.dsn(served.other.certificate))


@needs_server
async def test_a_process_says_why_it_waits_and_a_command_why_it_ends(served: Served, tmp_path: Path) -> None:
    log = tmp_path / "projector.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hotline.readside"),
            env=environment()
            | {"PROJECTOR_POSTGRES": served.dsn(served.other.certificate), "PROJECTOR_METRICS_PORT": "-1"},
            stdout=output,
            stderr=output,
            cwd=PROJECT,
        )
    try:

        async def said() -> bool:
            return NOT_BELIEVED.encode() in log.read_bytes()

        await until(said, within=20, what="the reason in its log", every=0.1)
        assert process.returncode is None, "it waits: a server's certificate may be put right"
    finally:
        process.terminate()
        await process.wait()

    (tmp_path / "postgres-reader").write_text("a-password")
    city = {
        "CITY_KAFKA": "127.0.0.1:1",
        "CITY_POSTGRES": f"postgresql://127.0.0.1:{served.port}/postgres"
        f"?sslmode=verify-full&sslrootcert={served.other.certificate}",
        "CITY_SECRETS": str(tmp_path),
    }
    typed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hotline", "verify"),
        env=environment() | city,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    _, wrong = await typed.communicate()
    assert typed.returncode == 1
    assert wrong.decode().startswith(NOT_BELIEVED)
