"""No product file, function or signature is too long to be taken in at once, and a class name stands once."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("services", "shared", "deploy", "hotline")

LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
PARAMETERS_MAX: Final = 12

Function = ast.FunctionDef | ast.AsyncFunctionDef

# What is still too long. These sets only shrink: an entry that is no longer needed fails its test.
LONG_FILES: Final[set[str]] = set()
LONG_FUNCTIONS: Final[set[str]] = set()
WIDE_SIGNATURES: Final[set[str]] = set()
CLASSES_NAMED_TWICE: Final[set[str]] = set()

OF_EACH_PROCESS: Final = {"Settings"}
"""A class that every process has under the same name."""


@cache
def _modules() -> dict[str, tuple[int, ast.Module]]:
    """By path: how many lines, and what it holds."""
    found = {}
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            found[str(file.relative_to(ROOT))] = (len(text.splitlines()), ast.parse(text))
    return found


@pytest.fixture(autouse=True, scope="module")
def _let_go() -> Iterator[None]:
    """Give the trees back: with them, a full collection in a later test of this process takes a second."""
    yield
    _modules.cache_clear()


def _functions() -> Iterator[tuple[str, Function]]:
    for name, (_, module) in _modules().items():
        for node in ast.walk(module):
            if isinstance(node, Function):
                yield f"{name} {node.name}", node


def _parameters(function: Function) -> int:
    told = function.args
    named = (*told.posonlyargs, *told.args, *told.kwonlyargs)
    return len(named) + (told.vararg is not None) + (told.kwarg is not None)


def test_the_product_is_found() -> None:
    assert {name.split("/")[0] for name in _modules()} == set(PRODUCT)


def test_no_file_is_longer_than_400_lines() -> None:
    assert {name for name, (lines, _) in _modules().items() if lines > LINES_MAX} == LONG_FILES


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        name
        for name, node in _functions()
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    }
    assert long == LONG_FUNCTIONS


def test_no_function_takes_more_than_12_parameters() -> None:
    wide = {name for name, node in _functions() if _parameters(node) > PARAMETERS_MAX}
    assert wide == WIDE_SIGNATURES


def test_a_class_name_stands_once() -> None:
    """But for private classes, which nobody else can mean."""
    names = Counter(
        node.name
        for _, module in _modules().values()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, number in names.items() if number > 1} - OF_EACH_PROCESS == CLASSES_NAMED_TWICE
