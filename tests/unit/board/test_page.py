"""A dashboard as a page."""

from __future__ import annotations

import pytest

from deploy.board.choice import choice_of
from deploy.board.drawing.drawing import Drawing
from deploy.board.look import title
from deploy.board.markup import Html
from deploy.board.page import body, page
from deploy.board.server import echarts_folder
from deploy.board.variables import Option, Options
from deploy.dashboards.catalogue import BOARD, dashboard
from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.panel import Table, text
from tests.unit.board.panels import END, START, panel

_ASSETS = dict.fromkeys(("style", "script", "icon", "echarts"), "/x")


def _page(of: Dashboard, theme: str = "", query: tuple[tuple[str, str], ...] = ()) -> str:
    return page(choice_of(of, query), BOARD, Options(), {}, {}, _ASSETS, theme)


@pytest.mark.parametrize("of", BOARD, ids=lambda of: of.key)
def test_page_has_a_place_for_every_panel(of: Dashboard) -> None:
    written = _page(of)
    for one in of.panels():
        assert f'id="body-{one.key}"' in written
        assert f'aria-labelledby="title-{one.key}"' in written


@pytest.mark.parametrize("of", BOARD, ids=lambda of: of.key)
def test_nothing_in_a_page_is_inline_or_from_elsewhere(of: Dashboard) -> None:
    written = _page(of)
    assert " style=" not in written
    assert "onclick" not in written
    assert "http" not in written
    assert written.count("<script") == written.count('type="module"') + written.count('type="application/json"')


def test_what_needs_another_account_is_not_on_the_board() -> None:
    assert {of.data_source for of in BOARD} == {"reader"}


def test_tabs_keep_the_choice() -> None:
    written = _page(dashboard("live"), query=(("process", "ed-to-ward"),))
    assert 'href="/d/ties?process=ed-to-ward"' in written
    assert 'aria-current="page"' in written


@pytest.mark.parametrize(("theme", "said"), [("dark", ' data-theme="dark"'), ("", "")])
def test_chosen_colours_are_there_before_a_script_runs(theme: str, said: str) -> None:
    assert f'<html lang="en"{said}>' in _page(dashboard("live"), theme)


def test_title_names_what_is_chosen() -> None:
    of = panel(Table(), text("role"), title="$one_role → ${other_role}")
    options = Options({"one_role": (Option("n", "Nurse"),)}, {"one_role": ("n",), "other_role": ("<b>",)})
    assert title(of, options) == "Nurse → <b>"


def test_value_that_is_not_known_yet_is_left_open_in_a_title() -> None:
    assert title(panel(Table(), text("role"), title="$one_role"), Options()) == "…"


def test_chart_says_which_whole_periods_it_covers() -> None:
    drawn = Drawing(Html("<div></div>"), {"series": []}, (START, END))
    assert "covers 1 Jan 2026 to 1 Apr 2026" in body(panel(Table(), text("role")), drawn)


def test_chart_library_is_where_the_board_looks_for_it() -> None:
    script = (echarts_folder() / "index.js").read_text()
    assert "echarts" in script
    assert "http" not in script
