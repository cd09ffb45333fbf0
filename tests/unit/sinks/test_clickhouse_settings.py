"""Where the store is, read from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from schemas.errors import ConfigError
from sinks.clickhouse.faults import fault_of
from sinks.clickhouse.settings import ClickHouseSettings


def settings(**env: str) -> ClickHouseSettings:
    return ClickHouseSettings.from_env({f"TIELINE_CLICKHOUSE_{name}": value for name, value in env.items()})


def test_without_a_url_it_is_a_local_server() -> None:
    found = settings()
    assert (found.host, found.port, found.user, found.database, found.secure) == (
        "127.0.0.1",
        8123,
        "default",
        "tieline",
        False,
    )


def test_user_and_password_of_the_environment_win_over_the_url() -> None:
    found = settings(URL="https://u:p%40@store.example/other", USER="sink", PASSWORD="secret")
    assert (found.host, found.port, found.user, found.database, found.secure) == (
        "store.example",
        8443,
        "sink",
        "other",
        True,
    )
    assert found.password.get_secret_value() == "secret"
    assert settings(URL="http://u:p%40@h:1").password.get_secret_value() == "p@"


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from file \n")
    assert settings(PASSWORD_FILE=str(tmp_path / "password")).password.get_secret_value() == "from file "
    with pytest.raises(ConfigError, match="PASSWORD_FILE"):
        settings(PASSWORD_FILE=str(tmp_path / "missing"))


def test_no_password_is_ever_printed() -> None:
    assert "hunter2" not in repr(settings(URL="http://u:hunter2@h:1"))


@pytest.mark.parametrize(
    "url", ["clickhouse://h", "h:8123", "http:///jane", "http://h:99999", "http://h/?a=1", "http://h/a-b"]
)
def test_a_malformed_url_is_a_config_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(URL=url)
    assert url not in str(error.value)


@pytest.mark.parametrize("code", [27, 41, 53, 72, 117, 349, 469])
def test_an_error_about_what_a_row_holds_is_of_the_row(code: int) -> None:
    assert fault_of(DatabaseError("x", code=code)).of_a_row


@pytest.mark.parametrize("code", [60, 81, 159, 202, 210, 241, 243, 252, 497, 516, 999])
def test_every_other_error_is_waited_out(code: int) -> None:
    assert not fault_of(DatabaseError("x", code=code)).of_a_row


def test_a_fault_says_nothing_that_the_store_said() -> None:
    assert fault_of(DatabaseError("cannot parse 'Jane Doe'", code=27)).label == "cannot_parse_input"
    assert fault_of(OperationalError("Jane Doe")).label == "no answer"


def test_the_cluster_is_that_of_the_environment_and_none_without() -> None:
    assert settings().cluster == ""
    assert settings(CLUSTER="hospital").cluster == "hospital"
    assert settings(CLUSTER="hospital").on_cluster("other").cluster == "other"


@pytest.mark.parametrize("cluster", ["a b", "'", "`x`", "{cluster}", "a\n"])
def test_a_cluster_that_needs_quoting_is_refused(cluster: str) -> None:
    with pytest.raises(ConfigError, match="TIELINE_CLICKHOUSE_CLUSTER"):
        settings(CLUSTER=cluster)
