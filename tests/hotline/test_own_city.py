"""A city lives by the data of its own: units, subjects, rules, calendar, map, inhabitants, people; and keeps them."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.own_city import layout
from hotline.own_city.check import checked
from hotline.own_city.example import write
from hotline.own_city.kept import keep, refuse_changed
from shared.runtime.errors import UserError
from tests.shell import Shell, until

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(tmp_path_factory.mktemp("own"))
    try:
        yield made
    finally:
        made("down")


def _changed(folder: Path, file: str, good: str, bad: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert good in text
    (folder / file).write_text(text.replace(good, bad), encoding="utf-8")


def test_a_version_that_is_kept_stays_what_it_was(tmp_path: Path) -> None:
    """T23: complaints were born under it."""
    write(tmp_path / "town", "town")
    keep(tmp_path / "home", checked(tmp_path / "town"))
    refuse_changed(tmp_path / "home", checked(tmp_path / "town"))
    _changed(tmp_path / "town", layout.RULESET, "rounds_max = 3", "rounds_max = 2")
    with pytest.raises(
        UserError, match="version 'town-1' is kept with other content: expected a new version"
    ):
        refuse_changed(tmp_path / "home", checked(tmp_path / "town"))
    _changed(tmp_path / "town", layout.RULESET, '"town-1"', '"town-2"')
    refuse_changed(tmp_path / "home", checked(tmp_path / "town"))
    keep(tmp_path / "home", checked(tmp_path / "town"))
    kept = sorted(one.name for one in (tmp_path / "home/data/rulesets").iterdir())
    assert kept == ["town-1.toml", "town-2.toml"]


def test_a_city_runs_from_its_folder(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "rivers"
    shell("city", "new", str(folder))
    _changed(folder, layout.RULESET, 'dispatch = "2h"', 'dispatch = "37min"')
    _changed(folder, layout.STAFF, "agents", "angels")
    told = shell("up", "--city", "rivers", "--data", str(folder), code=1)
    assert f"{folder}/staff.csv:2: role 'angels'" in told
    _changed(folder, layout.STAFF, "angels", "agents")
    assert "leave --catalogue and --ruleset out" in shell(
        "up", "--city", "rivers", "--data", str(folder), "--ruleset", "rivers-1", code=2
    )

    told = shell("up", "--city", "rivers", "--data", str(folder))
    assert "City 'rivers' is open" in told
    assert re.search(r"unit +http://\S+ +赵强", told)
    city = shell.city()
    assert (city.ruleset, city.calendar) == ("rivers-1", "rivers-1")
    people = json.loads(shell("staff", "list", "--json"))
    assert {"李静", "王芳", "赵强", "陈敏", "周洁", "孙伟"} <= {one["name"] for one in people}

    told = shell("call", "--subject", "公共服务/供水", "--district", "东河区", "--title", "停水三天")
    assert "自来水公司" in told or "water-company" in told
    complaint = re.findall(r"\b[0-9]{8}-\w{5}-\w{5}-\w\b", told)[0]
    life = json.loads(shell("show", complaint, "--json"))
    assert "rivers-1" in json.dumps(life)
    until(lambda: complaint in shell("unit", "list", "--unit", "water-company"))
    assert "37min" in shell("rules", "--ruleset", "rivers-1", "--json")
    told = shell("call", "--subject", "公共服务/供水", "--district", "海淀区", "--title", "别处", code=2)
    assert "'海淀区' is no district of catalogue rivers-1; near: 西河区, 东河区" in told

    with urllib.request.urlopen(f"http://127.0.0.1:{city.public_port}/open311/v2/services.json") as answer:
        assert len(json.load(answer)) == 7
    shell("verify")

    shell("backup", str(tmp_path / "copy"))
    shell("down")
    told = shell("up", "--city", "rivers")  # it keeps what it was given
    assert "rivers" in told
    assert shell.city().ruleset == "rivers-1"
    shell("down")
    shell("restore", str(tmp_path / "copy"), "--city", "again")
    shell("up", "--city", "again")
    assert shell.city().calendar == "rivers-1"
    assert "All holds" in shell("verify")
