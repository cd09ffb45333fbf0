"""The data source: ClickHouse as Grafana reaches it, and a password that nobody is told."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from pydantic import SecretStr

from deploy.grafana.api import Grafana
from deploy.grafana.data_source import DataSource, plan_data_source
from deploy.grafana.faults import GrafanaRefused
from deploy.grafana.provisioning import data_source_yaml
from deploy.grafana.settings import ClickHouseAddress
from schemas.errors import ConfigError
from tests.integration.grafana.conftest import as_role
from tests.integration.grafana.fake.server import FakeGrafana
from tests.integration.grafana.wanted import ADDRESS, SOURCE

NO_PASSWORD = dataclasses.replace(SOURCE, password=None)


def make(grafana: Grafana, source: DataSource = SOURCE) -> str:
    """Plans it and does it; returns what happened."""
    change = plan_data_source(grafana, source)
    if change.apply is not None:
        change.apply()
    return change.kind


def test_it_is_made_once(fake: FakeGrafana, grafana: Grafana) -> None:
    assert make(grafana) == "create"
    assert make(grafana) == "unchanged"
    assert make(grafana, DataSource("reader", None)) == "unchanged"
    stored = fake.sources.sources["tieline"]
    assert stored["type"] == "grafana-clickhouse-datasource"
    assert stored["jsonData"]["protocol"] == "http"


def test_file_and_push_say_the_same() -> None:
    (from_file,) = yaml.safe_load(data_source_yaml())["datasources"]
    pushed = SOURCE.body(ADDRESS)
    assert {key: from_file[key] for key in pushed} == pushed


def test_the_password_is_kept_out_of_what_is_shown(grafana: Grafana) -> None:
    make(grafana)
    changed = dataclasses.replace(SOURCE, password=SecretStr("another-secret"), set_password=True)
    change = plan_data_source(grafana, changed)
    assert change.differences == ["password: is set anew"]
    assert "secret" not in repr(change) + repr(changed)


def test_a_password_is_written_again_only_when_somebody_asks(fake: FakeGrafana, grafana: Grafana) -> None:
    make(grafana)
    another = dataclasses.replace(SOURCE, password=SecretStr("another"))
    assert make(grafana, another) == "unchanged"
    assert make(grafana, dataclasses.replace(another, address=None, set_password=True)) == "update"
    assert fake.sources.secrets["tieline"]["password"] == "another"
    assert fake.sources.sources["tieline"]["jsonData"]["host"] == "clickhouse"


def test_a_missing_password_is_written(fake: FakeGrafana, grafana: Grafana) -> None:
    make(grafana)
    fake.sources.secrets["tieline"].clear()
    assert make(grafana) == "update"
    assert make(grafana) == "unchanged"


def test_another_address_is_written_and_what_people_added_stays(fake: FakeGrafana, grafana: Grafana) -> None:
    make(grafana)
    stored = fake.sources.sources["tieline"]
    stored["jsonData"] = {**stored["jsonData"], "tlsAuthWithCACert": True}
    stored["isDefault"] = True
    fake.sources.secrets["tieline"]["tlsCACert"] = "theirs"
    moved = dataclasses.replace(NO_PASSWORD, address=ClickHouseAddress(host="other", port=8443, secure=True))
    assert make(grafana, moved) == "update"
    stored = fake.sources.sources["tieline"]
    assert (stored["jsonData"]["host"], stored["jsonData"]["secure"]) == ("other", True)
    assert stored["jsonData"]["tlsAuthWithCACert"] is True
    assert stored["isDefault"] is True
    assert fake.sources.secrets["tieline"] == {"password": "readers-secret", "tlsCACert": "theirs"}


def test_one_from_a_file_is_left_to_the_file(fake: FakeGrafana, grafana: Grafana) -> None:
    make(grafana)
    fake.sources.sources["tieline"]["readOnly"] = True
    assert make(grafana) == "unchanged"
    moved = dataclasses.replace(SOURCE, address=ClickHouseAddress(host="other", port=8123))
    assert make(grafana, moved) == "kept"


@pytest.mark.parametrize(
    ("source", "advice"),
    [(DataSource("reader", None), "--clickhouse-url"), (NO_PASSWORD, "TIELINE_READER_PASSWORD")],
    ids=["no address", "no password"],
)
def test_the_first_time_everything_is_needed(grafana: Grafana, source: DataSource, advice: str) -> None:
    with pytest.raises(ConfigError, match=advice):
        make(grafana, source)


def test_a_save_meanwhile_is_not_overwritten(fake: FakeGrafana, grafana: Grafana) -> None:
    make(grafana)
    moved = dataclasses.replace(SOURCE, address=ClickHouseAddress(host="other", port=8123))
    change = plan_data_source(grafana, moved)
    fake.sources.sources["tieline"]["version"] += 1
    assert change.apply is not None
    with pytest.raises(GrafanaRefused, match="updated by someone else"):
        change.apply()


def test_an_editor_is_told_what_to_do(fake: FakeGrafana) -> None:
    with pytest.raises(GrafanaRefused, match=r"403.*--no-data-source"):
        make(as_role(fake, "editor"))


def test_grafana_says_why_it_cannot_read(fake: FakeGrafana, grafana: Grafana) -> None:
    make(grafana)
    assert grafana.data_source_fault("tieline") == ""
    fake.sources.unhealthy = "dial tcp: connection refused"
    assert grafana.data_source_fault("tieline") == "dial tcp: connection refused"
