"""From SQL to what the engine is to run: permission, format, and whether rows come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.embedded.front.accounts import Account
from deploy.embedded.front.engine import Engine
from deploy.embedded.front.errors import ACCESS_DENIED, BAD_ARGUMENTS, SYNTAX_ERROR, StoreError
from deploy.embedded.front.guard import Guard, format_of, syntax_tree
from deploy.embedded.front.statement import first_words, mentions

_READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "FROM", "CHECK"})
_SELECTS = (("SELECT",), ("WITH",))  # the engine streams nothing else
_FORMAT_AT_END = re.compile(r"\bFORMAT\s+([A-Za-z0-9_]+)\s*;?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    sql: str
    output_format: str
    returns_rows: bool
    is_select: bool
    params: Mapping[str, str] = field(default_factory=dict)


def plan_reader(guard: Guard, account: Account, sql: str, database: str, default_format: str) -> Plan:
    """Raises: StoreError: what the guard refuses."""
    ruling = guard.rule(account, sql, database)
    is_select = first_words(ruling.sql.encode(), 1) in _SELECTS
    return Plan(ruling.sql, ruling.output_format or default_format, True, is_select, ruling.params)


def plan_writer(engine: Engine, sql: str, default_format: str) -> Plan:
    """The writer runs one statement of any kind; only files named by client-side clauses are out of reach.

    Raises: StoreError: not one statement, or INTO OUTFILE / FROM INFILE.
    """
    raw = sql.encode()
    if mentions(raw, "OUTFILE") or mentions(raw, "INFILE"):
        raise StoreError.refusal(ACCESS_DENIED, "files are out of reach over HTTP.")
    words = first_words(raw, 1)
    if words == ("INSERT",):
        return Plan(sql, default_format, returns_rows=False, is_select=False)
    try:
        tree = syntax_tree(engine, sql)
    except StoreError as error:
        if error.code != BAD_ARGUMENTS:
            raise
        _one_statement(engine, sql)
        tree = {}
    named = _FORMAT_AT_END.search(sql)
    chosen = format_of(tree) or (named.group(1) if named and not tree else None) or default_format
    reads = (bool(words) and words[0] in _READS) or sql.lstrip().startswith("(")
    return Plan(sql, str(chosen), reads, words in _SELECTS)


def _one_statement(engine: Engine, sql: str) -> None:
    """For the kinds that have no JSON tree. Raises: StoreError (SYNTAX_ERROR)."""
    with engine.handle() as handle:
        if handle.statement_count(sql) != 1:
            raise StoreError.refusal(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
