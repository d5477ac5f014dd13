"""What can go wrong with the stack, said to a person."""

from __future__ import annotations


class StackError(Exception):
    """One clear sentence: what is wrong and what to do; shown without a stack trace."""
