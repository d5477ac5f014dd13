"""The alerts: each fires and is silent, reads metrics that there are, names a heading; and whom each one reaches."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.watching import __main__ as generator
from deploy.watching import rule_tests, rules
from deploy.watching.objectives import OBJECTIVES
from deploy.watching.routing import MORNING, ON_CALL
from deploy.yaml_text import differing
from shared.runtime.metric_names import every_sample
from tests.watching.conftest import program

FOLDER = generator.FOLDER
RUNBOOK = Path("docs/runbook.md")
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in rules.groups() for rule in group["rules"] if "alert" in rule
}


def ran(*command: str) -> str:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_git_holds_is_what_the_generator_writes() -> None:
    assert differing(FOLDER, generator.files()) == []


def test_the_rules_can_be_read() -> None:
    assert "SUCCESS" in ran(program("promtool"), "check", "rules", "rules.yaml")


@pytest.mark.programs
@pytest.mark.parametrize("file", sorted(rule_tests.files()))
def test_every_alert_fires_and_is_silent_just_below(file: str) -> None:
    assert "SUCCESS" in ran(program("promtool"), "test", "rules", file)


def test_every_alert_is_tried_both_ways() -> None:
    looks = [*rule_tests.tests(), *(one for way in ("page", "ticket") for one in rule_tests.burn_tests(way))]
    for firing in (True, False):
        assert {one.alert for one in looks if one.firing is firing} == ALERTS.keys()
    assert len(ALERTS) == len(rules.alert_names())


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_reads_what_there_is_and_names_a_heading(name: str) -> None:
    alert = ALERTS[name]
    recorded = {rule["record"] for group in rules.groups() for rule in group["rules"] if "record" in rule}
    used = set(re.findall(r"\b(?:hotline|process)[\w:]*\w", alert["expr"]))
    assert used <= every_sample() | recorded
    headings = {rules.anchor(line[3:]) for line in RUNBOOK.read_text().splitlines() if line[:3] == "## "}
    page, _, heading = alert["annotations"]["runbook_url"].partition("#")
    assert Path(page) == RUNBOOK
    assert heading in headings
    assert alert["annotations"]["summary"].endswith((".", "allowed."))


def test_a_budget_is_left_and_can_burn() -> None:
    """No bar lies above everything: an alert that needs more than all outcomes to be bad never fires."""
    for one in OBJECTIVES:
        for burn in (*one.burns.page, *one.burns.ticket):
            assert 0 < burn.rate * one.budget < 1, one.name
            assert {burn.long, burn.short} <= {"5m", "30m", "1h", "2h", "6h", "12h", "1d", "3d"}


def test_the_settings_of_alertmanager_can_be_read() -> None:
    assert "SUCCESS" in ran(program("amtool"), "check-config", "alertmanager.yaml")


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_reaches_who_is_on_call_and_a_ticket_waits(name: str) -> None:
    severity = ALERTS[name]["labels"]["severity"]
    wanted = {"page": ON_CALL, "ticket": MORNING}[severity]
    labels = (f"alertname={name}", f"severity={severity}")
    told = ran(program("amtool"), "config", "routes", "test", "--config.file=alertmanager.yaml", *labels)
    assert told.strip() == wanted


def test_compose_and_kubernetes_have_the_same_rules() -> None:
    wanted = {"groups": rules.groups()}
    compose = yaml.safe_load(Path("deploy/compose/rules.yaml").read_text())
    assert compose == wanted
    watching = Path("deploy/kubernetes/base/watching.yaml").read_text()
    (cluster,) = [one for one in yaml.safe_load_all(watching) if one["kind"] == "PrometheusRule"]
    assert cluster["spec"] == wanted
