"""Sentences of docstrings, help texts and documents have a subject that names somebody or something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("services", "shared", "deploy", "hotline")
PAGES: Final = (
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md",
    "docs/backup.md", "docs/glossary.md", "docs/integration.md", "docs/performance.md", "docs/reliability.md",
    "docs/runbook.md",
)  # fmt: skip

NAMES_NOBODY: Final = re.compile(r"(?:Who|Whoever|Whose|What|Whatever)\b")

# What is not mended yet, a file or a folder. This set only shrinks: an entry that is no longer needed fails its test.
NOT_MENDED: Final[set[str]] = {
    "services/dispatch/decisions",
    "services/dispatch/inbound.py",
    "services/dispatch/rules.py",
    "services/feedback/rules.py",
    "services/intake/decisions",
    "services/intake/inbound.py",
    "shared/deciding.py",
    "shared/events",
    "shared/inputs/__init__.py",
    "shared/inputs/base.py",
    "shared/inputs/replies.py",
    "shared/inputs/requests.py",
}


def _sentences(text: str) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "CODE", text)
    for paragraph in re.split(r"\n\s*\n|\n\s*(?:[-*#|]|\d+\.) *", text):
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z\"(])", " ".join(paragraph.replace("**", "").split()))


def _docstrings(module: ast.Module) -> Iterator[str]:
    """Of modules, classes, functions, fields and constants, and every `help` of a command."""
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                yield node.value.value
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield "\n\n".join(
                one.value
                for one in ast.walk(node.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def _texts() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield page, (ROOT / page).read_text(encoding="utf-8")
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for text in _docstrings(ast.parse(file.read_text(encoding="utf-8"))):
                yield str(file.relative_to(ROOT)), text


def _found() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in _texts():
        for sentence in _sentences(text):
            if NAMES_NOBODY.match(sentence) and not sentence.endswith("?"):
                found.setdefault(name, []).append(sentence)
    return found


def test_sentences_that_name_nobody_are_found() -> None:
    module = ast.parse(
        '"""Mends it. Whoever reads\nthis."""\nOption(help="What it is." "")\nx = 1\n"""Who?"""\n'
    )
    told = [one for text in _docstrings(module) for one in _sentences(text) if NAMES_NOBODY.match(one)]
    assert sorted(told) == ["What it is.", "Who?", "Whoever reads this."]


def test_no_sentence_begins_with_who_or_what_as_its_subject() -> None:
    found = _found()
    left = {one: [name for name in found if name == one or name.startswith(one + "/")] for one in NOT_MENDED}
    excused = {name for names in left.values() for name in names}
    assert {name: told for name, told in found.items() if name not in excused} == {}
    assert [one for one, names in left.items() if not names] == [], "mended: take it out of the set"
