"""Nobody logs in as the owner of a city's database but those named here, each for its reason (decision 0046)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OWNERS: Final = {
    "deploy/city/endpoints.py": "holds it",
    "deploy/city/making.py": "makes a city and migrates it",
    "deploy/city/registry.py": "says where a city is reached",
    "deploy/city/deployed.py": "says the same of a city on servers of somebody else",
    "deploy/city/prepare.py": "the job that migrates such a city",
    "hotline/upkeep/backup.py": "dumps the whole database",
    "hotline/cli/demo.py": "hands it to the laboratory's conductor",
    "hotline/cli/up.py": "lets the laboratory fill its ports again in a city of its own",
    "hotline/cli/backup.py": "the same of a city that is restored",
}
LABORATORY: Final = "hotline/lab/"
"""Makes cities, breaks them, fills them for a benchmark."""


def _with(pattern: str) -> set[str]:
    return {
        str(file.relative_to(ROOT))
        for folder in ("services", "shared", "hotline", "deploy")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(pattern, file.read_text(encoding="utf-8"))
    }


def test_only_these_modules_name_the_owners_login() -> None:
    assert {name for name in _with(r"\bowner_dsn\b") if not name.startswith(LABORATORY)} == set(OWNERS)


def test_only_these_modules_make_a_login_of_the_servers_own() -> None:
    """`Addresses.database` is the owner's login to any database of the stack."""
    found = {name for name in _with(r"addresses\.database\(") if not name.startswith(LABORATORY)}
    assert found == {"deploy/city/making.py", "deploy/city/registry.py", "hotline/upkeep/restore.py"}
