"""Errors of the stack, as sentences for a person."""

from __future__ import annotations

from shared.runtime.errors import UserError


class StackError(UserError):
    """The embedded stack cannot do what was asked."""
