"""`hotline demo` where a day does not end well: it says so by name, and ends with exit code 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.small_city import streets_in
from tests.typed import PROJECT, environment_on

pytestmark = pytest.mark.connected

SPOILED: Final = "tests.hotline.spoiled_demo"
"""The command, in a city whose dialler forgets one citizen, and to whose database something happens at the end."""


def test_what_is_open_lost_or_wrong_at_the_end_is_named_and_the_demo_fails(
    typed_stack: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", SPOILED, "demo", "--scale", "0.0006", "--streets", streets_in(tmp_path)],
        cwd=PROJECT,
        env=environment_on(typed_stack),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=800,
        check=False,
    )
    said = done.stdout
    assert done.returncode == 1, said
    lines = said.splitlines()
    told = ("FORGOTTEN ", "SPOILT ", "GONE ", "CALL ")
    named = dict(line.split() for line in lines if line.startswith(told))
    forgotten = f"  {named['FORGOTTEN']}  still open at the end of the rehearsal: waits for dialler to ask the citizen"
    assert forgotten in lines
    assert any(named["SPOILT"] in line and "the head stands at version" in line for line in lines)
    lost = [line for line in lines if line.endswith("acknowledged by Kafka, and lost")]
    assert [line.split()[1] for line in lost if "hotline.order.answer.v1" in line] == [named["GONE"]]
    assert [line for line in lost if "hotline.call.ended.v1" in line and f"key {named['CALL']})" in line]
    assert len(lost) == 2
    assert any(line.startswith(f"  {named['SPOILT']}  its rows in the lists") for line in lines)
    assert f"  call {named['CALL']}: its row is not what was told of it: `hotline rebuild lists`" in lines
    assert "6 problems" in said
