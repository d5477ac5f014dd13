"""The contract of HTTP, as it stands in docs/.

`python -m hotline.contract.openapi FILE` writes it, `--check FILE` fails where the file is not what the code says.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from hotline.web.document import document
from hotline.web.routes import ROUTES


def text() -> str:
    """The contract of every route."""
    return msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=2).decode() + "\n"


def main() -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    file: Path = arguments.file
    made = text()
    if not arguments.check:
        file.write_text(made, encoding="utf-8")
        return 0
    if file.exists() and file.read_text(encoding="utf-8") == made:
        return 0
    print(
        f"{file} is not what the code says: run `python -m hotline.contract.openapi {file}`", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
