"""What counts as a difference between what we want and what Grafana has."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.grafana.compare import differences


@pytest.mark.parametrize(
    ("wanted", "present"),
    [
        ({"title": "a"}, {"title": "a", "id": 7, "version": 3}),
        ({"title": "a", "id": None}, {"title": "a", "id": 7}),
        ({"tags": []}, {}),
        ({}, {"description": "", "links": [], "editable": False, "nested": {"empty": []}}),
        ({"panel": {"pluginVersion": "11.6.0"}}, {"panel": {"pluginVersion": "13.2.3"}}),
        ({"url": "https://x"}, {"url": "[REDACTED]"}),
        ({"share": 1}, {"share": 1.0}),
    ],
)
def test_what_grafana_adds_or_hides_is_none(wanted: Any, present: Any) -> None:
    assert differences(wanted, present, tell_added=True) == []


@pytest.mark.parametrize(
    ("wanted", "present", "told"),
    [
        ({"title": "a"}, {"title": "b"}, ["title: 'b' → 'a'"]),
        ({"title": "a"}, {}, ["title: None → 'a'"]),
        ({"deep": {"a": [{"b": 1}]}}, {"deep": {"a": [{"b": 2}]}}, ["deep.a[0].b: 2 → 1"]),
        ({"panels": [{"title": "P", "x": 0}]}, {"panels": [{"title": "P", "x": 4}]}, ["panels[P].x: 4 → 0"]),
        ({"panels": [{"title": "P"}]}, {"panels": []}, ["panels[P]: is missing"]),
        ({"panels": []}, {"panels": [{"title": "P"}]}, ["panels[P]: added"]),
        ({"on": True}, {"on": 1}, ["on: 1 → True"]),
        ({"on": True}, {}, ["on: None → True"]),
        ({"a": {"id": "byName"}}, {"a": {"id": "byType"}}, ["a.id: 'byType' → 'byName'"]),
        ({"s": "one\ntwo"}, {"s": "one\nthree"}, ["s:", "  -three", "  +two"]),
    ],
)
def test_what_people_change_is_told_with_its_place(wanted: Any, present: Any, told: list[str]) -> None:
    assert differences(wanted, present) == told


def test_what_people_add_is_told_where_it_matters() -> None:
    wanted, present = {"a": 1}, {"a": 1, "repeat": "site"}
    assert differences(wanted, present) == []
    assert differences(wanted, present, tell_added=True) == ["repeat: added 'site'"]


def test_a_panel_is_known_by_its_number_wherever_it_stands() -> None:
    a, b, c = ({"id": number, "title": title} for number, title in ((1, "A"), (2, "B"), (3, "C")))
    assert differences([a, b], [b, a]) == []
    assert differences([a, b], [a, c, {**b, "title": "mine"}]) == ["[B].title: 'mine' → 'B'", "[C]: added"]
    assert differences([a, b], [b]) == ["[A]: is missing"]


def test_long_values_are_cut() -> None:
    (line,) = differences({"s": "x" * 500}, {"s": "y" * 500})
    assert len(line) < 250
