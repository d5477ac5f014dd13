"""`hotline unit`: be a department."""

from __future__ import annotations

from importlib import import_module

from hotline.cli.unit.app import commands as unit

for _matter in ("listing", "orders", "requests", "whistles", "offers", "login"):  # as the help lists them
    import_module(f"{__name__}.{_matter}")

__all__ = ["unit"]
