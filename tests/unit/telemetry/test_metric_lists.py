"""What is counted: one list for each service, and the values behind it."""

from __future__ import annotations

import re

import pytest

from streams.apps.infer.metrics import INFER
from streams.apps.signals.metrics import SIGNALS
from streams.apps.sink.metrics import SINK
from streams.telemetry.metric import Metric
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import READY, WORKER

LISTS = {"infer": INFER, "sink": SINK, "signals": SIGNALS}
LETTERS = Metric("tieline_test_letters_total", "counter", "Letters.", ("reason",))


@pytest.mark.parametrize("app", LISTS)
def test_metric_is_named_after_its_app_or_every_worker_has_it(app: str) -> None:
    for metric in LISTS[app]:
        assert re.fullmatch(r"tieline_[a-z_]+" if metric in WORKER else rf"tieline_{app}_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.kind != "histogram" or metric.name.endswith("_seconds")
    assert len({metric.name for metric in LISTS[app]}) == len(LISTS[app])


@pytest.mark.parametrize("app", LISTS)
def test_list_is_what_can_be_counted(app: str) -> None:
    text = Values(LISTS[app]).text().decode()
    described = set(re.findall(r"^# HELP (tieline_\S+)", text, re.MULTILINE))
    assert described == {metric.name for metric in LISTS[app]}


def test_values_add_up_by_label() -> None:
    values = Values([LETTERS])
    values.add(LETTERS, 2, "future")
    values.add(LETTERS, 1, "future")
    values.add(LETTERS, 1, "conflict")
    text = values.text().decode()
    assert 'tieline_test_letters_total{reason="future"} 3.0' in text
    assert 'tieline_test_letters_total{reason="conflict"} 1.0' in text


def test_metric_that_is_wanted_twice_keeps_its_value() -> None:
    values = Values(WORKER)
    values.set(READY, 1)
    values.want(INFER)
    assert b"tieline_ready 1.0" in values.text()


def test_what_is_not_counted_as_it_happens_is_looked_at_when_somebody_asks() -> None:
    values, looked = Values(WORKER), []
    values.before_text(lambda: looked.append(1))
    assert not looked
    values.text()
    assert looked == [1]
