"""A program that the tests fork behaves as one that is started: what is printed, the code, its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import psutil
import pytest

from tests.forked import PROJECT, Program, run, start
from tests.shell import until

pytestmark = [pytest.mark.programs, pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")]


@pytest.mark.parametrize(
    "words", [("status",), ("rules", "C2"), ("rules", "nothing"), ("--help",), ("nonsense",)]
)
def test_a_command_prints_and_ends_as_when_it_is_started(words: tuple[str, ...], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "COLUMNS": "100"}
    started = subprocess.run(
        [sys.executable, "-m", "hotline", *words],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = run(words, env=env, folder=tmp_path)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


@pytest.mark.parametrize(
    ("word", "code", "error"),
    [("x", 7, "error\n"), ("--say", 1, "error\na sentence\n"), ("--fail", 1, "ValueError: unwell\n")],
)
def test_it_has_its_own_words_folder_environment_and_end(
    word: str, code: int, error: str, tmp_path: Path
) -> None:
    (tmp_path / "in").write_text("沒有水")
    env = {"PATH": os.environ["PATH"], "ALONE": "1"}
    with (tmp_path / "in").open("rb") as given, TemporaryFile() as out, TemporaryFile() as errors:
        files = (given.fileno(), out.fileno(), errors.fileno())
        process = start(Program("tests.stack.told_program", [word], env, tmp_path, files))
        assert process.wait(30) == code
        out.seek(0)
        errors.seek(0)
        told = json.loads(out.read())
        said = errors.read().decode()
    assert told == {"argv": [word], "folder": str(tmp_path), "told": "沒有水", "env": env}
    assert said.endswith(error)


def test_a_signal_ends_it_as_any_process(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, Path(os.devnull).open("rb") as nothing:
        files = (nothing.fileno(), log.fileno(), log.fileno())
        process = start(Program("tests.stack.told_program", ["--wait"], {}, tmp_path, files))
        until(lambda: (tmp_path / "log").read_text() == "begun\n")
        assert process.poll() is None
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
        assert psutil.Process(process.pid).cwd() == str(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
