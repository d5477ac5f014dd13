"""Starts programs of the project by a fork of one process that has imported the project already.

A Python program of ours spends a second of processor time on imports before its first line, and the tests start
over a thousand. A program that is started here is a process like any other: an id, a session, an environment, a folder
and an output of its own. Only the imports are shared. A test of the start itself does not use it.

`python -m tests.fork_server FD` reads requests from this socket, one JSON object a message, and ends with it:
`{"id", "module", "argv", "env", "folder", "dies_with_parent"}`, with the descriptors of the three standard streams.
It answers `{"id", "pid"}` at once and `{"pid", "status"}` when the process has ended.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, Final

MESSAGE_BYTES_MAX: Final = 1 << 17
_PR_SET_PDEATHSIG: Final = 1
_PREPARED: Final = ("shared", "deploy", "services", "hotline.cli")
"""The packages whose modules are imported once; what they need is imported with them."""
_NOT_PREPARED: Final = ("hotline.lab.bench",)


def prepare() -> None:
    """Import what the programs import; nothing in it may start a thread or open a connection."""
    for name in _PREPARED:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__") and not found.name.startswith(_NOT_PREPARED):
                importlib.import_module(found.name)
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> None:
    """Start what is asked for and tell how it ended, until the other side is gone."""
    ended, wake = socket.socketpair()
    for end in (ended, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is ended:
                    with suppress(BlockingIOError):
                        ended.recv(4096)
                    continue
                message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES_MAX, 3)
                if not message:
                    return
                asked = json.loads(message)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    _run(asked, descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
                channel.send(json.dumps({"id": asked["id"], "pid": pid}).encode())
            _tell_ended(channel)


def _tell_ended(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        with suppress(BrokenPipeError):
            channel.send(json.dumps({"pid": pid, "status": code}).encode())


def _run(asked: dict[str, Any], descriptors: list[int]) -> None:
    """Become the program: in the child, never to return."""
    code = 1
    try:
        if asked["dies_with_parent"]:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.closerange(3, max(descriptors) + 64)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- open to the end of the program
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        sys.argv = [asked["module"], *asked["argv"]]
        code = _code_of(asked["module"])
    finally:
        for last in (threading._shutdown, atexit._run_exitfuncs, sys.stdout.flush, sys.stderr.flush):  # type: ignore[attr-defined]
            with suppress(BaseException):
                last()
        os._exit(code)


def _code_of(module: str) -> int:
    """Run it as `python -m` does, and give the code with which Python would end."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001 -- as Python itself does at the end
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    prepare()
    with socket.socket(fileno=int(sys.argv[1])) as to_tests:
        serve(to_tests)
