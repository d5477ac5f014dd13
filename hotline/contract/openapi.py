"""The contract of HTTP, as it stands in docs/.

`python -m hotline.contract.openapi FILE` writes it, `--check FILE` fails where the file is not what the code says.
"""

from __future__ import annotations

import msgspec

from hotline.contract.writing import write_or_check
from hotline.web.document import document
from hotline.web.routes import ROUTES


def text() -> str:
    """The contract of every route."""
    return msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=2).decode() + "\n"


def main() -> int:
    """Write or check the file."""
    return write_or_check(text, module="hotline.contract.openapi", about=__doc__ or "", made_of="routes")


if __name__ == "__main__":
    raise SystemExit(main())
