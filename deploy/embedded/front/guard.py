"""What a read-only user may run: decided on the syntax tree that the engine's own parser makes.

chDB has neither users nor grants, and its `readonly` lets table functions reach files and servers, so the front
decides. Everything is an allow list: kinds of statement, kinds of syntax node, functions, table functions, settings,
tables. A granted view may read whatever it likes; its reader names the view only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.embedded.front.accounts import Account
from deploy.embedded.front.engine import Engine
from deploy.embedded.front.errors import BAD_ARGUMENTS, READONLY, StoreError
from deploy.embedded.front.functions import FUNCTIONS_SQL, FunctionList
from deploy.embedded.front.statement import first_words, mentions
from deploy.embedded.front.visit import Visit, denied

Node = dict[str, Any]

_NAME = r"(?:`[^`\\]+`|[A-Za-z_][A-Za-z0-9_]*)"
_ABOUT = re.compile(
    rf"""\s*(?:(?:DESCRIBE|DESC)(?:\s+TABLE)?|EXISTS(?:\s+(?:TABLE|VIEW))?|SHOW\s+CREATE(?:\s+(?:TABLE|VIEW))?)
    (?:\s+(?P<object>{_NAME}(?:\.{_NAME})?(?:\s*\(.*\))?)|\s*(?P<query>\(.*\)))
    (?:\s+FORMAT\s+(?P<format>[A-Za-z0-9_]+))?\s*;?\s*""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_UNSUPPORTED = re.compile(r"AST node of type|not supported by parseQueryToJSON")


@dataclass(frozen=True, slots=True)
class Ruling:
    """A permitted statement: what to run (SHOW is run filtered), with which more parameters, in which own format."""

    sql: str
    output_format: str | None
    params: Mapping[str, str]


class Guard:
    """Rules on one statement of a read-only user.

    Args:
        parse: SQL → syntax tree, by the engine; raises StoreError as the engine does.
        exists: whether (database, table) is there: a name that is both a common table expression and a real table that
            is not granted is refused, because where each applies is the engine's business.
        functions: what may be called.
    """

    def __init__(
        self, parse: Callable[[str], Node], exists: Callable[[str, str], bool], functions: Callable[[], FunctionList]
    ) -> None:
        self._parse = parse
        self._exists = exists
        self._functions = functions

    def rule(self, account: Account, sql: str, database: str) -> Ruling:
        """Raises: StoreError: ACCESS_DENIED, READONLY, or what the engine's parser says."""
        raw = sql.encode()
        if mentions(raw, "OUTFILE") or mentions(raw, "INFILE"):
            raise denied(account, "files are out of reach")
        words = first_words(raw)
        if words[:1] in (("DESCRIBE",), ("DESC",), ("EXISTS",)) or words == ("SHOW", "CREATE"):
            return self._about_a_table(account, sql, database)
        try:
            tree = self._parse(sql)
        except StoreError as error:
            if error.code == BAD_ARGUMENTS and _UNSUPPORTED.search(str(error)):
                raise StoreError.refusal(READONLY, f"{account.name}: Cannot execute query in readonly mode.") from None
            raise
        if tree.get("type") == "ShowTablesQuery":
            return _list_tables(account, tree, database)
        Visit(self, account, database).statement(tree)
        return Ruling(sql, format_of(tree), {})

    def _about_a_table(self, account: Account, sql: str, database: str) -> Ruling:
        """DESCRIBE, EXISTS and SHOW CREATE have no tree of their own: judged as a SELECT from their object."""
        asked = _ABOUT.fullmatch(sql)
        if asked is None:
            raise denied(account, "DESCRIBE, EXISTS and SHOW CREATE take one table, view or query")
        tree = self._parse(f"SELECT * FROM {asked['object'] or asked['query']}")
        Visit(self, account, database).statement(tree)
        return Ruling(sql, asked["format"], {})

    def hidden(self, account: Account, database: str, table: str) -> bool:
        return not account.may_read(database, table) and self._exists(database, table)

    def is_view(self, database: str, name: str) -> bool:
        return not self._functions().is_table_function(name) and self._exists(database, name)

    def callable(self, name: str) -> bool:
        return self._functions().allows(name)


def guard_of(engine: Engine) -> Guard:
    """The guard that asks this engine."""

    def parse(sql: str) -> Node:
        return syntax_tree(engine, sql)

    def exists(database: str, table: str) -> bool:
        with engine.handle() as handle:
            asked = "SELECT count() FROM system.tables WHERE hex(database) = {d:String} AND hex(name) = {t:String}"
            params = {"d": database.encode().hex().upper(), "t": table.encode().hex().upper()}
            return handle.value(asked, params) != "0"

    built: list[FunctionList] = []

    def functions() -> FunctionList:
        if not built:
            with engine.handle() as handle:
                rows = handle.query(FUNCTIONS_SQL, "JSONCompactEachRow").body.splitlines()
                table_functions = handle.value("SELECT name FROM system.table_functions").split("\n")
            built.append(FunctionList((tuple(json.loads(row)) for row in rows), table_functions))
        return built[0]

    return Guard(parse, exists, functions)


def syntax_tree(engine: Engine, sql: str) -> Node:
    """One statement as the engine parses it, about 2 ms.

    Raises: StoreError: SYNTAX_ERROR (several statements too); BAD_ARGUMENTS for kinds that have no JSON form.
    """
    with engine.handle() as handle:
        try:
            text = handle.value("SELECT parseQueryToJSON(unhex({sql:String}))", {"sql": sql.encode().hex()})
        except StoreError as error:
            raise StoreError(
                error.code, re.sub(r": In scope SELECT parseQueryToJSON.*", "", str(error), flags=re.DOTALL)
            ) from None
    tree: Node = json.loads(text)
    return tree


def format_of(tree: Node) -> str | None:
    """The format that the statement names itself."""
    named = tree.get("format_ast")
    return str(named["name"]) if named else None


def _list_tables(account: Account, tree: Node, database: str) -> Ruling:
    """SHOW TABLES and SHOW DATABASES, of what the user may read only."""
    given = {key for key, value in tree.items() if value not in (False, None)}
    if given - {"type", "databases", "like", "from", "format_ast"}:
        raise denied(account, "only SHOW TABLES [FROM database] [LIKE pattern] and SHOW DATABASES")
    granted = " OR ".join(f"match(concat(database, '.', name), '{_regex(p)}')" for p in account.grants or ()) or "0"
    params = {"show_like": _escaped(str(tree.get("like") or "%"))}
    if tree.get("databases"):
        column = "DISTINCT database AS name"
        where = "database LIKE {show_like:String}"
    else:
        column = "name"
        where = "name LIKE {show_like:String} AND database = {show_from:String}"
        params["show_from"] = _escaped(str((tree.get("from") or {}).get("name") or database))
    return Ruling(
        f"SELECT {column} FROM system.tables WHERE ({granted}) AND {where} ORDER BY name", format_of(tree), params
    )


def _regex(pattern: str) -> str:
    """The grant's pattern as a regular expression inside a string literal."""
    kept = "".join(character if character.isalnum() or character in "_*." else "" for character in pattern)
    return "^" + kept.replace(".", "[.]").replace("*", "[^.]*") + "$"


def _escaped(value: str) -> str:
    """A parameter's value, in the escaped form that the engine reads."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
