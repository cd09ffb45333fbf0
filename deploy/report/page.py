"""The report as one page that needs nothing else: no script, no address that is loaded, pictures within."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from deploy.report.document import Block, Items, Part, Picture, Text

_NAMED = re.compile(r'(\bid="|url\(#|\bhref="#)')
PREFACE: tuple[Block, ...] = (
    Text(
        "This is for the people who do the work, to talk over together. It says what events show and where they end; it"
        " does not say why, and it judges nobody. Nothing is ranked: rows stand in alphabetical order."
    ),
    Items(
        (
            "A figure is the share of observations that went well, from 0 to 1, with a 90 % interval and n, the"
            " number of observations.",
            "“Not observed”, “hidden: too few people” and “not enough data” are answers. None of them is a zero.",
            "Times are UTC where nothing else is said. Figures cover whole weeks, months or quarters.",
            "Under each picture stands what it shows; the tables hold the same figures.",
        )
    ),
)
CLOSING = (
    "Made with Tieline from views that every reader may see. Figures are proxies aligned with relational"
    " coordination, not relational coordination scores."
)


def page(title: str, about: str, parts: Sequence[Part]) -> str:
    """HTML, the same bytes for the same parts. Every text is escaped; only pictures are put in as they are."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    numbers = itertools.count(1)
    environment.filters["picture"] = lambda each: _picture(each, f"picture-{next(numbers)}")
    folder = files("deploy.report")
    template = environment.from_string(folder.joinpath("page.html.j2").read_text("utf-8"))
    return template.render(
        title=title,
        about=about,
        parts=parts,
        preface=PREFACE,
        closing=CLOSING,
        css=Markup(folder.joinpath("page.css").read_text("utf-8")),  # our own file
    )


def _picture(each: Picture, name: str) -> Markup:
    """The SVG, which escapes its own texts, as an image with words for those who do not see it.

    Args:
        name: stands before its ids, which are otherwise those of every picture.
    """
    opened = _NAMED.sub(rf"\1{name}-", each.svg).replace(
        "<svg", f'<svg role="img" aria-label="{escape(each.alternative)}"', 1
    )
    return Markup(opened)
