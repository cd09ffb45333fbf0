"""Which ties there are although no atom of theirs is in the asked time: some handoff, exchange or problem names them.

Finding them takes two steps. Any version of a row is a reason to look: what no atom names already is a candidate, in
the months in which it was seen. Newest versions, which are dear to find, are then read in these months alone; mostly
there are none. So a row that has changed its roles names no tie that it no longer has.
"""

from __future__ import annotations

from sinks.clickhouse.asked_sql import NEARBY, RUN, SCOPE, spans
from sinks.clickhouse.publish_sql import asked_atoms

_PAIR = "least(toString({0}), toString({1})), greatest(toString({0}), toString({1}))"


def _episodes(final: str = "", more: str = "") -> str:
    """All handoffs, exchanges and problems in the same columns; `more`: further columns, with a comma before each."""
    handoffs = f"""
SELECT 1 AS source, run, process, site, origin, from_role, to_role, offered_at AS at{more} FROM handoffs{final}"""
    others = ((2, "exchanges", "sent_at"), (3, "problems", "raised_at"))
    return handoffs + "".join(
        f"""
UNION ALL
SELECT {source}, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), {at}{more}
FROM {table}{final}"""
        for source, table, at in others
    )


_IN_ATOMS = asked_atoms(
    "origin, communicator_role, experiencer_role",
    "any(a.process) AS process, any(a.origin) AS origin,"
    " any(a.communicator_role) AS one, any(a.experiencer_role) AS other",
)

# Grouped by hash, which is computed per dictionary entry: the strings of a million rows would be compared one by one.
_CANDIDATES = f"""
SELECT source, process, addMonths(toStartOfMonth(first),
    arrayJoin(range(toUInt32(dateDiff('month', first, last) + 1)))) AS month
FROM
(
    SELECT any(e.source) AS source, any(e.process) AS process, any(e.origin) AS origin,
        any(e.from_role) AS from_role, any(e.to_role) AS to_role, min(at) AS first, max(at) AS last
    FROM (SELECT * FROM ({_episodes(more=", is_deleted")}) WHERE {RUN} AND {SCOPE} AND {NEARBY} AND is_deleted = 0) AS e
    GROUP BY e.source, sipHash64(e.process), sipHash64(e.origin), sipHash64(e.from_role), sipHash64(e.to_role)
)
WHERE (process, origin, {_PAIR.format("from_role", "to_role")}) NOT IN
(
    SELECT process, origin, {_PAIR.format("one", "other")}
    FROM
    ({_IN_ATOMS} AS a
GROUP BY sipHash64(a.process), sipHash64(a.origin), sipHash64(a.communicator_role), sipHash64(a.experiencer_role)
    )
)"""

NAMED = f"""
SELECT DISTINCT process, origin, from_role, to_role, {spans("at")}
FROM ({_episodes(final=" FINAL")})
WHERE {RUN} AND {SCOPE} AND {NEARBY} AND (source, process, toStartOfMonth(at)) IN ({_CANDIDATES})"""
"""The ties that something names in the asked time; mostly without those that atoms name. For a view with `ASKED`.

Columns: process, origin, from_role, to_role (either may be empty), and those of `spans`: whoever knows the process's
period picks one.
"""
