"""What holds for every dashboard: it draws, stays on this machine, and can be used by everybody."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from deploy.dashboards.catalogue import BOARD
from tests.browser.chromium import Browser, eventually
from tests.browser.conftest import Running

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEYS = [dashboard.key for dashboard in BOARD]
_TIE = "?process=ed-to-ward&one_role=ed-nurse&other_role=ward-nurse"

_CONTRAST = """
const luminance = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
const backdrop = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
};
const faint = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.closest(".unseen")) continue;
  const style = getComputedStyle(element);
  const both = [luminance(parse(style.color).slice(0, 3)), luminance(backdrop(element))];
  const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  const said = element.textContent.trim().slice(0, 40);
  if (contrast < 4.5) faint.push(`${element.tagName} ${said}: ${contrast.toFixed(2)}`);
}
return faint;
"""
_UNNAMED = """
const problems = [];
for (const field of document.querySelectorAll("select, input:not([type=hidden])")) {
  if (!field.labels.length) problems.push(`no label: ${field.outerHTML.slice(0, 80)}`);
}
for (const table of document.querySelectorAll("table")) {
  if (!table.caption?.textContent) problems.push("table without caption");
  for (const head of table.querySelectorAll("th:not([scope])")) problems.push(`th without scope: ${head.textContent}`);
}
for (const section of document.querySelectorAll("section")) {
  const name = document.getElementById(section.getAttribute("aria-labelledby"));
  if (!name?.textContent) problems.push(`section without a name: ${section.id}`);
}
for (const chart of document.querySelectorAll("[data-chart]")) {
  const key = chart.dataset.chart;
  if (!chart.getAttribute("aria-label")) problems.push(`chart without a description: ${key}`);
  if (!chart.parentElement.querySelector("details table")) problems.push(`chart without a table: ${key}`);
}
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
problems.push(...ids.filter((id, place) => ids.indexOf(id) !== place).map((id) => `id twice: ${id}`));
let level = 0;
for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) problems.push(`heading skips a level: ${heading.textContent}`);
  level = next;
}
for (const landmark of ["header", "nav", "main", "footer"]) {
  if (!document.querySelector(landmark)) problems.push(`no ${landmark}`);
}
if (document.documentElement.lang !== "en") problems.push("no language");
return problems;
"""


def _open(browser: Browser, ward: Running, key: str, query: str = _TIE) -> None:
    """The page with every panel answered."""
    browser.open(f"{ward.url}d/{key}{query}")
    eventually(
        lambda: browser.all("main .panel") and not browser.all("main .waiting, main .stale"), 60, f"{key} answered"
    )
    drawn = "return [...document.querySelectorAll('[data-chart]')].every((place) => place.querySelector('canvas'))"
    eventually(lambda: browser.run(drawn), 10, f"charts of {key}")


@pytest.mark.parametrize("key", KEYS)
def test_page_shows_every_panel_without_an_error_and_stays_on_this_machine(
    browser: Browser, ward: Running, key: str
) -> None:
    _open(browser, ward, key)
    assert [element.text for element in browser.all(".refused")] == []
    assert browser.problems() == []
    assert browser.foreign_requests(ward.url) == []
    assert browser.requested


@pytest.mark.parametrize("key", KEYS)
def test_everything_has_a_name_for_screen_readers(browser: Browser, ward: Running, key: str) -> None:
    _open(browser, ward, key)
    assert browser.run(_UNNAMED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("key", KEYS)
def test_text_stands_out_from_its_ground(browser: Browser, ward: Running, key: str, scheme: str) -> None:
    browser.prefers(scheme)
    _open(browser, ward, key)
    assert browser.run(_CONTRAST) == []


@pytest.mark.parametrize("key", KEYS)
def test_phone_shows_one_column_without_scrolling_sideways(browser: Browser, ward: Running, key: str) -> None:
    browser.size(390, 844, mobile=True)
    _open(browser, ward, key)
    assert browser.run("return document.documentElement.scrollWidth") <= 390


def test_hidden_tie_shows_why(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "ties", "?process=ed-to-ward&one_role=cardiology&other_role=ed-physician")
    assert "hidden: too few people" in browser.text("#panel-matrix-timeliness")
    assert "hidden: too few people" in browser.text("#panel-tie-there")
    rows = browser.run(
        "return [...document.querySelectorAll('#body-matrix-timeliness tbody tr')].map((row) => row.innerText)"
    )
    shown = next(row for row in rows if row.startswith("ward-nurse"))
    assert "n 60" in shown


def test_what_is_not_observed_says_so(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "ties", "?process=incident&one_role=level-2&other_role=level-1")
    assert "not observed" in browser.text("#panel-tie-there")
    assert "not observed" in browser.text("#panel-matrix-accuracy")


def test_cell_of_the_matrix_leads_to_its_tie(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "ties", "?process=ed-to-ward&one_role=cardiology&other_role=ed-physician")
    link = browser.all("#body-matrix-timeliness a[href*='one_role=ward-nurse']")[0]
    browser.run("arguments[0].click()", link)
    eventually(lambda: "ward-nurse → ed-nurse" in browser.text("#title-tie-there"), 20, "the other tie")
    assert "one_role=ward-nurse" in browser.chrome.current_url


def test_chart_can_be_read_as_a_table(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "live", "")
    browser.all("#panel-age-against-target details > summary")[0].click()
    assert "share of the target used" in browser.text("#panel-age-against-target details table")


def test_keyboard_reaches_everything_that_can_be_chosen(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "ties")
    reached = []
    for _ in range(30):
        browser.chrome.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(browser.run("const e = document.activeElement; return e.id || e.className || e.textContent"))
        visible = browser.run("return getComputedStyle(document.activeElement).outlineStyle !== 'none'")
        assert visible, reached[-1]
    assert reached[0] == "skip"
    selects = [str(element.get_attribute("id")) for element in browser.all("#controls select")]
    assert set(selects) <= set(reached)
    assert [name for name in reached if name in selects] == selects


def test_skip_link_leads_to_the_figures(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "live", "")
    browser.chrome.switch_to.active_element.send_keys(Keys.TAB)
    browser.chrome.switch_to.active_element.send_keys(Keys.ENTER)
    eventually(lambda: browser.run("return document.activeElement.id") == "main", 5, "focus on the figures")


def test_choice_by_keyboard_keeps_the_focus(browser: Browser, ward: Running) -> None:
    _open(browser, ward, "live", "")
    summary = browser.all("#choose-urgency > summary")[0]
    summary.send_keys(Keys.ENTER)
    box = browser.all("#choose-urgency input")[0]
    box.send_keys(Keys.SPACE)
    eventually(lambda: "urgency=" in browser.chrome.current_url, 10, "the link follows")
    eventually(lambda: browser.text("#choose-urgency .said") != "all", 10, "the form says it")
    assert browser.run("return document.activeElement.type") == "checkbox"
    box.send_keys(Keys.ESCAPE)
    assert browser.all("#choose-urgency[open]") == []


def test_colours_follow_the_system_until_somebody_chooses(browser: Browser, ward: Running) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.prefers("dark")
    _open(browser, ward, "live", "")
    dark = browser.run(ground)
    browser.prefers("light")
    light = browser.run(ground)
    assert dark != light
    browser.all("#theme")[0].click()
    assert browser.run(ground) == dark
    browser.open(f"{ward.url}d/live")
    assert browser.run(ground) == dark
    assert browser.all("#theme")[0].get_attribute("aria-pressed") == "true"
