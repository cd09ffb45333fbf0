"""The report in a browser that can reach nothing: it opens, says nothing is wrong, and prints."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from deploy.report.report import report
from tests.browser.chromium import Browser
from tests.unit.report.rows import effect, findings, survey, survey_row


def test_the_report_opens_offline_and_fits_its_paper(browser_tools: Browser, tmp_path: Path) -> None:
    rows = [survey_row("ed-nurse", "ward-nurse", name) for name in ("timeliness", "shared_goals")]
    (tmp_path / "report.html").write_text(report([findings(surveys=(survey(*rows),), effects=(effect(),))]))
    browser_tools.fresh()
    browser_tools.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser_tools.size(680, 960)  # what A4 leaves between its margins
    browser_tools.open((tmp_path / "report.html").as_uri())
    assert browser_tools.text("h1") == "Retrospective of ed-to-ward"
    assert browser_tools.problems() == []
    assert [url for url in browser_tools.foreign_requests("") if not url.startswith("file:")] == []
    assert browser_tools.run("return document.documentElement.scrollWidth") == 680
    drawn = "return [...document.querySelectorAll('svg')].every((each) => each.getBoundingClientRect().width > 600)"
    assert browser_tools.run(drawn)
    printed = browser_tools.chrome.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    pages = re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"]))
    assert 4 <= len(pages) <= 12
    browser_tools.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
