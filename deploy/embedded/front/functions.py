"""Which functions a read-only user may call: an allow list, by the engine's own categories.

Functions of these categories compute from their arguments alone. Those that read a file, a dictionary, another table by
name, the server's configuration or the network are in no listed category or are struck out by name.
"""

from __future__ import annotations

from collections.abc import Iterable

_TABLE_FUNCTIONS_WORDS = """
    numbers numbers_mt zeros zeros_mt generateseries generate_series values sqlstandardvalues generaterandom
"""
TABLE_FUNCTIONS = frozenset(_TABLE_FUNCTIONS_WORDS.split())

_CATEGORIES = frozenset(
    {
        "Aggregate Functions", "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times",
        "Distance", "Encoding", "Financial", "Geo", "Geo Polygon", "Hash", "IP Address", "JSON", "Logical", "Map",
        "Mathematical", "Null", "Nullable", "NumericIndexedVector", "Random Number", "Rounding", "String",
        "String Replacement", "String Search", "String Splitting", "Time Series", "Time Window", "Tuple",
        "Type Conversion", "URL", "UUID", "Window Functions",
    }
)  # fmt: skip
_ALSO_WORDS = """
    bar blocknumber blocksize bytesize countdigits currentdatabase currentuser defaultvalueofargumenttype
    displayname dumpcolumnstructure errorcodetoname finalizeaggregation formatreadabledecimalsize
    formatreadablequantity formatreadablesize formatreadabletimedelta getsetting identity ignore indexhint
    initializeaggregation isconstant isdecimaloverflow lambda materialize minsamplesizecontinuous
    minsamplesizeconversion neighbor queryid revision rownumberinallblocks rownumberinblock runningaccumulate
    runningdifference runningdifferencestartingwithfirstvalue tocolumntypename totypename transform uptime
    varianttype variantelement version visiblewidth grouping exists countdistinct casewithexpression nested
    __actionname viewportfilter untuple
"""
_ALSO = frozenset(_ALSO_WORDS.split())
_NEVER_WORDS = """
    file url joinget joingetornull hascolumnintable evalmlmethod catboostevaluate reversednsquery
    getclienthttpheader getmacro getserversetting getserverport showcertificate structuretocapnprotoschema
    structuretoprotobufschema sleep sleepeachrow mergetreepartinfo addresstoline addresstolinewithinlines
    addresstosymbol demangle logtrace tid generateserialid aggthrow estimatecompressionratio fuzzquery eval
    chdb
"""
_NEVER = frozenset(_NEVER_WORDS.split())
_SUFFIXES_WORDS = """
    simplestate ordefault distinct resample foreach argmax argmin ornull tuple merge state array null map if
"""
_SUFFIXES = _SUFFIXES_WORDS.split()

FUNCTIONS_SQL = (
    "SELECT lower(f.name) AS name, lower(f.alias_to) AS alias_to, f.categories, f.origin, f.is_aggregate"
    " FROM system.functions AS f FORMAT JSONCompactEachRow"
)


class FunctionList:
    """What the engine has, and what of it is allowed.

    Args:
        rows: (name, alias_to, categories, origin, is_aggregate), names in lower case.
        table_functions: names of all of the engine's table functions.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str, str, int]], table_functions: Iterable[str]) -> None:
        self._table_functions = frozenset(name.lower() for name in table_functions)
        listed = list(rows)
        by_name = {name: (categories, origin) for name, alias, categories, origin, _ in listed if not alias}
        self._aggregates = frozenset(name for name, _, _, _, aggregate in listed if aggregate)
        self._allowed = _ALSO | frozenset(
            name
            for name, alias, *_ in listed
            if _allowed(alias or name, *by_name.get(alias or name, ("", ""))) and name not in _NEVER
        )

    def allows(self, name: str) -> bool:
        """Names are compared without case, so that spelling never widens what is allowed."""
        plain = name.lower()
        return plain not in _NEVER and (plain in self._allowed or self._combined(plain))

    def is_table_function(self, name: str) -> bool:
        return name.lower() in self._table_functions

    def _combined(self, name: str) -> bool:
        """An aggregate with combinators (`sumIf`, `quantileStateOrNull`)."""
        for suffix in _SUFFIXES:
            if name.endswith(suffix):
                inner = name.removesuffix(suffix)
                if inner in self._aggregates and inner in self._allowed:
                    return True
                if inner and self._combined(inner):
                    return True
        return False


def _allowed(name: str, categories: str, origin: str) -> bool:
    if origin in ("SQLUserDefined", "ExecutableUserDefined"):
        return origin == "SQLUserDefined"  # its body is the writer's own SQL over its arguments
    return name not in _NEVER and categories in _CATEGORIES
