"""What holds of every page, whatever is in it."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest

from deploy.report.findings import Findings
from deploy.report.report import report
from tests.unit.report.rows import WITHOUT, Page, asked, effect, figures, findings, survey, survey_row

HOSTILE = "<script>alert(1)</script>$x^2$ & \"'_\\{{7*7}}"


def everything() -> Findings:
    rows = [survey_row("ed-nurse", "ward-nurse", name) for name in ("timeliness", "mutual_respect")]
    changes = [
        {"communicator_role": "ed-nurse", "experiencer_role": "ward-nurse", "what": "timeliness", "status": "shown",
         "periods": 9, "n": 90, "value": 0.8, "compare_n": 91, "compare_value": 0.7, "change": -0.1, "low": -0.2,
         "high": 0.01},
        {"communicator_role": "ed-nurse", "experiencer_role": "ward-nurse", "what": "accuracy", "status": "not in both",
         "periods": 0} | dict.fromkeys(("n", "value", "compare_n", "compare_value", "change", "low", "high")),
    ]  # fmt: skip
    return findings(surveys=(survey(*rows),), effects=(effect(),), changes=changes, asked=asked(compare="again"))


@pytest.fixture(scope="module")
def html() -> str:
    return report([everything()])


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_same_findings_give_the_same_bytes(html: str) -> None:
    assert report([everything()]) == html


def test_nothing_is_loaded_from_anywhere(html: str, page: Page) -> None:
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("img")
    addresses = [value for _, found in page.tags for name, value in found.items() if name in ("href", "src", "data")]
    assert all(address.startswith("#") for address in addresses)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", html)


def test_links_and_references_lead_somewhere_and_ids_are_used_once(html: str, page: Page) -> None:
    ids = Counter(found["id"] for _, found in page.tags if "id" in found)
    assert not [name for name, times in ids.items() if times > 1]
    wanted = {found["href"][1:] for _, found in page.tags if "href" in found}
    wanted |= {name for _, found in page.tags for name in found.get("aria-labelledby", "").split()}
    assert wanted | set(re.findall(r"url\(#([^)]+)\)", html)) <= ids.keys()


def test_every_picture_says_what_it_shows_in_words_and_numbers(page: Page) -> None:
    pictures = page.all("svg")
    assert len(pictures) >= 9
    for picture in pictures:
        assert picture["role"] == "img"
        assert len(picture["aria-label"]) > 40
        assert re.search(r"\d", picture["aria-label"])


def test_the_page_has_a_language_landmarks_and_headings_in_order(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert [len(page.all(name)) for name in ("header", "nav", "main", "footer", "h1")] == [1, 1, 1, 1, 1]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(deeper <= level + 1 for level, deeper in itertools.pairwise(levels))


def test_every_table_has_a_caption_and_its_headers_say_what_they_head(page: Page) -> None:
    assert len(page.all("table")) == len(page.all("caption")) >= 9
    assert all(header["scope"] in ("col", "row") for header in page.all("th"))


def test_names_from_outside_are_text_and_nothing_else() -> None:
    html = report([findings(HOSTILE, "ward", asked=asked(process=HOSTILE, run=HOSTILE, site=HOSTILE))])
    page = Page(html)
    assert not page.all("script")
    assert HOSTILE in page.text
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)", "", html)
    assert "{{7*7}}" in page.text


def test_a_name_in_another_script_or_of_great_length_is_drawn() -> None:
    html = report([Findings(asked(), figures=figures(("救急看護師", "w" * 128)))])
    assert "救急看護師" in html
    assert "w" * 128 in html


def test_neither_people_nor_ids_of_events_are_on_the_page(html: str) -> None:
    assert not re.search(r"\b[a-z0-9_-]+:[0-9a-f]{32}\b", html)
    assert not re.search(r"event_ids?|payload", html)


def test_a_time_in_which_nothing_was_seen_says_so() -> None:
    page = Page(report([Findings(asked())]))
    assert "Nothing was seen in this time" in page.text
    assert not page.all("svg")


def test_processes_of_which_nothing_was_seen_are_named_once() -> None:
    silent = Findings(asked(process="quiet"))
    page = Page(report([silent, Findings(asked(), figures=figures(("a", "b"), **WITHOUT, status="not observed"))]))
    assert "Nothing was seen in this time of quiet." in page.text
    assert len(page.all("article")) == 1


def test_a_report_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="needs a process"):
        report([])


def test_processes_come_in_alphabetical_order() -> None:
    both = [Findings(asked(process="b")), Findings(asked(process="a"))]
    assert report(both) == report(both[::-1])


def test_texts_stand_out_from_their_ground(html: str) -> None:
    """WCAG 2.1 AA: 4.5 to 1, in the page and in pictures."""
    colors = set(re.findall(r"(?<!-)color: (#[0-9a-f]{6}|#[0-9a-f]{3})\b", html))
    colors |= set(re.findall(r"<text style=\"[^\"]*fill: (#[0-9a-f]{6})", html))
    assert colors
    assert all(_contrast(color, "#ffffff") >= 4.5 for color in colors)


def test_numbers_in_shaded_cells_stand_out() -> None:
    assert _contrast("#1b1f24", "#9fb0bf") >= 4.5


def test_a_hidden_tie_has_its_reason_and_no_figure() -> None:
    only = figures(
        ("a", "b"), status="hidden: too few people", n=None, pending=None, estimate=None, low=None, high=None
    )
    html = report([Findings(asked(), figures=only)])
    assert "hidden: too few people" in html
    assert "0.80" not in Page(html).text


def _contrast(one: str, other: str) -> float:
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
