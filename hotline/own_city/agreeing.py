"""Where one file of a city names what another file does not have."""

from __future__ import annotations

from collections.abc import Iterator

from hotline.contract.rulebook import rules
from hotline.scoring.inhabitants import InhabitantFigures
from shared.events import Urgency, WhistleKind
from shared.policy.catalogue import Catalogue
from shared.policy.city_map import WrittenOutlines
from shared.policy.flaws import Flaw
from shared.policy.ruleset_file import WrittenRuleSet
from shared.text import folded, shown

_UNKNOWN = "is not in the catalogue"


def ruleset_flaws(written: WrittenRuleSet, known: Catalogue | None) -> Iterator[Flaw]:
    """Ids that the rule book does not have; subjects and districts that the catalogue does not have."""
    for name, basis in written.basis.items():
        rule = basis.get("id", "")
        if rule and rule not in rules():
            yield Flaw(("basis", name), f"rule '{shown(rule)}' is none: `hotline rules` lists them")
    if known is None:
        return
    for urgency in Urgency:
        for subject in getattr(written.classes, urgency).subjects:
            if folded(subject) not in known.subjects:
                yield Flaw(("classes", str(urgency), "subjects"), f"subject '{shown(subject)}' {_UNKNOWN}")
    for kind in WhistleKind:
        for district in getattr(written.whistle, kind).arrival_in:
            if folded(district) not in known.districts:
                at = ("whistle", str(kind), "arrival_in", district)
                yield Flaw(at, f"district '{shown(district)}' {_UNKNOWN}")


def figures_flaws(figures: InhabitantFigures, known: Catalogue) -> Iterator[Flaw]:
    """Districts and units of the counts that the catalogue does not have; districts that the last count leaves out."""
    for place, count in enumerate(figures.counts):
        for district in count.districts:
            if folded(district) not in known.districts:
                at = ("counts", place, "districts", district)
                yield Flaw(at, f"district '{shown(district)}' {_UNKNOWN}")
        for unit in count.units:
            if unit not in known.units:
                yield Flaw(("counts", place, "units", unit), f"unit '{shown(unit)}' {_UNKNOWN}")
    if not figures.counts:
        yield Flaw(("counts",), "expected one count at least")


def map_flaws(outlines: WrittenOutlines, known: Catalogue) -> Iterator[Flaw]:
    """Districts without an outline, and outlines of no district."""
    drawn = {folded(one.properties.name) for one in outlines.features}
    for district in known.districts:
        if district not in drawn:
            yield Flaw((), f"district '{shown(district)}' of the catalogue has no outline")
    for place, one in enumerate(outlines.features):
        if folded(one.properties.name) not in known.districts:
            yield Flaw(("features", place), f"district '{shown(one.properties.name)}' {_UNKNOWN}")
