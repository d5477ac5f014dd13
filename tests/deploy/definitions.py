"""Objects of Kubernetes against the definitions of their kinds, as strictly as its API server's strict mode.

Own kinds are checked by the schemas of `kubernetes-validate`, the operators' by their definitions. Those lie in data
that the project does not hand on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml

DEFINITIONS: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "crds"
VERSION: Final = "1.34"
Validators = Mapping[tuple[str, str], jsonschema_rs.Validator]


def amiss(objects: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each field that its kind does not know or does not take; `KeyError` for a kind nobody defines."""
    import kubernetes_validate

    for one in objects:
        at = f"{one['kind']} {one['metadata']['name']}"
        validator = validators().get((one["apiVersion"], one["kind"]))
        if validator is not None:
            for error in validator.iter_errors(one):
                yield f"{at}: {'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
            continue
        try:
            kubernetes_validate.validate(one, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{at}: {'/'.join(map(str, error.path))}: {error.message[:200]}"


@cache
def validators() -> Validators:
    """For each version of an operator's kind."""
    found: dict[tuple[str, str], jsonschema_rs.Validator] = {}
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        for definition in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if not definition or definition.get("kind") != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = dict(version["schema"]["openAPIV3Schema"])
                anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                text = {"type": "string"}
                schema["properties"] = {
                    **schema["properties"],
                    "metadata": anything,
                    "apiVersion": text,
                    "kind": text,
                }
                key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[key] = jsonschema_rs.validator_for(_closed(schema))
    return found


def _closed(node: Any) -> Any:
    """The schema as the API server reads it: a field it does not name is refused."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        either = [{"type": "integer"}, {"type": "string"}]
        node = {key: value for key, value in node.items() if key != "type"} | {"anyOf": either}
    told = {key: _closed(value) for key, value in node.items()}
    open_ended = "additionalProperties" in told or told.get("x-kubernetes-preserve-unknown-fields")
    if told.get("type") == "object" and "properties" in told and not open_ended:
        told["additionalProperties"] = False
    if told.pop("nullable", False) and "type" in told:
        told["type"] = [told["type"], "null"]
    return told
