-- What evidence says beside its value (see schemas.rows.EvidenceRow), and its sums in the windows.

ALTER TABLE evidence
    ADD COLUMN IF NOT EXISTS `waited_s` Nullable(Float64),
    ADD COLUMN IF NOT EXISTS `answered` Bool,
    ADD COLUMN IF NOT EXISTS `held_s` Nullable(Float64),
    ADD COLUMN IF NOT EXISTS `hour_of_week` UInt8,
    ADD COLUMN IF NOT EXISTS `marks` Array(LowCardinality(String));

-- Over ripe evidence. marks: of every rule; the rest of handoff_acceptance only, so that one distribution is not mixed with
-- another. answered, unanswered: by bin of waited_s, k = floor(4 · log2(1 + waited_s/15)), from 15·(2^(k/4) − 1) s;
-- open_since: what is neither yet, by the minute since 1970 of its start; hours: by hour of the week;
-- flow_handoffs: those held until the tenure ended, flow_waited_s and flow_held_s the sums of their two times.
ALTER TABLE tie_windows
    ADD COLUMN IF NOT EXISTS `marks` Map(String, UInt64),
    ADD COLUMN IF NOT EXISTS `answered` Map(UInt8, UInt64),
    ADD COLUMN IF NOT EXISTS `unanswered` Map(UInt8, UInt64),
    ADD COLUMN IF NOT EXISTS `open_since` Map(UInt32, UInt64),
    ADD COLUMN IF NOT EXISTS `hours` Map(UInt8, UInt64),
    ADD COLUMN IF NOT EXISTS `flow_handoffs` UInt64,
    ADD COLUMN IF NOT EXISTS `flow_waited_s` Float64,
    ADD COLUMN IF NOT EXISTS `flow_held_s` Float64;
