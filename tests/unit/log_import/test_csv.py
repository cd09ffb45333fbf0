"""CSV as it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.gateway.log_import import LogImport
from tests.unit.log_import.logs import (
    CSV,
    KEY,
    csv_log,
    csv_row,
    event,
    mapping,
    run_broken,
    run_csv,
    run_xes,
    trace,
    written,
)


def test_mixed_work_items_are_counted_apart(tmp_path: Path) -> None:
    rows = [csv_row("w", 0), csv_row("x", 0), csv_row("w", 1, status="Wait"), csv_row("x", 1), csv_row("w", 2)]
    out = run_csv(tmp_path, csv_log(*rows))
    assert [one.event.id for one in out.events if one.event.subject == "w"] == [
        "w:0:assigned",
        "w:0:worked",
        "w:1:assigned",
        "w:1:paused",
        "w:2:resumed",
        "w:2:assigned",
        "w:2:worked",
    ]


def test_order_of_work_items_changes_no_event(tmp_path: Path) -> None:
    w, x = [csv_row("w", n) for n in range(3)], [csv_row("x", n) for n in range(3)]
    apart, mixed = run_csv(tmp_path, csv_log(*w, *x)), run_csv(tmp_path, csv_log(x[0], w[0], x[1], w[1], w[2], x[2]))
    assert apart.events != mixed.events
    assert sorted(apart.events) == sorted(mixed.events)


def test_csv_and_xes_of_one_log_are_the_same_events(tmp_path: Path) -> None:
    rows = [csv_row("w", 0, "A", "Queued", "Ann"), csv_row("w", 1, "B", "Wait", "Bob"), csv_row("w", 2, "B", "Done")]
    traced = trace("w", event(0, "A", "Queued", "Ann"), event(1, "B", "Wait", "Bob"), event(2, "B", "Done"))
    assert run_csv(tmp_path, csv_log(*rows)).events == run_xes(tmp_path, traced).events


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("utf-16", {"encoding": "utf-16"}),
        ("cp1252", {"encoding": "cp1252"}),
    ],
)
def test_encodings_and_byte_order_marks(tmp_path: Path, encoding: str, options: dict[str, str]) -> None:
    content = csv_log(csv_row("wé", 0)).encode(encoding)
    assert run_csv(tmp_path, content, mapping(CSV, csv=options)).events[0].event.subject == "wé"


@pytest.mark.parametrize(("name", "delimiter"), [("log.tsv", None), ("log.csv.gz", ";"), ("log.csv", "\t")])
def test_delimiters(tmp_path: Path, name: str, delimiter: str | None) -> None:
    rules = mapping(CSV, csv={"delimiter": delimiter} if delimiter else None)
    content = csv_log(csv_row("w", 0)).replace(",", delimiter or "\t")
    assert len(run_csv(tmp_path, content, rules, name=name).events) == 2


def test_quoted_fields_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    row = csv_row("w", 0, team='"Ward 4, north"', who='"Ann\r\nO""Neil"')
    out = run_csv(tmp_path, csv_log(row, csv_row("x", 0)))
    assert out.data(0).role == "Ward 4, north"
    assert len(out.events) == 4


def test_missing_column_is_named_with_the_likely_one(tmp_path: Path) -> None:
    path = written(tmp_path, csv_log(header="Ticket,at,tteam,who,who"), "log.csv")
    with pytest.raises(ConfigError) as caught:
        [*LogImport(path, mapping(CSV), actor_key=KEY)]
    assert str(caught.value).splitlines() == [
        f"{path}: there is no column 'status'",
        f"{path}: there is no column 'team'; did you mean 'tteam'?",
        f"{path}: there is no column 'ticket'; did you mean 'Ticket'?",
        f"{path}: the column 'who' is in the header 2 times",
    ]


def test_wrong_delimiter_is_guessed_in_the_error(tmp_path: Path) -> None:
    path = written(tmp_path, csv_log().replace(",", ";"), "log.csv")
    with pytest.raises(ConfigError, match=r"`csv\.delimiter` may have to be `;`"):
        [*LogImport(path, mapping(CSV), actor_key=KEY)]


def test_file_without_header_does_not_show_its_first_row(tmp_path: Path) -> None:
    path = written(tmp_path, csv_row("w", 0, who="Zebedee"), "log.csv")
    with pytest.raises(ConfigError) as caught:
        [*LogImport(path, mapping(CSV), actor_key=KEY)]
    assert "Zebedee" not in str(caught.value)


def test_unusable_rows_are_skipped_and_the_next_ones_read(tmp_path: Path) -> None:
    rows = ["w", csv_row("w", 0) + ",extra", csv_row("w", 1) + ",,", "", csv_row("w", 2, who="x" * 200_000)]
    out = run_csv(tmp_path, csv_log(*rows, csv_row("w", 3)))
    assert out.skipped == [("short_row", "line 2"), ("long_row", "line 3"), ("bad_row", "line 6")]
    assert [one.event.sequence // 8 for one in out.events] == [0, 0, 1, 1]


def test_bytes_that_are_no_text_cost_only_their_row(tmp_path: Path) -> None:
    bad = csv_row("w", 0).encode().replace(b"Ann", b"An\xff")
    content = csv_log(csv_row("w", 1)).encode() + bad + b"\n" + csv_row("w", 2).encode()
    out = run_csv(tmp_path, content)
    assert out.skipped == [("bad_text", "line 3")]
    assert len(out.events) == 4


def test_last_column_may_be_missing_if_nobody_asks_for_it(tmp_path: Path) -> None:
    content = csv_log(csv_row("w", 0), header="ticket,at,team,status,who,note")
    assert len(run_csv(tmp_path, content).events) == 2


@pytest.mark.parametrize("line", ["x" * 2_000_000, '"a","b\n' * 200_000])
def test_row_without_end_is_refused(tmp_path: Path, line: str) -> None:
    content = csv_log(csv_row("w", 0)) + line
    events, error = run_broken(written(tmp_path, content, "log.csv.gz"), mapping(CSV))
    assert events == 2
    assert "more than 1 MiB" in error.reason


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_file_without_a_header_row_is_unreadable(tmp_path: Path, content: str) -> None:
    assert run_broken(written(tmp_path, content, "log.csv"), mapping(CSV))[1].position == "line 1"


def test_blank_lines_before_the_header_do_not_count(tmp_path: Path) -> None:
    assert len(run_csv(tmp_path, "\n\n" + csv_log(csv_row("w", 0))).events) == 2


def test_truncated_gzip_ends_after_what_was_read(tmp_path: Path) -> None:
    whole = written(tmp_path, csv_log(*(csv_row(f"w{n}", n, who=str(n * 7919)) for n in range(9000))), "log.csv.gz")
    cut = written(tmp_path, whole.read_bytes()[: whole.stat().st_size // 2], "cut.csv")
    events, error = run_broken(cut, mapping(CSV))
    assert "not complete" in error.reason
    assert 4_000 < events < 14_000
