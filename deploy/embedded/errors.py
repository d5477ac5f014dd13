"""What can go wrong with the stack, said to a person."""

from __future__ import annotations

from shared.runtime.errors import UserError


class StackError(UserError):
    """The embedded stack cannot do what was asked."""
