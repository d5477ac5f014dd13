"""Parts of SVG that map and treemap share: a place that is a link, and text that fits. Pure.

No part has a style of its own: a strict CSP lets none through. Shades are classes, and their colours stand in the
style sheet.
"""

from __future__ import annotations

from html import escape
from typing import Final, NamedTuple

WIDE: Final = 0x2E80
"""From here on a character is as wide as it is high; before it about 0.6 of that."""
NARROW_SHARE: Final = 0.6
LETTERS_MIN: Final = 2
"""Fewer letters of a name tell nobody which it is."""
GENERIC_ENDS: Final = ("街道", "地区")
"""The kind of a place, which is left out where its name would not fit otherwise: 建外街道, 十八里店地区."""


class AreaMark(NamedTuple):
    """The looks of a place."""

    shade: int
    """See `hotline.web.pages.board.shades`."""
    value: str
    """Its figure in a few characters; empty where there is nothing to tell."""
    title: str
    """The same as a sentence: it is read out, and shown over the place."""
    href: str
    """The list behind it; empty where there is none."""


UNKNOWN_SHADE: Final = "unknown"
"""Of a place on the map that the catalogue does not know."""


def opened(kind: str, width: float, height: float, label: str) -> str:
    """The beginning of a picture; `label`: what it shows, in words."""
    frame = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg class="{kind}" {frame} role="group" aria-label="{escape(label)}">'


def link(mark: AreaMark | None, name: str, element_id: str, shape: str, *, again: bool = False) -> str:
    """A place as a link around its shape; `again`: it is the second one of its kind, and the keyboard passes over it.

    `shape` ends before its class: `<path d="…"`.
    """
    shade = UNKNOWN_SHADE if mark is None else str(mark.shade)
    drawn = f'{shape} class="area shade-{shade}"/>'
    title = f"<title>{escape(name if mark is None else mark.title)}</title>"
    if mark is None or not mark.href:
        return f'<g id="{escape(element_id)}">{title}{drawn}</g>'
    hidden = ' tabindex="-1" aria-hidden="true"' if again else ""
    return f'<a id="{escape(element_id)}" href="{escape(mark.href)}"{hidden}>{title}{drawn}</a>'


def text(x: float, y: float, said: str, kind: str, mark: AreaMark | None) -> str:
    """A text over a place, in the colour that its shade asks for."""
    shade = UNKNOWN_SHADE if mark is None else str(mark.shade)
    return f'<text class="{kind} on-{shade}" x="{x:.1f}" y="{y:.1f}" aria-hidden="true">{escape(said)}</text>'


def width_of(said: str, size: float) -> float:
    """About how wide a text is in a font of this size."""
    return sum(size if ord(char) >= WIDE else NARROW_SHARE * size for char in said)


def fitted(name: str, width: float, size: float) -> str:
    """As much of a name as fits: whole, without its kind, or its first letters; empty where that says nothing."""
    if width_of(name, size) <= width:
        return name
    short = next((name.removesuffix(end) for end in GENERIC_ENDS if name.endswith(end)), name)
    if width_of(short, size) <= width:
        return short
    while short and width_of(short, size) + size > width:
        short = short[:-1]
    return f"{short}…" if len(short) >= LETTERS_MIN else ""
