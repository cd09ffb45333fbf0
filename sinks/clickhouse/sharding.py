"""Which shard of a cluster a row lies on.

ReplacingMergeTree and FINAL know of no other shard: two versions of a row that lay on two shards would both count. So
the shard of a row follows from columns of its sort key alone, which no later version of it can change.
"""

from __future__ import annotations

from collections.abc import Mapping

_OF_A_WORK_ITEM = "cityHash64(process, work_item)"
_OF_A_TIE = "cityHash64(process, communicator_role, experiencer_role)"

SHARDED_BY: Mapping[str, str] = {
    # An event lies with all others of its work item: a work item is read from one shard.
    "events": "cityHash64(process, subject)",
    # Filled by views on `events`, on the shard of the event. Same expression, other name: same shard.
    "interventions": "cityHash64(process, intervention)",
    "intervention_receipts": "cityHash64(process, intervention)",
    "surveys": "cityHash64(process, survey)",
    # Filled by views on `events` too, and there a row is a part of a sum: each shard has one of its own, and whoever
    # reads adds them up. So there is no key, and none from which the engine could think that a sum is whole.
    "source_hours": "rand()",
    "role_months": "rand()",
    # Without the run: what a replay writes of a work item lies with what live wrote of it, and with its events.
    "work_items": _OF_A_WORK_ITEM,
    "handoffs": _OF_A_WORK_ITEM,
    "exchanges": _OF_A_WORK_ITEM,
    "problems": _OF_A_WORK_ITEM,
    "evidence": _OF_A_WORK_ITEM,
    # A window adds up evidence of many shards, and all its versions lie on one: that of its tie, in every run.
    "tie_windows": _OF_A_TIE,
    "tie_names": "cityHash64(process, from_role, to_role)",
    "priors": "cityHash64(run, process)",
    # A batch is written and read as one.
    "stale_windows": "cityHash64(batch)",
    "look_ups": "cityHash64(batch)",
    "signals": "cityHash64(process, signal)",
    "signal_deliveries": "cityHash64(webhook, message)",
    "dead_letters": "cityHash64(code, id)",
    "runs": "cityHash64(run)",
    "run_chunks": "cityHash64(run)",
    "processes": "cityHash64(run, process)",
    # All periods of a process on one shard: a promotion is one block, and readers see all of it or nothing.
    "promotions": "cityHash64(process)",
    "effects": "cityHash64(run, process, intervention)",
    "measures": "cityHash64(app, worker)",
    "here": "cityHash64(one)",
    "migrations": "cityHash64(number)",
}
"""Table to the expression that, modulo the shards, says where a row lies."""
