"""One walk over the syntax tree of a read-only user's query. Anything that this file does not know is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from deploy.embedded.front.accounts import Account
from deploy.embedded.front.errors import ACCESS_DENIED, READONLY, StoreError
from deploy.embedded.front.functions import TABLE_FUNCTIONS
from deploy.embedded.front.settings import check_query_setting

Node = dict[str, Any]

_QUERIES = frozenset({"SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery"})
_NODES_WORDS = """
    Subquery ExpressionList Identifier TableIdentifier Function Literal QueryParameter Asterisk QualifiedAsterisk
    ColumnsRegexpMatcher ColumnsListMatcher QualifiedColumnsRegexpMatcher QualifiedColumnsListMatcher
    ColumnsTransformerList ColumnsExceptTransformer ColumnsApplyTransformer ColumnsReplaceTransformer
    ColumnsReplaceTransformerReplacement WithElement TablesInSelectQuery TablesInSelectQueryElement TableExpression
    TableJoin ArrayJoin SampleRatio OrderByElement WindowDefinition WindowListElement InterpolateElement SetQuery
"""
_NODES = _QUERIES | frozenset(_NODES_WORDS.split())
_EXPLAIN_KEYS = frozenset({"type", "kind", "query", "settings", "format_ast"})
_EXPLAINS = frozenset({"EXPLAIN", "EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE", "EXPLAIN PIPELINE"})
_IN = frozenset(
    f"{reach}{name}{suffix}"
    for reach in ("", "global")
    for name in ("in", "notin", "nullin", "notnullin")
    for suffix in ("", "ignoreset")
)


class Rules(Protocol):
    def callable(self, name: str) -> bool:
        """Whether a function may be called."""

    def is_view(self, database: str, name: str) -> bool:
        """Whether the bare name, called with arguments, can only be a view of that database: no table function."""

    def hidden(self, account: Account, database: str, table: str) -> bool:
        """Whether there is such a table that the account may not read."""


def denied(account: Account, what: str) -> StoreError:
    return StoreError.refusal(ACCESS_DENIED, f"{account.name}: Not enough privileges: {what}.")


class Visit:
    """The walk. `statement` raises StoreError at the first thing that is not allowed."""

    def __init__(self, rules: Rules, account: Account, database: str) -> None:
        self._rules = rules
        self._account = account
        self._database = database
        self._ctes: set[str] = set()
        self._aliases: dict[str, list[Node]] = {}

    def statement(self, tree: Node) -> None:
        if tree.get("type") == "ExplainQuery":
            unknown = {key for key, value in tree.items() if value is not False} - _EXPLAIN_KEYS
            if tree.get("kind") not in _EXPLAINS or "query" not in tree or unknown:
                raise denied(self._account, f"{tree.get('kind')} is not for read-only users")
            tree = tree["query"]
        if tree.get("type") not in _QUERIES:
            raise StoreError.refusal(READONLY, f"{self._account.name}: Cannot execute query in readonly mode.")
        nodes = list(_nodes(tree))
        self._names(nodes)
        for node in nodes:
            self._node(node)

    def _names(self, nodes: list[Node]) -> None:
        for node in nodes:
            if node["type"] == "WithElement":
                self._ctes.add(str(node.get("name")))
            elif "alias" in node and node["type"] != "TableIdentifier":
                self._aliases.setdefault(str(node["alias"]), []).append(node)

    def _node(self, node: Node) -> None:
        kind = node["type"]
        if kind not in _NODES:
            raise denied(self._account, f"{kind} is not for read-only users")
        if node.get("out_file") is not None:
            raise denied(self._account, "files are out of reach")
        if kind == "QueryParameter" and str(node.get("param_type", "")).lower() != "identifier":
            return
        if kind == "QueryParameter":
            raise denied(self._account, "identifiers cannot be parameters")
        if kind == "SetQuery":
            for change in node.get("changes", ()):
                check_query_setting(str(change["name"]), change.get("value", {}).get("value"))
            if set(node) - {"type", "changes"}:
                raise denied(self._account, "only plain settings")
        if kind == "TableExpression":
            self._source(node)
        if kind == "Function":
            self._function(node)
        if kind == "ColumnsApplyTransformer" and "func_name" in node:
            self._call(str(node["func_name"]))

    def _source(self, node: Node) -> None:
        if "table_function" in node:
            self._table_function(node["table_function"])
        elif "database_and_table_name" in node:
            self._table(_parts(node["database_and_table_name"]))
        elif "subquery" not in node:
            raise denied(self._account, "a source of another kind")

    def _table_function(self, node: Node) -> None:
        """A harmless generator, or a parameterised view that is granted."""
        node["is_table"] = True
        name = str(node["name"])
        if not node.get("is_compound_name"):
            if name.lower() in TABLE_FUNCTIONS:
                return
            if self._account.may_read(self._database, name) and self._rules.is_view(self._database, name):
                return
        elif name.count(".") == 1 and self._account.may_read(*name.split(".")):
            return
        raise denied(self._account, f"table function or view {name}")

    def _table(self, parts: list[str]) -> None:
        if len(parts) == 1:
            name = parts[0]
            if any(node["type"] != "Subquery" for node in self._aliases.get(name, ())):
                raise denied(self._account, f"{name} is an alias of something else in this query: rename one of them")
            if name in self._ctes:
                if self._rules.hidden(self._account, self._database, name):
                    raise denied(self._account, f"{name} is also a table: call the expression something else")
                return
            parts = [self._database, name]
        if len(parts) != 2 or not self._account.may_read(parts[0], parts[1]):
            raise denied(self._account, f"SELECT on {'.'.join(parts)}")

    def _function(self, node: Node) -> None:
        name = str(node["name"])
        if node.get("is_table"):
            return
        self._call(name)
        if name.lower() in _IN:
            arguments = (node.get("arguments") or {}).get("children", ())
            for argument in arguments[1:]:
                self._right_of_in(argument, set())

    def _call(self, name: str) -> None:
        if not self._rules.callable(name):
            raise denied(self._account, f"function {name}")

    def _right_of_in(self, node: Node, seen: set[str]) -> None:
        """A bare name there may stand for a whole table."""
        if node["type"] not in ("Identifier", "TableIdentifier"):
            return
        parts = _parts(node)
        named = [self._database, *parts] if len(parts) == 1 else parts
        if len(named) == 2 and self._rules.hidden(self._account, named[0], named[1]):
            raise denied(self._account, f"SELECT on {'.'.join(named)}")
        if len(parts) == 1 and parts[0] not in seen:
            for target in self._aliases.get(parts[0], ()):
                self._right_of_in(target, seen | {parts[0]})


def _parts(node: Node) -> list[str]:
    """Quoted dots stay inside a part: the parser lists the parts only where there are several."""
    return [str(part) for part in node.get("name_parts") or [node["name"]]]


def _nodes(value: Any) -> Iterator[Node]:
    """Every syntax node, parents before children, whatever key it hangs on."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            if isinstance(item.get("type"), str):
                yield item
            stack.extend(item.values())
