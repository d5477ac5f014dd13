"""The list of an image's parts (CycloneDX) from what `uv export` makes of the lock file; standard input to output.

It leaves out what another system would need, and what changes from one export to the next.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from packaging.markers import Marker


def narrowed(exported: dict[str, Any]) -> dict[str, Any]:
    """The same without parts of other systems, without serial number, time and addresses of downloads."""
    told = {key: value for key, value in exported.items() if key != "serialNumber"}
    told["metadata"] = {key: value for key, value in exported["metadata"].items() if key != "timestamp"}
    told["components"] = [
        {key: value for key, value in part.items() if key != "externalReferences"}
        for part in exported["components"]
        if _is_here(part)
    ]
    here = {part["bom-ref"] for part in told["components"]} | {told["metadata"]["component"]["bom-ref"]}
    told["dependencies"] = [
        {
            **line,
            **(
                {"dependsOn": [ref for ref in line["dependsOn"] if ref in here]}
                if "dependsOn" in line
                else {}
            ),
        }
        for line in exported["dependencies"]
        if line["ref"] in here
    ]
    return told


def _is_here(part: dict[str, Any]) -> bool:
    markers = [p["value"] for p in part.get("properties", ()) if p["name"] == "uv:package:marker"]
    return all(Marker(marker).evaluate() for marker in markers)


if __name__ == "__main__":
    json.dump(narrowed(json.load(sys.stdin)), sys.stdout, indent=1)
    sys.stdout.write("\n")
