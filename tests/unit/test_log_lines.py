"""A line of the log is one line, says where, and never what was in a record."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from deploy.log_lines import FIELDS, LONGEST_EVENT, configure, formatter
from schemas.errors import ConfigError, InvalidEvent, TransientError

SECRET = "Anna Example, please call 555-0100"
FORMATS = ["text", "json"]


def line(
    form: str, words: str, *args: object, run: str = "", name: str = "streams.apps.infer.app", **fields: Any
) -> str:
    made = logging.LogRecord(name, logging.WARNING, "app.py", 1, words, args, fields.pop("exc_info", None))
    for field, value in fields.items():
        setattr(made, field, value)
    return formatter(form, run).format(made)


def shown(words: str, *args: object, **fields: Any) -> dict[str, Any]:
    read = json.loads(line("json", words, *args, **fields))
    assert isinstance(read, dict)
    return read


def failed(error: Exception) -> Any:
    try:
        raise error
    except Exception as raised:
        return type(raised), raised, raised.__traceback__


def test_json_line_is_an_object_with_what_applies() -> None:
    got = shown("refused as %s", "future", run="live", topic="tieline.events", partition=3, offset=17, of_process="er")
    assert got.pop("at").endswith("+00:00")
    assert got == {
        "level": "warning",
        "logger": "streams.apps.infer.app",
        "event": "refused as future",
        "run": "live",
        "process": "er",
        "topic": "tieline.events",
        "partition": 3,
        "offset": 17,
    }


def test_text_stays_time_level_logger_and_words() -> None:
    assert line("text", "the store is away").endswith(" WARNING streams.apps.infer.app the store is away")


@pytest.mark.parametrize("form", FORMATS)
@given(hostile=st.text(st.characters(codec=None, exclude_categories=[]), max_size=200))
def test_hostile_content_stays_one_line(form: str, hostile: str) -> None:
    got = line(form, "said %s", hostile, topic=hostile)
    assert len(got.splitlines()) == 1
    assert got.isprintable() or form == "text"
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in got)


def test_line_that_pretends_to_be_another_is_seen_as_what_it_is() -> None:
    got = line("text", "said %s", "x\n2026-01-01 00:00:00,000 ERROR root all is lost\x1b[31m")
    assert "said x\\n2026-01-01" in got
    assert "\x1b" not in got


def test_only_known_fields_get_in_and_nothing_nested() -> None:
    got = shown("a line", payload=SECRET, value={"role": SECRET}, body=SECRET)
    assert SECRET not in json.dumps(got)
    assert isinstance(shown("a line", topic={"a": 1})["topic"], str)
    assert set(FIELDS) == {"run", "process", "topic", "partition", "offset", "table", "reason"}


def test_long_line_is_cut() -> None:
    assert len(shown("%s", "x" * 1_000_000)["event"]) == LONGEST_EVENT


@pytest.mark.parametrize("form", FORMATS)
def test_error_that_may_quote_a_record_is_told_by_its_kind_and_place(form: str) -> None:
    got = line(form, "handler failed", exc_info=failed(KeyError(SECRET)))
    assert SECRET not in got
    assert "KeyError at test_log_lines.py" in got
    assert len(got.splitlines()) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_error_among_the_words_is_told_by_its_kind(form: str) -> None:
    got = line(form, "Crashed reason=%r, %s", ValueError(SECRET), invalid())
    assert SECRET not in got
    assert "reason=ValueError, ValidationError" in got


def invalid() -> ValidationError:
    class Part(BaseModel):
        number: int

    with pytest.raises(ValidationError) as refused:
        Part.model_validate({"number": SECRET})
    return refused.value


@pytest.mark.parametrize(
    "error", [InvalidEvent("future", "time"), TransientError("clickhouse: no answer"), OSError(111, "refused")]
)
def test_error_of_ours_or_of_the_machine_is_told_whole(error: Exception) -> None:
    assert str(error) in line("text", "not written: %s", error)
    assert str(error) in line("text", "not written", exc_info=failed(error))


async def test_task_that_nobody_waited_for_says_nothing_of_its_error() -> None:
    async def fail() -> None:
        raise ValueError(SECRET)

    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(formatter("json").format(record))  # type: ignore[method-assign]
    logging.getLogger("asyncio").addHandler(handler)
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    logging.getLogger("asyncio").removeHandler(handler)
    assert len(told) == 1
    assert SECRET not in told[0]
    assert "never retrieved" in told[0]


@pytest.mark.parametrize(("level", "form"), [("loud", "text"), ("info", "xml")])
def test_unknown_level_or_format_is_a_wrong_setting(level: str, form: str) -> None:
    with pytest.raises(ConfigError):
        configure(level, form)


def test_format_comes_from_the_variable_where_no_option_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_LOG_FORMAT", "xml")
    with pytest.raises(ConfigError, match="TIELINE_LOG_FORMAT"):
        configure("info")


def test_line_that_cannot_be_written_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from deploy.log_lines import Lines

    handler = Lines()
    handler.setFormatter(formatter("json"))
    handler.handle(logging.LogRecord("x", logging.INFO, "x.py", 1, "%d of %d", (SECRET, 2), None))
    said = capsys.readouterr().err
    assert said == "a line of x could not be written: TypeError\n"
