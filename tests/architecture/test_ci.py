"""What CI looks at beside the tests: whether they left anything listening."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="CI runs on Linux"),
]

PROJECT: Final = Path(__file__).resolve().parents[2]
LISTENS: Final = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@contextmanager
def listener(mark: str) -> Iterator[str]:
    """A process that listens, with `mark` on its command line; gives its port."""
    process = subprocess.Popen(
        ["/usr/bin/env", "python3", "-c", LISTENS, mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def looked(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(PROJECT / ".ci" / "listening.py"), *arguments],
        env={},  # no PATH: nothing but Python is needed
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_only_what_this_project_started_since_is_left_listening(tmp_path: Path) -> None:
    before = tmp_path / "before"
    with listener(str(PROJECT)):
        before.write_text(looked()[1])
        with listener("/somewhere/else"):
            assert looked(str(before))[0] == 0
        with listener(str(PROJECT / ".venv")) as port:
            code, said = looked(str(before))
            assert code == 1
            assert [line.split(":")[0] for line in said.splitlines()] == [f"port {port}"]
        assert looked(str(before)) == (0, "\n")
