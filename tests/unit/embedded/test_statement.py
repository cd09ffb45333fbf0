"""The head of an insert is cut from its data at the right byte."""

from __future__ import annotations

import pytest

from deploy.embedded.front.statement import InsertHead, first_words, insert_with_data, mentions

HEADS = [
    (b"INSERT INTO t FORMAT Native\n\x01\x02", ("INSERT INTO t ", "", "Native", b"\x01\x02")),
    (b"insert into t (a, b) format CSV 1,2\n", ("insert into t (a, b) ", "", "CSV", b"1,2\n")),
    (b"INSERT INTO t FORMAT Native", ("INSERT INTO t ", "", "Native", b"")),
    (b"INSERT INTO t FORMAT CSV;\n1\n", ("INSERT INTO t ", "", "CSV", b"1\n")),
    (b"-- FORMAT X\nINSERT INTO t FORMAT CSV\n\n1", ("-- FORMAT X\nINSERT INTO t ", "", "CSV", b"\n1")),
    (b"INSERT INTO `a FORMAT b` FORMAT TSV\n1", ("INSERT INTO `a FORMAT b` ", "", "TSV", b"1")),
    (
        b"INSERT INTO t (`format`, values) VALUES (1, 2)",
        ("INSERT INTO t (`format`, values) ", "", "Values", b" (1, 2)"),
    ),
    (b"INSERT INTO t SETTINGS a = 'FORMAT' FORMAT CSV\n1", ("INSERT INTO t ", "SETTINGS a = 'FORMAT' ", "CSV", b"1")),
    (b"INSERT INTO t FORMAT Native\n'\xff\x00", ("INSERT INTO t ", "", "Native", b"'\xff\x00")),
]


@pytest.mark.parametrize(("text", "expected"), HEADS)
def test_insert_is_cut_where_its_data_starts(text: bytes, expected: tuple[str, str, str, bytes]) -> None:
    assert insert_with_data(text) == InsertHead(*expected)


def test_rows_of_a_file_are_named_before_the_settings() -> None:
    insert = InsertHead("INSERT INTO t (a)", "SETTINGS b = 1", "CSV", b"")
    assert insert.from_file("'f'") == "INSERT INTO t (a) FROM INFILE 'f' SETTINGS b = 1 FORMAT CSV"


@pytest.mark.parametrize(
    "text",
    [b"SELECT 1 FORMAT CSV", b"INSERT INTO t SELECT 1 FORMAT CSV", b"INSERT INTO t FROM INFILE 'x' FORMAT CSV", b""],
)
def test_statements_without_data_have_no_insert_head(text: bytes) -> None:
    assert insert_with_data(text) is None


def test_words_in_quotes_and_comments_are_not_mentioned() -> None:
    assert not mentions(b"SELECT 'OUTFILE', `outfile` -- OUTFILE\n/* OUTFILE */", "OUTFILE")
    assert mentions(b"SELECT 1 INTO/**/OutFile 'x'", "OUTFILE")


def test_leading_comments_do_not_hide_the_first_word() -> None:
    assert first_words(b"/* a */ -- b\n\n insert /* c */ into t") == ("INSERT", "INTO")
