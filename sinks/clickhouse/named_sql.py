"""Which ties there are although no atom of theirs is in the asked time: some handoff, exchange or problem names them.

Finding them takes two steps. Any version of a row is a reason to look: what no atom names already is a candidate, in
the months in which it was seen. Newest versions, which are dear to find, are then read in these months alone; mostly
there are none. So a row that has changed its roles names no tie that it no longer has.
"""

from __future__ import annotations

from sinks.clickhouse.asked_sql import NEARBY, RUN, SCOPE, spans
from sinks.clickhouse.publish_sql import asked_atoms

# The same for both directions of a pair. Hashes of dictionary columns are computed once per entry, so this costs two
# additions per row, where the strings of a million rows would be compared one by one.
_PAIR = "sipHash64({0}.process) * 5 + sipHash64({0}.origin) * 3 + sipHash64({0}.{1}) + sipHash64({0}.{2})"


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


_ROLES = ("communicator_role", "experiencer_role")
_PAIRS_OF_ATOMS = asked_atoms(f"origin, {', '.join(_ROLES)}", _PAIR.format("a", *_ROLES))

_CANDIDATES = f"""
SELECT source, process, addMonths(toStartOfMonth(first),
    arrayJoin(range(toUInt32(dateDiff('month', first, last) + 1)))) AS month
FROM
(
    SELECT e.source AS source, e.process AS process, min(at) AS first, max(at) AS last
    FROM ({_episodes(more=", is_deleted")}) AS e
    WHERE {RUN} AND {SCOPE} AND {NEARBY} AND is_deleted = 0
        AND {_PAIR.format("e", "from_role", "to_role")} NOT IN ({_PAIRS_OF_ATOMS} AS a)
    GROUP BY source, process, e.origin, e.from_role, e.to_role
)"""

NAMED = f"""
SELECT DISTINCT process, origin, from_role, to_role, {spans("at")}
FROM ({_episodes(final=" FINAL")})
WHERE {RUN} AND {SCOPE} AND {NEARBY} AND (source, process, toStartOfMonth(at)) IN ({_CANDIDATES})"""
"""The ties that something names in the asked time; mostly without those that atoms name. For a view with `ASKED`.

Columns: process, origin, from_role, to_role (either may be empty), and those of `spans`: whoever knows the process's
period picks one.
"""
