"""Rates of whole numbers: exact until a person reads them. Pure."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def ratio(number: int, of: int | None) -> Fraction | None:
    """None where there is nothing to divide by (T14)."""
    return Fraction(number, of) if of else None


def two_decimals(value: Fraction | None) -> Decimal | None:
    """Rounded for people, a half away from zero."""
    if value is None:
        return None
    hundredths = abs(value) * 100
    whole = int(hundredths + Fraction(1, 2))
    return (Decimal(whole) / 100).quantize(Decimal("0.01")).copy_sign(Decimal(-1 if value < 0 else 1))
