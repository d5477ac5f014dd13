"""Templates and texts: one environment of Jinja for each language."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hotline.readside.standing import AsOf
from hotline.web.pages.assets import address_of
from hotline.web.pages.catalogues import N_, translations_of
from hotline.web.pages.fact_words import LABELS
from hotline.web.pages.look import Language, PageLook, Theme
from hotline.web.pages.naming import NAMES
from hotline.web.pages.reasons import reason
from hotline.web.pages.telling_time import clock, due, instant, span

LATE_AFTER: Final = timedelta(seconds=10)
"""Lists that are further behind call themselves stale."""
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Of every page, without an exception: no script and no style stands in one."""


@cache
def environment(language: Language) -> Environment:
    """The templates in this language."""
    env = Environment(
        loader=PackageLoader("hotline.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    texts = translations_of(language)
    env.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    env.globals |= {"asset": address_of, "language": language, "languages": Language, "themes": Theme}
    env.globals["labels"] = LABELS
    env.filters |= {
        "name": lambda code, kind: named(language, kind, code),
        "instant": instant,
        "clock": clock,
        "late": is_late,
        "as_of": lambda standing, now: as_of_words(PageLook(language), standing, now),
        "reason": partial(reason, language),
        "span": lambda seconds: span(texts.gettext, seconds),
        "due": lambda one, now: due(texts.gettext, one, now),
    }
    return env


def named(language: Language, kind: str, code: str) -> str:
    """The word of a code in this language; the code itself where it is none of ours, as of a city's own catalogue."""
    text = NAMES[kind].get(code)
    return code if text is None else translations_of(language).gettext(text)


def is_late(standing: AsOf) -> bool:
    """Whether lists are so far behind that a reader must know."""
    return standing.going or standing.behind > LATE_AFTER


def as_of_words(look: PageLook, standing: AsOf, now: datetime) -> str:
    """As of when lists are, in a sentence."""
    texts = translations_of(look.language)
    if standing.going:
        return texts.gettext(N_("The lists are being made: complaints may be missing here."))
    if is_late(standing):
        behind = span(texts.gettext, standing.behind.total_seconds())
        return texts.gettext(N_("▲ These lists are %(span)s behind the log.")) % {"span": behind}
    told = {"time": clock(now - standing.behind), "position": f"{standing.position:,}"}
    return texts.gettext(N_("As of %(time)s, position %(position)s of the log")) % told


def rendered(look: PageLook, template: str, **values: Any) -> str:
    """A template with these values."""
    return environment(look.language).get_template(template).render(look=look, **values)


def block(look: PageLook, template: str, name: str, **values: Any) -> Markup:
    """One block of a template: a region of a page, as it is sent when it changes."""
    made = environment(look.language).get_template(template)
    return Markup("".join(made.blocks[name](made.new_context({"look": look, **values}))))  # noqa: S704 -- escaped in the template
