"""Types that a generator makes from the published contract."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

CONTRACT: Final[dict[str, Any]] = msgspec.json.decode(
    (Path(__file__).parents[1] / "docs" / "asyncapi.json").read_bytes()
)
SCHEMAS: Final[dict[str, Any]] = CONTRACT["components"]["schemas"]


def python_types(folder: Path) -> ModuleType:
    """Pydantic models of the contract, made by datamodel-code-generator, in a module."""
    source, made = folder / "schemas.json", folder / "hotline_types.py"
    wrapped = {
        "openapi": "3.1.0",
        "info": CONTRACT["info"],
        "paths": {},
        "components": {"schemas": SCHEMAS},
    }
    source.write_bytes(msgspec.json.encode(wrapped))
    subprocess.run(
        (
            sys.executable, "-W", "ignore", "-m", "datamodel_code_generator",
            "--input", source, "--input-file-type", "openapi", "--output", made,
            "--output-model-type", "pydantic_v2.BaseModel", "--target-python-version", "3.11",
            "--formatters", "ruff-format",
        ),
        check=True,
        timeout=300,
    )  # fmt: skip
    spec = importlib.util.spec_from_file_location("hotline_types", made)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hotline_types"] = module
    spec.loader.exec_module(module)
    return module
