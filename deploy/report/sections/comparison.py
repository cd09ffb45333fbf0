"""This run beside another one."""

from __future__ import annotations

from deploy.report.document import Picture, Section, Table, Text
from deploy.report.drawing.dots import Dot, dots
from deploy.report.findings import Findings, Row, tie_of
from deploy.report.words import NOTHING, count, listed, share, signed

_A_PICTURE = 34


def section(found: Findings) -> Section:
    title = f"Compared with run {found.asked.compare}"
    explained = Text(
        f"By how much does run {found.asked.compare} differ from run {found.asked.run}? Only periods that may be"
        " shown in both, shares as counted. An interval that holds 0 says: no difference to be seen."
    )
    shown = [row for row in found.changes if row["change"] is not None]
    if not shown:
        return Section(title, (explained, Text("No tie may be shown in both runs for this time.")), key="comparison")
    pictures = [_picture(shown[first : first + _A_PICTURE]) for first in range(0, len(shown), _A_PICTURE)]
    return Section(title, (explained, *pictures, _table(found)), key="comparison")


def _picture(rows: list[Row]) -> Picture:
    reach = max(0.1, *(max(abs(row["low"]), abs(row["high"])) for row in rows))
    told = [f"{_name(row)}: {signed(row['change'])} ({_range(row)})" for row in rows]
    return Picture(
        dots(
            [Dot(_short(row), row["change"], row["low"], row["high"], f"n {count(row['n'])}") for row in rows],
            "change of the share that went well",
            -reach,
            reach,
            zero=True,
        ),
        "Change against this run, with 90 % interval.",
        f"Dots with intervals around 0, one line for each tie and dimension. {listed(told)}.",
    )


def _name(row: Row) -> str:
    return f"{row['communicator_role']} → {row['experiencer_role']}, {row['what']}"


def _short(row: Row) -> str:
    return f"{tie_of(row).short(16)}, {row['what']}"


def _range(row: Row) -> str:
    return NOTHING if row["low"] is None else f"{signed(row['low'])} to {signed(row['high'])}"


def _table(found: Findings) -> Table:
    return Table(
        "Both runs",
        (
            "communication of → experienced by, dimension", "periods", f"share, {found.asked.run}", "n",
            f"share, {found.asked.compare} (compared)", "n, compared", "change", "90 % interval",
        ),
        tuple(
            (
                _name(row),
                count(row["periods"]),
                share(row["value"]) if row["value"] is not None else row["status"],
                count(row["n"]),
                share(row["compare_value"]) if row["compare_value"] is not None else row["status"],
                count(row["compare_n"]),
                signed(row["change"]),
                _range(row),
            )
            for row in found.changes
        ),
    )  # fmt: skip
