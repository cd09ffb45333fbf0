"""Which ties there are although no atom of theirs is in the asked time: some handoff, exchange or problem names them.

Finding them takes two steps. A name in tie_names is a reason to look: what no atom names already is a candidate, in
the months in which it was seen. Newest versions of rows, which are dear to find, are then read in these months alone;
mostly there are none. So a row that has changed its roles names no tie that it no longer has.
"""

from __future__ import annotations

from sinks.clickhouse.asked_sql import NEARBY, SCOPE, spans
from sinks.clickhouse.promoted_sql import shown_episodes, shown_runs, shown_windows
from sinks.clickhouse.publish_sql import ASKED_TIME

# The same for both directions of a pair. Hashes of dictionary columns are computed once per entry, so this costs two
# additions per row, where the strings of a million rows would be compared one by one.
_PAIR = "sipHash64({0}.process) * 5 + sipHash64({0}.origin) * 3 + sipHash64({0}.{1}) + sipHash64({0}.{2})"

_EPISODES = """
SELECT 1 AS source, run, process, site, origin, from_role, to_role, offered_at AS at FROM handoffs FINAL
UNION ALL
SELECT 2, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), sent_at FROM exchanges FINAL
UNION ALL
SELECT 3, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), raised_at
FROM problems FINAL"""

# Whatever an atom's sums are: it is there. A window of another period than the process's is no atom.
_PAIRS_OF_ATOMS = f"""
SELECT {_PAIR.format("w", "communicator_role", "experiencer_role")} FROM tie_windows AS w
WHERE {shown_windows()} AND {SCOPE} AND {ASKED_TIME} AND (run, process, period) IN
    (SELECT run, process, period FROM processes FINAL WHERE {shown_runs()})"""

_CANDIDATES = f"""
SELECT source, process, month FROM tie_names AS e
WHERE {shown_runs()} AND {SCOPE} AND month >= toStartOfMonth(earliest_from) AND month < latest_to
    AND {_PAIR.format("e", "from_role", "to_role")} NOT IN ({_PAIRS_OF_ATOMS})"""

NAMED = f"""
SELECT DISTINCT process, origin, from_role, to_role, {spans("at")}
FROM ({_EPISODES})
WHERE {shown_episodes("at")} AND {SCOPE} AND {NEARBY} AND (source, process, toStartOfMonth(at)) IN ({_CANDIDATES})"""
"""The ties that something names in the asked time; mostly without those that atoms name. For a view with `ASKED`.

Columns: process, origin, from_role, to_role (either may be empty), and those of `spans`: whoever knows the process's
period picks one.
"""
