"""JMESPath expressions: checked when a mapping file is read, evaluated within a budget on whatever a payload holds."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from jmespath import exceptions, functions, parser, visitor

from streams.gateway.connectors.json_mapping.budget import Budget
from streams.gateway.log_import.mapping_file import suggestion

MAX_CHARACTERS = 500
MAX_DEPTH = 40
WHOLE = "$."
HEADERS = "$headers."

_PARSER_ERRORS = (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError)
# What JMESPath raises, and Python itself from within its functions, where a payload holds other types than expected.
_MISFITS = (ValueError, TypeError, OverflowError, ZeroDivisionError, AttributeError, RecursionError)


class View(NamedTuple):
    """What expressions look at.

    Attributes:
        entry: what `items` found, one at a time; the whole payload where a mapping has no `items`.
        whole: the payload, for expressions that begin with `$.`.
        headers: of the request, by lower-case names, for those that begin with `$headers.`.
    """

    entry: object
    whole: object
    headers: dict[str, object]


class Expression:
    """One compiled expression.

    Raises: ValueError: longer than 500 characters, nested more than 40 deep, not JMESPath, or an unknown function.
    """

    __slots__ = ("_node", "_path", "_root", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._root, expression = _rooted(text)
        self._node = _parsed(expression)
        _check(self._node)
        self._path = _plain_path(self._node)

    def find(self, view: View, budget: Budget) -> object:
        """What the expression finds: a JSON value, None for nothing, also where its functions do not fit the payload.

        Raises: InvalidEvent: `too_complex`.
        """
        value = view[self._root]
        if self._path is not None:
            budget.spend(1)
            return _follow(value, self._path)
        try:
            return _plain_value(_Interpreter(budget).visit(self._node, value))
        except _MISFITS:
            return None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@lru_cache(maxsize=4096)
def expression(text: str) -> Expression:
    """The compiled expression. Raises: ValueError: as `Expression`."""
    return Expression(text)


def _rooted(text: str) -> tuple[int, str]:
    """(which part of a view it looks at, the JMESPath)."""
    if text.startswith(HEADERS):
        return 2, text[len(HEADERS) :]
    if text.startswith(WHOLE):
        return 1, text[len(WHOLE) :]
    return 0, text


def _parsed(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"an expression has at most {MAX_CHARACTERS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old way to write literals
            # Not `jmespath.compile`: it keeps what it compiled in a cache of its own.
            fresh: Any = parser.Parser()
            parsed = fresh._parse(text).parsed
    except exceptions.ParseError as error:
        raise ValueError(f"not a JMESPath expression: {_place(error, text)}") from None
    except _PARSER_ERRORS:
        raise ValueError("not a JMESPath expression") from None
    return parsed


def _place(error: exceptions.ParseError, text: str) -> str:
    position = error.lex_position
    if not isinstance(position, int) or position >= len(text):
        return "it ends too early"
    hint = "; `$` stands in front: `$.` or `$headers.`" if text[position] == "$" else ""
    return f"at character {position + 1}, {text[position]!r}{hint}"


def _check(node: Any) -> None:
    waiting = [(node, 1)]
    while waiting:
        part, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"an expression is nested at most {MAX_DEPTH} deep")
        if part["type"] == "function_expression":
            _check_function(part["value"], len(part["children"]))
        if part["type"] == "slice" and 0 in part["children"][2:]:
            raise ValueError("the step of a slice cannot be 0")
        waiting.extend((child, depth + 1) for child in part.get("children", ()) if isinstance(child, dict))


def _check_function(name: str, given: int) -> None:
    known = functions.Functions.FUNCTION_TABLE
    if name not in known:
        raise ValueError(f"unknown function {name!r}{suggestion(name, sorted(known))}")
    signature = known[name]["signature"]
    if given < len(signature) or (given > len(signature) and not signature[-1].get("variadic")):
        raise ValueError(f"{name}() takes {len(signature)} arguments, {given} are given")


def _plain_path(node: Any) -> tuple[str, ...] | None:
    """The keys, if it is nothing but keys with dots between them, as most are: no interpreter is needed then."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression" or any(child["type"] != "field" for child in node["children"]):
        return None
    return tuple(child["value"] for child in node["children"])


def _follow(value: object, path: tuple[str, ...]) -> object:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _plain_value(found: object) -> object:
    # `&name` alone is an expression, no value.
    return None if isinstance(found, visitor._Expression) else found


class _Interpreter(visitor.TreeInterpreter):
    """JMESPath's own, paying for every step before it is made."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(visitor.Options(custom_functions=_Functions(budget)))
        self._budget = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._budget.spend(1)
        return super().visit(node, *args, **kwargs)

    def visit_flatten(self, node: Any, value: object) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        return list(self._flattened(base))

    def _flattened(self, base: list[object]) -> Iterator[object]:
        for element in base:
            inner = element if isinstance(element, list) else [element]
            self._budget.spend(1 + len(inner))
            yield from inner

    def visit_slice(self, node: Any, value: object) -> Any:
        if isinstance(value, list):
            self._budget.spend(len(value))
        return super().visit_slice(node, value)

    def visit_comparator(self, node: Any, value: object) -> Any:
        compared = [self.visit(child, value) for child in node["children"]]
        for one in compared:
            self._budget.spend_all_of(one)
        found: Any = {**node, "children": [{"type": "literal", "value": one} for one in compared]}
        return super().visit_comparator(found, value)


class _Functions(functions.Functions):
    """JMESPath's own, paying for the size of what they are given."""

    # What looks at all of its arguments; the others look at one level.
    _DEEP = frozenset({"to_string", "contains"})

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def call_function(self, function_name: str, resolved_args: Any) -> Any:
        for argument in resolved_args:
            self._pay(argument, function_name in self._DEEP)
        if function_name == "join" and isinstance(resolved_args[1], list):
            self._pay_for_join(resolved_args[0], resolved_args[1])
        return super().call_function(function_name, resolved_args)

    def _pay(self, argument: object, deep: bool) -> None:
        if deep:
            self._budget.spend_all_of(argument)
        elif isinstance(argument, str):
            self._budget.spend_text(len(argument))
        elif isinstance(argument, list | dict):
            self._budget.spend(1 + len(argument))

    def _pay_for_join(self, glue: object, parts: list[object]) -> None:
        lengths = sum(len(part) for part in parts if isinstance(part, str))
        self._budget.spend_text(lengths + len(parts) * (len(glue) if isinstance(glue, str) else 0))


def text_of(found: object) -> str:
    """A value as the text that rules compare and ids are made of; empty for null, lists and objects."""
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return _digits(found)
    return ""


def _digits(number: int | float) -> str:
    try:
        return str(number)
    except ValueError:  # more digits than Python writes
        return ""
