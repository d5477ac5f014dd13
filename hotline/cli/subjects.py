"""`hotline subjects`: the subjects of the catalogue, who answers for each, and its proposed class."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from hotline.cli.run import Json
from hotline.terminal import say, say_json


def subjects(
    word: Annotated[str, typer.Argument(help="Only those with this word in the name.")] = "",
    *,
    json: Json = False,
) -> None:
    """List the subjects a request may have: who answers for each, and the class that the rule set proposes."""
    from deploy.city.registry import remembered
    from shared.policy.catalogue import To, catalogue
    from shared.policy.ruleset import ruleset
    from shared.text import folded
    from shared.versions import RULESET

    city = remembered()
    known = catalogue(city.catalogue if city is not None else "")
    rules = ruleset(city.ruleset if city is not None else RULESET)
    rows = [
        {
            "subject": name,
            "answers": line.unit if line.to is To.UNIT else line.to,
            "co_units": list(line.co_units),
            "urgency": rules.class_for(name),
        }
        for name, line in known.subjects.items()
        if folded(word) in name
    ]
    if json:
        say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        helpers = f", with {', '.join(row['co_units'])}" if row["co_units"] else ""
        say(f"{row['urgency']:12} {row['subject']}  {row['answers']}{helpers}")
    if not rows:
        say(f"No subject of catalogue {known.version} has that word in its name.")
