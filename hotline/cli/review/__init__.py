"""`hotline review`: be the reviewers, or write down what a council decided."""

from __future__ import annotations

from importlib import import_module

from hotline.cli.review.app import commands as review

for _matter in ("listing", "deciding", "calendar"):  # as the help lists them
    import_module(f"{__name__}.{_matter}")

__all__ = ["review"]
