"""`python -m deploy.image.build TAG`: builds the image of a commit with buildah; the same commit gives the same digest.

The commit is handed in as git keeps it, not as the work tree stands: every file with its own mode, nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Final

CONTAINERFILE: Final = "deploy/image/Containerfile"
CA: Final = "SSL_CERT_FILE"
"""The variable that names certificates of a registry of one's own."""


def build(project: Path, tag: str, *, base: str = "", revision: str = "HEAD", network: str = "host") -> str:
    """Build the image of a commit; returns its digest. `base` stands in for the Containerfile's own."""
    commit = _said(project, "git", "rev-parse", revision)
    made_at = _said(project, "git", "show", "--no-patch", "--format=%ct", commit)
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        archive = context / "commit.tar"
        _run(project, "git", "archive", "--format=tar", f"--output={archive}", commit)
        with tarfile.open(archive) as files:
            files.extractall(context, filter="data")
        archive.unlink()
        certificates = os.environ.get(CA, "")
        _run(
            context,
            *(
                "buildah",
                "bud",
                "--quiet",
                "--isolation",
                "chroot",
                "--format",
                "docker",
                "--network",
                network,
            ),
            *("--timestamp", made_at, "--tag", tag, "--file", CONTAINERFILE),
            *("--build-arg", f"SOURCE_DATE_EPOCH={made_at}", "--build-arg", f"REVISION={commit}"),
            *(("--build-arg", f"BASE={base}") if base else ()),
            *(("--secret", f"id=ca,src={certificates}") if certificates else ()),
            str(context),
        )
        return _settle(tag, context / "image")


def _settle(tag: str, folder: Path) -> str:
    """Take out of an image which container it was made in, and give it back to the engine; returns its digest.

    The format has a health check, OCI's own has none. But its settings name that container by random numbers.
    """
    _run(Path.cwd(), "buildah", "push", "--quiet", tag, f"dir:{folder}")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    config = json.loads((folder / _name(manifest["config"]["digest"])).read_bytes())
    del config["container"]
    for part in (config["config"], config.pop("container_config")):
        part.pop("Hostname", None)
    settled = json.dumps(config, separators=(",", ":")).encode()
    manifest["config"] |= {"digest": f"sha256:{sha256(settled).hexdigest()}", "size": len(settled)}
    (folder / _name(manifest["config"]["digest"])).write_bytes(settled)
    (folder / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")), encoding="utf-8")
    image = _said(Path.cwd(), "buildah", "pull", "--quiet", f"dir:{folder}")
    _run(Path.cwd(), "buildah", "tag", image, tag)
    return digest(tag)


def _name(of: str) -> str:
    return of.partition(":")[2]


def digest(tag: str) -> str:
    """The digest of an image that the engine has."""
    return _said(Path.cwd(), "buildah", "inspect", "--type", "image", "--format", "{{.FromImageDigest}}", tag)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)  # noqa: S603 -- programs named above


def _said(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603 -- the same
    return done.stdout.strip()


def main() -> None:
    """Build by the command line's words, and say how long it took."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("tag")
    words.add_argument(
        "--base", default="", help="an image of the engine to stand on, instead of the public one"
    )
    words.add_argument("--revision", default="HEAD")
    told = words.parse_args()
    began = time.monotonic()
    found = build(Path.cwd(), told.tag, base=told.base, revision=told.revision)
    print(f"{told.tag} {found} in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
