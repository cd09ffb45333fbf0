"""A dashboard as a page. Everything in it is there before a script runs, but for charts and what comes later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from deploy.board.choice import Choice
from deploy.board.controls import controls
from deploy.board.drawing.drawing import Drawing, Mark
from deploy.board.figures import day, moment
from deploy.board.look import title
from deploy.board.markup import Html, joined, prose, tag
from deploy.board.variables import Options
from deploy.dashboards.dashboard import Dashboard, Section
from deploy.dashboards.macros import TimeRange
from deploy.dashboards.panel import Panel

EMPTY = (
    "No event has arrived yet. This page fills by itself as soon as one does: send events to the topic"
    " `tieline.events`, or import a log with `tieline import`."
)


def page(
    choice: Choice,
    dashboards: Sequence[Dashboard],
    options: Options,
    drawings: Mapping[str, Drawing],
    parts: Mapping[str, Html],
    assets: Mapping[str, str],
    theme: str,
) -> str:
    """The whole document.

    Args:
        drawings: by panel key; panels without one say that they are being looked at.
        parts: `notice` and `period`.
        assets: addresses of `style`, `script` and `echarts`.
        theme: `light`, `dark`, or empty: as the system has it.
    """
    dashboard = choice.dashboard
    charts = {key: drawing.chart for key, drawing in drawings.items() if drawing.chart}
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{dashboard.title} · Tieline"),
        tag("link", rel="icon", href=assets["icon"]),
        tag("link", rel="stylesheet", href=assets["style"]),
        tag("script", type="module", src=assets["script"]),
    )
    body = tag(
        "body",
        tag("a", "Skip to the figures", href="#main", class_="skip"),
        _header(choice, dashboards, options),
        tag(
            "main",
            tag("div", parts.get("notice"), id="notice", role="status"),
            tag("noscript", tag("p", "Charts and live figures need JavaScript; tables are as of when the page came.")),
            tag("h1", dashboard.title),
            tag("p", dashboard.about, class_="about"),
            tag("div", parts.get("period"), id="period"),
            *(_section(section, options, drawings, number) for number, section in enumerate(dashboard.sections)),
            id="main",
            tabindex="-1",
        ),
        tag(
            "footer",
            tag("p", "Figures are of roles, never of people. They are proxies of relational coordination, not scores."),
        ),
        Html(f'<script type="application/json" id="charts">{_json(charts)}</script>'),
        data_echarts=assets["echarts"],
        data_live=f"/live/{dashboard.key}",
        class_="wall" if choice.wall else None,
    )
    return f"<!doctype html>{tag('html', head, body, lang='en', data_theme=theme or None)}"


def part_ids(panel: Panel) -> tuple[str, str]:
    """Where a panel's title and its body stand in the page."""
    return f"title-{panel.key}", f"body-{panel.key}"


def body(panel: Panel, drawing: Drawing | None) -> Html:
    if drawing is None:
        return tag("p", "looking …", class_="waiting")
    if drawing.covers is None or drawing.chart is None:  # tables and figures say it themselves
        return drawing.html
    start, end = drawing.covers
    return joined(tag("p", f"covers {moment(start)} to {moment(end)}", class_="covers"), drawing.html)


def period(choice: Choice, time_range: TimeRange, marks: Sequence[Mark]) -> Html:
    """Which period the figures are of, and what was tried in it."""
    if choice.dashboard.refresh_s:
        return joined(
            tag("p", "What is open or counted now is of this moment; charts cover the chosen period.", class_="covers")
        )
    chosen = tag("strong", f"{day(time_range.start)} – {day(time_range.end)}")
    line = tag(
        "p",
        joined("Chosen period: ", chosen, ". Figures of quality cover the whole weeks, months or quarters within it."),
        class_="covers",
    )
    return joined(line, _marks(marks))


def _marks(marks: Sequence[Mark]) -> Html | None:
    if not marks:
        return None
    items = (
        tag(
            "li",
            tag("strong", mark.title),
            f", {day(mark.at)} – {day(mark.until) if mark.until else 'now'}",
            f" ({mark.text})" if mark.text else None,
        )
        for mark in marks
    )
    return tag("details", tag("summary", f"Interventions in this period: {len(marks)}"), tag("ul", *items))


def _header(choice: Choice, dashboards: Sequence[Dashboard], options: Options) -> Html:
    tabs = (
        tag(
            "a",
            dashboard.title,
            href=choice.at(dashboard).link,
            aria_current="page" if dashboard.key == choice.dashboard.key else None,
        )
        for dashboard in dashboards
    )
    theme = tag("button", "Dark", type="button", id="theme", aria_pressed="false")
    return tag(
        "header",
        tag(
            "div",
            tag("span", "Tieline", class_="brand"),
            tag("nav", *tabs, aria_label="Dashboards", id="tabs"),
            tag("p", "", id="looked", class_="looked"),
            theme,
            class_="bar",
        ),
        tag("form", controls(choice, options), id="controls", action=choice.path, method="get", aria_label="Choose"),
    )


def _section(section: Section, options: Options, drawings: Mapping[str, Drawing], number: int) -> Html:
    name = f"section-{number}"
    panels = (_panel(panel, options, drawings.get(panel.key)) for panel in section.panels)
    return tag("section", tag("h2", section.title, id=name), tag("div", *panels, class_="grid"), aria_labelledby=name)


def _panel(panel: Panel, options: Options, drawing: Drawing | None) -> Html:
    title_id, body_id = part_ids(panel)
    return tag(
        "section",
        tag("h3", title(panel, options), id=title_id),
        tag("p", prose(panel.question), class_="question"),
        tag("div", body(panel, drawing), id=body_id, class_="body"),
        class_=f"panel w-{panel.width} {panel.visual.kind.replace('_', '-')}",
        aria_labelledby=title_id,
        id=f"panel-{panel.key}",
    )


def _json(content: object) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
