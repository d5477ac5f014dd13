"""The compose files are valid by the specification, and set only settings that the programs have."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
import yaml

from deploy.city import deployed, kafka_rights
from deploy.city.endpoints import GRANTED
from deploy.compose import __main__ as generator
from deploy.compose import secret_files, services
from deploy.processes import METRICS_PORT, PROGRAMS
from deploy.yaml_text import differing
from hotline.contact_details import key_of
from hotline.web.pages.operations.watch import sources_in
from shared.runtime import kafka_address
from tests.deploy.test_kubernetes import REACHED, SETTINGS

FOLDER: Final = Path(generator.FOLDER)
SCHEMA: Final = ("github.com/compose-spec/compose-go/v2@v2.16.2", "schema/compose-spec.json")


def read() -> dict[str, Any]:
    told: dict[str, Any] = yaml.load((FOLDER / "compose.yaml").read_text(), yaml.CSafeLoader)
    return told


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Validator:
    """The specification's own, from where it is published: the project hands on no copy."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on this machine: it fetches the specification of compose files")
    done = subprocess.run(
        [go, "mod", "download", "-json", SCHEMA[0]], capture_output=True, text=True, check=True
    )
    text = (Path(json.loads(done.stdout)["Dir"]) / SCHEMA[1]).read_text()
    return jsonschema_rs.validator_for(json.loads(text))


def test_what_git_holds_is_what_the_generator_writes() -> None:
    assert differing(FOLDER, generator.files()) == []


@pytest.mark.programs
def test_the_file_is_valid_and_a_misspelt_word_is_found(schema: jsonschema_rs.Validator) -> None:
    told = read()
    assert [error.message for error in schema.iter_errors(told)] == []
    assert list(schema.iter_errors(services.compose((*PROGRAMS, REACHED)))) == []
    told["services"]["intake"]["comand"] = told["services"]["intake"].pop("command")
    assert len(list(schema.iter_errors(told))) == 1


def test_every_process_is_told_only_what_its_settings_know() -> None:
    told = read()["services"]
    for program in PROGRAMS:
        known = {f"{program.prefix}_{field}".upper() for field in SETTINGS[program.name].model_fields}
        assert told[program.name]["environment"].keys() <= known


def test_a_secret_that_a_service_names_is_one_of_the_file_and_no_other_is_given() -> None:
    told = read()
    for name, service in told["services"].items():
        for secret in service.get("secrets", []):
            assert (secret if isinstance(secret, str) else secret["source"]) in told["secrets"], name
    for program in PROGRAMS:
        own = {f"postgres-{program.name}", *program.secrets.values()}
        own |= {f"kafka-{program.name}"} if program.speaks_kafka else set()
        own |= {f"kafka-{kafka_rights.web_of(role)}" for role in program.speaks}
        own |= {f"{program.own_files}.secret"} if program.own_files else set()
        assert set(told["services"][program.name]["secrets"]) == own
    assert not [name for name in told["services"]["command"]["secrets"] if name.endswith(("owner", "admin"))]


def test_a_command_is_given_the_secret_of_every_login_it_uses_and_of_no_desk() -> None:
    used: set[str] = set()
    for file in Path("hotline").rglob("*.py"):
        if "lab" not in file.parts:
            for words in re.findall(r"\.login\(([^)]*)\)|logins\[([^\]]*)\]", file.read_text()):
                used |= set(re.findall(r'"([a-z]+)"', "".join(words)))
    given = {one.removeprefix("postgres-") for one in services.FOR_COMMANDS if one.startswith("postgres-")}
    assert {"reader", "agent", "visitor", "operator"} <= used
    # A unit reads a contact over HTTP, with a key: `contact show --as UNIT` is for the stack's owner.
    assert used - given == {"staff"}
    assert not given & set(kafka_rights.DESKS)


def test_prometheus_and_the_operations_page_read_the_same_list_of_all_processes() -> None:
    told = read()["services"]
    mounted = f"./targets.json:{services.TARGETS}:ro"
    readers = {name for name, one in told.items() if mounted in one.get("volumes", ())}
    assert readers == {"prometheus", "staff"}
    assert told["staff"]["environment"]["WEB_OBSERVED_TARGETS"] == services.TARGETS
    assert services.prometheus()["scrape_configs"][0]["file_sd_configs"] == [{"files": [services.TARGETS]}]
    found = {one.job: one.address for one in sources_in(str(FOLDER / "targets.json"))}
    assert found == {row.name: f"{row.name}:{METRICS_PORT}" for row in PROGRAMS}


def test_nothing_is_published_but_on_loopback() -> None:
    ports = [port for service in read()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_are_made_once_and_the_commands_find_their_city_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = secret_files.make(tmp_path / "secrets")
    assert made == services.secret_names()
    before = {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    assert secret_files.make(tmp_path / "secrets") == []
    assert {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()} == before
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert before["kafka-admin"] in before[services.SETTINGS_OF_KAFKA]

    for name in [name for name in os.environ if name.startswith("CITY_")]:
        monkeypatch.delenv(name)
    for name, value in {**services.IN_CITY, "CITY_SECRETS": str(tmp_path / "secrets")}.items():
        monkeypatch.setenv(name, value)
    from deploy.city.registry import city_up

    city = city_up()
    assert city.endpoints.logins.keys() == GRANTED.keys()
    assert city.endpoints.kafka_logins.keys() == set(kafka_rights.PRINCIPALS)
    password = before["kafka-command-dialler"].decode()
    assert kafka_address.parsed(city.endpoints.commands_of("dialler")) == (
        "kafka:9092",
        "hotline-command-dialler",
        password,
        "SCRAM-SHA-512",
        "",
    )
    assert city.endpoints.login("reader").startswith("postgresql://hotline_reader_login:")
    assert key_of(city) is not None

    (tmp_path / "secrets" / "kafka-admin").unlink()  # a container of commands is not given it
    (tmp_path / "secrets" / "postgres-owner").unlink()
    poorer = deployed.endpoints_of(deployed.Settings())
    assert poorer.owner_dsn == ""
    assert kafka_address.parsed(poorer.kafka).user == "hotline-operator"
    assert poorer.kafka == poorer.looks
