"""A made-up file of Boston's 311 requests, with the real one's columns; each row says what the city would say."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import zstandard

COLUMNS: Final = (
    "case_enquiry_id", "open_dt", "target_dt", "closed_dt", "ontime", "case_title", "type", "department",
    "neighborhood", "source",
)  # fmt: skip

Row = dict[str, str]


def row(case_id: str, open_dt: str, target_dt: str, closed_dt: str, ontime: str, **others: str) -> Row:
    """One request; the four times and the flag as the file would spell them."""
    told = {
        "case_enquiry_id": case_id,
        "open_dt": open_dt,
        "target_dt": target_dt,
        "closed_dt": closed_dt,
        "ontime": ontime,
        "case_title": "Street Light Outages",
        "type": "Street Light Outages",
        "department": "PWDx",
        "neighborhood": "Roslindale",
        "source": "Self Service",
    }
    return told | others


def written(file: Path, rows: Iterable[Row]) -> Path:
    """The rows as a file, compressed where its name says so."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()
    file.write_bytes(zstandard.compress(raw) if file.suffix == ".zst" else raw)
    return file


_CASES: Final = (
    # How long the city gave, how long it took (None: never closed), what it said itself.
    (timedelta(days=14), timedelta(hours=3), "ONTIME"),
    (timedelta(days=2), timedelta(days=2), "ONTIME"),  # on the very instant
    (timedelta(days=2), timedelta(days=2, seconds=1), "OVERDUE"),
    (timedelta(days=4), timedelta(days=60), "OVERDUE"),
    (timedelta(days=1), None, "OVERDUE"),
)
_KINDS: Final = (
    ("Street Light Outages", "PWDx", "Roslindale"),
    ("Pothole", "PWDx", "Hyde Park"),
    ("Tree in Park", "PARK", "Jamaica Plain"),
)


def season(number: int) -> list[Row]:
    """So many requests, an hour and 37 minutes apart, over the night in which the clock is put back."""
    rows = []
    for n in range(number):
        given, taken, flag = _CASES[n % len(_CASES)]
        opened = datetime(2011, 11, 2, 9, 0, 7) + n * timedelta(minutes=97)
        kind, department, neighborhood = _KINDS[n % len(_KINDS)]
        rows.append(
            row(
                f"1010{n:08}",
                f"{opened}",
                f"{opened + given}",
                "" if taken is None else f"{opened + taken}",
                flag,
                type=kind,
                case_title=kind,
                department=department,
                neighborhood=neighborhood,
            )
        )
    return rows
