"""The manifests are whole and valid, and they give the same rights as the embedded stack."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from deploy.city import kafka_rights, making
from deploy.city.admission import admit
from deploy.city.endpoints import GRANTED
from deploy.city.kafka_rights import PLAIN_LOGINS, Login
from deploy.embedded.stack import Addresses
from deploy.kubernetes import __main__ as generator
from deploy.kubernetes import overlays, workloads
from deploy.kubernetes.names import labels
from deploy.kubernetes.sizes import SIZES
from deploy.processes import METRICS_PORT, PROGRAMS, Program, Sharing
from deploy.yaml_text import differing
from hotline.readside.process import Settings as Projector
from hotline.web.settings import Settings as Web
from services.dispatch.settings import Settings as Dispatch
from services.escalation.settings import Settings as Escalation
from services.feedback.settings import Settings as Feedback
from services.intake.settings import Settings as Intake
from shared import roles
from shared.log.__main__ import Settings as Relay
from shared.policy.catalogue import catalogue
from shared.roles import AGENTS, UNIT
from shared.runtime import kafka_address
from shared.runtime.settings import ProcessSettings
from tests.deploy.definitions import DEFINITIONS, amiss, validators

UNITS: Final = tuple(catalogue("").units)
FOLDER: Final = Path(generator.FOLDER)
SETTINGS: Final[dict[str, type[ProcessSettings]]] = {
    "intake": Intake,
    "dispatch": Dispatch,
    "escalation": Escalation,
    "feedback": Feedback,
    "relay": Relay,
    "projector": Projector,
    "web": Web,
    "staff": Web,
}
REACHED: Final = Program(name="one", module="one", shared=Sharing.BY_LAG, memory_mb=128, http_port=8090)


@cache
def _rendered(size: str) -> str:
    return json.dumps(overlays.rendered(SIZES[size], UNITS))


def rendered(size: str) -> list[dict[str, Any]]:
    """As a reader has them, not as the generator holds them; that the text says the same is tried below."""
    found: list[dict[str, Any]] = json.loads(_rendered(size))
    return found


def read(text: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(text, yaml.CSafeLoader))


def of_kind(kind: str, size: str = "city") -> list[dict[str, Any]]:
    return [one for one in rendered(size) if one["kind"] == kind]


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="the data is not here")
@pytest.mark.parametrize("size", SIZES)
def test_every_object_is_one_that_its_kind_takes(size: str, measured: Callable[[str], None]) -> None:
    objects = rendered(size)
    assert list(amiss(objects)) == []
    kinds = Counter(one["kind"] for one in objects)
    measured(
        f"{size}: {len(objects)} objects are valid: "
        + ", ".join(f"{n} {k}" for k, n in sorted(kinds.items()))
    )


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="the data is not here")
@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("Deployment", lambda one: one["spec"].update(replica=2)),
        ("Deployment", lambda one: one["spec"]["template"]["spec"]["containers"][0].update(readonly=True)),
        ("KafkaTopic", lambda one: one["spec"].update(partition=4)),
        ("KafkaUser", lambda one: one["spec"]["authorization"]["acls"][0].update(operations=["Reads"])),
        ("Cluster", lambda one: one["spec"].update(instances="three")),
        ("ScaledObject", lambda one: one["spec"].update(minReplicas=1)),
        ("PrometheusRule", lambda one: one["spec"]["groups"][0]["rules"][0].update(expression="up")),
        ("NetworkPolicy", lambda one: one["spec"].update(policyTypes=[1])),
    ],
)
def test_a_planted_fault_is_found(kind: str, spoil: Callable[[dict[str, Any]], None]) -> None:
    one = deepcopy(of_kind(kind)[0])
    assert list(amiss([one])) == []
    spoil(one)
    assert len(list(amiss([one]))) == 1


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="the data is not here")
def test_a_process_that_is_reached_from_outside_is_one_line() -> None:
    files = overlays.manifests(SIZES["city"], UNITS, (*PROGRAMS, REACHED))
    assert [one["kind"] for one in files["one"]] == [
        "Deployment", "PodDisruptionBudget", "Service", "Service", "Ingress", "TriggerAuthentication", "ScaledObject",
    ]  # fmt: skip
    assert list(amiss(files["one"][:5])) == []
    assert "one.yaml" not in overlays.manifests(SIZES["city"], UNITS)


def test_each_listener_is_told_the_logins_of_its_own_roles() -> None:
    for name, port in (("web", 8080), ("staff", 8081)):
        (program,) = (one for one in PROGRAMS if one.name == name)
        (one,) = [one for one in of_kind("Deployment") if one["metadata"]["name"] == name]
        (container,) = one["spec"]["template"]["spec"]["containers"]
        told = {line["name"]: line["value"] for line in container["env"]}
        assert set(json.loads(told["WEB_SPEAKERS"])) == set(program.speaks)
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        for file in json.loads(told["WEB_SPEAKERS_PASSWORD_FILES"]).values():
            assert str(Path(file).parent) in mounted
        assert program.http_port == port
    every = [role for one in PROGRAMS for role in one.speaks]
    assert set(every) == {*kafka_rights.AT_DOORS, roles.CITIZENS}
    # Agents' systems speak in public, and people at the telephones on the pages.
    assert {role for role in every if every.count(role) > 1} == {roles.AGENTS}


def test_what_git_holds_is_what_the_generator_writes(tmp_path: Path) -> None:
    files = generator.files(UNITS)
    assert differing(FOLDER, files) == []
    shutil.copytree(FOLDER, tmp_path / "there", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "there" / "base" / "intake.yaml").write_text("kind: Deployment\n")
    (tmp_path / "there" / "base" / "forgotten.yaml").write_text("kind: Deployment\n")
    assert differing(tmp_path / "there", files) == ["base/forgotten.yaml", "base/intake.yaml"]


def patched(overlay: Path) -> list[dict[str, Any]]:
    """The resources that a kustomization renders, by the few fields that ours use."""
    (told,) = read((overlay / "kustomization.yaml").read_text())
    objects: list[dict[str, Any]] = []
    for name in told["resources"]:
        there = overlay / name
        objects += patched(there) if there.is_dir() else read(there.read_text())
    for change in told.get("patches", []):
        patch: Any = read(change["patch"])[0]
        if isinstance(patch, dict):
            assert patch["$patch"] == "delete"
            gone = (patch["kind"], patch["metadata"]["name"])
            objects = [one for one in objects if (one["kind"], one["metadata"]["name"]) != gone]
            continue
        (one,) = [
            one
            for one in objects
            if (one["kind"], one["metadata"]["name"]) == (change["target"]["kind"], change["target"]["name"])
        ]
        for step in patch:
            *way, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
            at: Any = one
            for part in way:
                at = at[int(part)] if isinstance(at, list) else at[part]
            if step["op"] == "remove":
                del at[last]
            else:
                at[int(last) if isinstance(at, list) else last] = step["value"]
    if "namespace" in told:
        for one in objects:
            named = "name" if one["kind"] == "Namespace" else "namespace"
            one["metadata"][named] = told["namespace"]
    return objects


def by_name(objects: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in objects
    }
    assert len(found) == len(objects), "two objects of one name"
    return found


@pytest.mark.parametrize("size", SIZES)
def test_an_overlay_is_what_the_generator_renders(size: str) -> None:
    assert by_name(patched(FOLDER / "overlays" / size)) == by_name(rendered(size))


@pytest.mark.programs
@pytest.mark.parametrize("size", SIZES)
def test_kustomize_makes_of_an_overlay_what_the_generator_renders(size: str) -> None:
    overlay = str(FOLDER / "overlays" / size)
    if kustomize := shutil.which("kustomize"):
        command = [kustomize, "build", overlay]
    elif kubectl := shutil.which("kubectl"):
        command = [kubectl, "kustomize", overlay]
    else:
        pytest.skip("neither kustomize nor kubectl is on this machine")
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert by_name(read(done.stdout)) == by_name(rendered(size))


# -- rights


async def test_topics_and_rights_are_those_of_the_embedded_stack(stack: Addresses) -> None:
    """Both are asked of the things themselves: a real Kafka with a city, and the text that is applied."""
    name = "cluster"
    made = await making.create(stack, name, UNITS)
    for login in (*map(Login, PLAIN_LOGINS), *(Login(UNIT, unit) for unit in UNITS[:3])):
        await admit(made, login)
    admin = AdminClient(kafka_address.librdkafka(stack.kafka))
    there = {topic for topic in admin.list_topics(timeout=30).topics if topic.startswith(made.prefix)}
    topics = {one["spec"]["topicName"]: one["spec"] for one in of_kind("KafkaTopic")}
    assert {made.prefix + topic for topic in topics} == there
    for topic, partitions in admin.list_topics(timeout=30).topics.items():
        if topic in there:
            assert topics[topic.removeprefix(made.prefix)]["partitions"] == len(partitions.partitions), topic
    asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in sorted(there)[:20]]
    for resource, answer in admin.describe_configs(asked).items():
        told = topics[resource.name.removeprefix(made.prefix)]["config"]
        assert {key: answer.result()[key].value for key in told} == told

    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    embedded = {
        (
            rule.principal.removeprefix(f"User:{name}-"),
            rule.restype.name.lower(),
            rule.name.removeprefix(made.prefix),
            {"LITERAL": "literal", "PREFIXED": "prefix"}[rule.resource_pattern_type.name],
            rule.operation.name.capitalize(),
        )
        for rule in admin.describe_acls(everything).result()
        if rule.principal.startswith(f"User:{name}-")
    }
    of_cluster = {
        (
            one["metadata"]["name"].removeprefix("hotline-"),
            acl["resource"]["type"],
            acl["resource"]["name"],
            acl["resource"]["patternType"],
            operation,
        )
        for one in of_kind("KafkaUser")
        for acl in one["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    wanted = {line for line in of_cluster if not line[0].startswith("unit-")}
    wanted |= {line for line in of_cluster if line[0].removeprefix("unit-") in UNITS[:3]}
    assert wanted == embedded
    users = {one["metadata"]["name"] for one in of_kind("KafkaUser")}
    assert {f"hotline-unit-{unit}" for unit in UNITS} < users


def test_one_more_login_is_printed_with_the_topics_and_rights_it_would_have_on_the_embedded_stack(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["deploy.kubernetes", "login", "agents", "web"])
    assert generator.main() == 0
    objects = read(capsys.readouterr().out)
    assert list(amiss(objects)) == []
    *topics, user = objects
    login = Login(AGENTS, "web")
    assert {one["spec"]["topicName"] for one in topics} == {*login.topics_heard, *login.topics_spoken}
    assert user["metadata"]["name"] == "hotline-agents-web"
    writes = [
        acl["resource"]["name"]
        for acl in user["spec"]["authorization"]["acls"]
        if "Write" in acl["operations"]
    ]
    assert writes == ["intake.requests.web"]
    monkeypatch.setattr("sys.argv", ["deploy.kubernetes", "login", "relay"])
    with pytest.raises(SystemExit):
        generator.main()
    assert "no role “relay”: expected one of telephony" in capsys.readouterr().err


def test_roles_are_those_of_the_embedded_stack() -> None:
    (cluster,) = of_kind("Cluster")
    roles = cluster["spec"]["managed"]["roles"]
    logins = {role["name"]: tuple(role["inRoles"]) for role in roles if role["login"]}
    assert logins == {f"hotline_{name}_login": granted for name, granted in GRANTED.items()}
    groups = {role["name"] for role in roles if not role["login"]}
    assert groups == {group for granted in GRANTED.values() for group in granted}


# -- processes


def test_every_process_is_told_only_what_its_settings_know() -> None:
    assert SETTINGS.keys() == {program.name for program in PROGRAMS}
    for program in PROGRAMS:
        (one,) = [one for one in of_kind("Deployment") if one["metadata"]["name"] == program.name]
        (container,) = one["spec"]["template"]["spec"]["containers"]
        told = {line["name"] for line in container["env"]}
        known = {f"{program.prefix}_{field}".upper() for field in SETTINGS[program.name].model_fields}
        assert told <= known
        assert program.name in GRANTED


def test_a_secret_that_is_mounted_is_made_by_somebody() -> None:
    made = {one["metadata"]["name"] for one in of_kind("KafkaUser")}
    made |= {"hotline-cluster-ca-cert", "hotline-postgres-ca"}  # by the two operators, of their clusters
    made |= set(overlays.secrets_needed())
    assert {one["metadata"]["name"] for one in generator.new_secrets()} == set(overlays.secrets_needed())
    for one in (*of_kind("Deployment"), *of_kind("Job")):
        for volume in one["spec"]["template"]["spec"]["volumes"]:
            if "secret" in volume and not volume["secret"].get("optional"):  # a city may have those or not
                assert volume["secret"]["secretName"] in made, one["metadata"]["name"]


def test_the_operations_page_is_told_of_every_process_and_may_reach_it() -> None:
    (listed,) = [one for one in of_kind("ConfigMap") if one["metadata"]["name"] == "hotline-targets"]
    targets = json.loads(listed["data"]["targets.json"])
    assert [one["labels"]["job"] for one in targets] == [program.name for program in PROGRAMS]
    services = {one["metadata"]["name"]: one for one in of_kind("Service")}
    for one in targets:
        name, _, port = one["targets"][0].partition(":")
        spec = services[name]["spec"]
        assert spec["clusterIP"] == "None"
        assert spec["selector"]["app.kubernetes.io/name"] == one["labels"]["job"]
        assert [str(each["port"]) for each in spec["ports"]] == [port]
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    (out,) = policies["staff-observes"]["egress"]
    assert [each["port"] for each in out["ports"]] == [METRICS_PORT]
    assert any(
        one["from"] == [{"podSelector": {"matchLabels": labels("staff")}}]
        for one in policies["processes"]["ingress"]
    )


def test_every_pod_keeps_the_restricted_standard() -> None:
    for one in (*of_kind("Deployment"), *of_kind("Job")):
        spec = one["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec["automountServiceAccountToken"]
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        assert all({"secret", "configMap", "emptyDir"} & volume.keys() for volume in spec["volumes"])


def test_every_consumer_group_of_a_process_that_scales_is_watched() -> None:
    """By the groups that the doors of the services open, not by the table they are made from."""
    opened = {
        "intake.requests", "intake.calls", "dispatch.log", "dispatch.replies", "dispatch.reviews", "feedback.log",
        "feedback.visit-results", "feedback.exceptions",
    }  # fmt: skip
    watched = {
        trigger["metadata"]["consumerGroup"]
        for one in of_kind("ScaledObject")
        for trigger in one["spec"]["triggers"]
    }
    assert watched == opened
    for one in of_kind("ScaledObject"):
        assert one["spec"]["minReplicaCount"] == workloads.REPLICAS_MIN
        assert one["spec"]["maxReplicaCount"] == 4


def test_the_definitions_know_every_kind_that_is_no_own_one() -> None:
    if not DEFINITIONS.exists():
        pytest.skip("the data is not here")
    own = {"v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1"}
    kinds = {(one["apiVersion"], one["kind"]) for one in rendered("city") if one["apiVersion"] not in own}
    assert kinds <= validators().keys()
