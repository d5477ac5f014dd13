"""Sentences of docstrings, comments, help texts and pages have a subject and at most 25 words; pages wrap at 110.

Tables, code, headings and lists of names are excused. A name in code counts as one word, a run of them as one.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("services", "shared", "deploy", "hotline")
GENERATED: Final = {"docs/calls.md", "docs/life.md", "docs/rules.md"}
"""Made from sentences of the code; their lines are as long as those."""
PAGES: Final = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "deploy/migrations/README.md",
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")),
)

NAMES_NOBODY: Final = re.compile(r"(?:Who|Whoever|Whose|What|Whatever)\b")
WORDS_MAX: Final = 25
COLUMNS_MAX: Final = 110


def _sentences(text: str) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"CODE(?:(?:,|;| and| or)* CODE)+", "CODE", text)
    text = re.sub(r"\[[^\]]*\]\([^)\s]*\)", "LINK", text)
    for paragraph in re.split(r"\n\s*(?:[-*#|]|\d+\.) +|\n\s*\n", "\n" + text):
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z\"(])", " ".join(paragraph.replace("*", "").split()))


def _prose(page: str) -> str:
    """A page without its code, its tables and its headings."""
    text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return "\n".join("" if re.match(r"\s*[|#]", line) else line for line in text.split("\n"))


def _without_lists(docstring: str) -> str:
    """A docstring without lists of names: rows with a name and two blanks, and what stands indented below them."""
    lines = inspect.cleandoc(docstring).split("\n")
    return "\n".join("" if re.match(r" {4}|\S+ {2,}\S", line) else line for line in lines)


def _docstrings(module: ast.Module) -> Iterator[str]:
    """Of modules, classes, functions, fields and constants, and every `help` of a command."""
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                yield _without_lists(node.value.value)
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield "\n\n".join(
                one.value
                for one in ast.walk(node.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def _comments(source: str) -> Iterator[str]:
    """Each block of comment lines as one text; what a `noqa` excuses is its reason."""
    block: list[str] = []
    after = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        alone = token.line.lstrip().startswith("#")
        if block and not (alone and token.start[0] == after):
            yield " ".join(block)
            block = []
        said = token.string.lstrip("# ")
        block.append(said.partition(" -- ")[2] if said.startswith(("noqa", "type:", "fmt:")) else said)
        after = token.start[0] + 1 if alone else 0
    yield " ".join(block)


def _texts() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield page, _prose((ROOT / page).read_text(encoding="utf-8"))
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            for text in (*_docstrings(ast.parse(source)), *_comments(source)):
                yield str(file.relative_to(ROOT)), text


def _names_nobody(sentence: str) -> bool:
    return NAMES_NOBODY.match(sentence) is not None and not sentence.endswith("?")


def _is_long(sentence: str) -> bool:
    return len(sentence.split()) > WORDS_MAX


@cache
def _all_sentences() -> tuple[tuple[str, str], ...]:
    return tuple((name, sentence) for name, text in _texts() for sentence in _sentences(text))


def _found(wrong: Callable[[str], bool]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, sentence in _all_sentences():
        if wrong(sentence):
            found.setdefault(name, []).append(sentence)
    return found


def test_sentences_that_name_nobody_are_found() -> None:
    module = ast.parse(
        '"""Mends it. Whoever reads\nthis."""\nOption(help="What it is." "")\nx = 1\n"""Who?"""\n'
    )
    told = [one for text in _docstrings(module) for one in _sentences(text) if NAMES_NOBODY.match(one)]
    assert sorted(told) == ["What it is.", "Who?", "Whoever reads this."]


def test_comments_are_read_block_by_block() -> None:
    source = "# One\n# thought.\nx = 1  # What is it.\ny = 2  # noqa: E501 -- a reason\n# Alone.\n"
    assert list(_comments(source)) == ["One thought.", "What is it.", "a reason", "Alone."]


def test_long_sentences_are_found_and_lists_of_names_are_not() -> None:
    words = "word " * WORDS_MAX
    module = ast.parse(
        f'"""Holds it.\n\nHears    {words}\n         {words}\n    {words}\n\nA {words.strip()}."""'
    )
    found = [one for text in _docstrings(module) for one in _sentences(text) if _is_long(one)]
    assert found == [f"A {words.strip()}."]
    tables = f"# A {words}\n\n| A {words}|\n\n```\n{words} one\n```\n"
    page = f"{tables}- {words}one `two`, `three` and `four`.\n- {words.strip()}."
    assert [one for one in _sentences(_prose(page)) if _is_long(one)] == [f"{words}one CODE."]


def test_no_sentence_begins_with_who_or_what_as_its_subject() -> None:
    assert _found(_names_nobody) == {}


def test_no_sentence_has_more_than_25_words() -> None:
    assert _found(_is_long) == {}


def test_pages_wrap_at_110_columns() -> None:
    wide = [
        f"{page}: {line}"
        for page in PAGES
        if page not in GENERATED
        for line in _prose((ROOT / page).read_text(encoding="utf-8")).split("\n")
        if len(line) > COLUMNS_MAX and len(line.split()) > 1
    ]
    assert wide == []
