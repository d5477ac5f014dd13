"""Programs of the project, started through the fork server of this test process; see `fork_server.py`.

Elsewhere than on Linux they are started as anybody starts them.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NamedTuple

from deploy.embedded import child
from deploy.supervision.supervisor import Service, Supervisor
from tests.fork_server import MESSAGE_BYTES_MAX

PROJECT: Final = Path(__file__).resolve().parents[1]


class Program(NamedTuple):
    """`python -m module words`, with all that it gets."""

    module: str
    words: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    files: tuple[int, int, int]
    """The descriptors of standard input, output and error."""
    dies_with_parent: bool = True


class Forked:
    """A started process, with what is asked of a `Popen`."""

    def __init__(self, server: Server, pid: int) -> None:
        self._server = server
        self.pid = pid

    def poll(self) -> int | None:
        """The code with which it ended, negative for a signal; None while it runs."""
        return self._server.status(self.pid)

    def wait(self, timeout: float) -> int:
        """The same, once it has ended."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return code


class Server:
    """The fork server of this process, started at the first use; it ends with us."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = 0
        self._pids: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
                cwd=PROJECT,
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def start(self, program: Program) -> Forked:
        """Start it, in a session of its own."""
        with self._lock:
            self._asked += 1
            asked = {
                "id": self._asked,
                "module": program.module,
                "argv": list(program.words),
                "env": dict(program.env),
                "folder": str(program.folder),
                "dies_with_parent": program.dies_with_parent,
            }
            socket.send_fds(self._channel, [json.dumps(asked).encode()], list(program.files))
            while self._asked not in self._pids:
                self._hear(wait=True)
            pid = self._pids.pop(self._asked)
            return Forked(self, pid)

    def status(self, pid: int) -> int | None:
        with self._lock:
            while pid not in self._ended and self._hear(wait=False):
                pass
            return self._ended.get(pid)

    def _hear(self, *, wait: bool) -> bool:
        try:
            message = self._channel.recv(MESSAGE_BYTES_MAX, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        if not message:
            raise RuntimeError("the fork server has ended")
        told = json.loads(message)
        if "id" in told:
            self._pids[told["id"]] = told["pid"]
            self._ended.pop(told["pid"], None)  # the kernel gave the number of an earlier one again
        else:
            self._ended[told["pid"]] = told["status"]
        return True


@cache
def _server() -> Server:
    """The one of this process."""
    return Server()


def start(program: Program) -> Forked | subprocess.Popen[bytes]:
    """Start a program; elsewhere than on Linux nothing dies with its parent."""
    if platform.system() == "Linux":  # mypy would take the other half for dead by `sys.platform`
        return _server().start(program)
    stdin, stdout, stderr = program.files
    return subprocess.Popen(
        [sys.executable, "-m", program.module, *program.words],
        env=program.env,
        cwd=program.folder,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def run(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path,
    told: str = "",
    together: bool = False,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Type `hotline WORDS` in a folder and wait for its end; `together`: what goes to standard error is in stdout."""
    with TemporaryFile() as given, TemporaryFile() as output, TemporaryFile() as errors:
        given.write(told.encode())
        given.seek(0)
        files = (given.fileno(), output.fileno(), (output if together else errors).fileno())
        started = start(Program("hotline", words, env, folder, files, dies_with_parent=False))
        code = started.wait(seconds)
        read = [(file.seek(0), file.read())[1].decode() for file in (output, errors)]
    return subprocess.CompletedProcess(["hotline", *words], code, *read)


class ForkingSupervisor(Supervisor):
    """A supervisor whose services are forked."""

    def process_of(self, service: Service) -> child.Child:
        assert service.command[:2] == (sys.executable, "-m")
        service.log.parent.mkdir(parents=True, exist_ok=True)
        _, _, module, *words = service.command
        with service.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            files = (nothing.fileno(), log.fileno(), log.fileno())
            return child.keep(start(Program(module, words, service.env, Path.cwd(), files)))
