"""What a rehearsal says of how it leaves the machine is what is so."""

from __future__ import annotations

from pathlib import Path

from deploy.embedded import child
from deploy.embedded.state import Roster, State, write_roster, write_state
from hotline.lab.rehearsal.stage import how_it_is_left


def test_nothing_is_said_to_be_left_running_only_where_nothing_is(tmp_path: Path) -> None:
    assert how_it_is_left(tmp_path, "demo").startswith("Nothing is left running. What was recorded stays in ")
    write_state(tmp_path, State(running={"kafka": child.myself()}))
    write_roster(tmp_path, Roster(services={"intake": child.myself()}))
    said = how_it_is_left(tmp_path, "demo")
    assert said.startswith("intake, kafka go on running, the stack was up before: `")
    assert "hotline down` ends them." in said
    assert "Nothing is left" not in said
    write_state(tmp_path, State())
    write_roster(tmp_path, Roster())
    assert how_it_is_left(tmp_path, "demo").startswith("Nothing is left running. ")
