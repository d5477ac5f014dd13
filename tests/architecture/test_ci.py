"""What CI looks at beside the tests: whether they left anything listening; and that its stages leave no test out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
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


def looked(program: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        env={},  # no PATH: nothing but Python is needed
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def until_left(program: Path, before: Path, ports: list[str]) -> None:
    """Others start and end programs beside this test: a socket of theirs may have no holder for a moment."""
    deadline = time.monotonic() + 60
    while True:
        code, said = looked(program, str(before))
        if (code, [line.split(":")[0] for line in said.split("\n")[:-1] if line]) == (
            int(bool(ports)),
            ports,
        ):
            return
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def test_only_what_this_project_started_since_is_left_listening(tmp_path: Path) -> None:
    (tmp_path / "ours" / ".ci").mkdir(parents=True)
    # A project of this test's own: what other tests have started meanwhile is not its.
    program = Path(shutil.copy(PROJECT / ".ci" / "listening.py", tmp_path / "ours" / ".ci"))
    before = tmp_path / "before"
    with listener(str(tmp_path / "ours")):
        before.write_text(looked(program)[1])
        with listener("/somewhere/else"):
            until_left(program, before, [])
        with listener(str(tmp_path / "ours" / ".venv")) as port:
            until_left(program, before, [f"port {port}"])
        until_left(program, before, [])


def test_a_test_that_one_stage_leaves_out_is_run_by_another() -> None:
    text = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    named = dict(re.findall(r"^([A-Z]+)=\((tests/[^)]*)\)$", text, re.MULTILINE))
    left_out = set(re.findall(r'"\$\{([A-Z]+)\[@\]\}"', text.partition("--ignore=")[2].partition("\n")[0]))
    assert left_out == named.keys()
    assert len(left_out) > 1
    for name, files in named.items():
        assert all((PROJECT / file).exists() for file in files.split()), files
        assert f'pytest "${{{name}[@]}}"' in text
