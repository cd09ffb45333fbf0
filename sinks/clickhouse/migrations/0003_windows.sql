-- What evidence adds up to. The key of tie_windows is the whole window: one atom of DESIGN.

-- s, n: sum and count of ripe values; ss, sn, nn: over its work items, sums of s_w², s_w·n_w, n_w²; actors are counted
-- per key id and the largest count is kept; largest_share: of the work items, behind one actor.
CREATE TABLE IF NOT EXISTS tie_windows
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `communicator_role` LowCardinality(String),
    `experiencer_role` LowCardinality(String),
    `dimension` LowCardinality(String),
    `origin` LowCardinality(String),
    `period` LowCardinality(String),
    `period_start` Date32,
    `s` Float64,
    `n` UInt64,
    `pending` UInt64,
    `work_items` UInt64,
    `ss` Float64,
    `sn` Float64,
    `nn` Float64,
    `communicator_actors` UInt64,
    `experiencer_actors` UInt64,
    `largest_share` Float64,
    `n_by_rule` Map(String, UInt64),
    `version` DateTime64(6, 'UTC'),
    `is_deleted` UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (run, process, period_start, dimension, origin, communicator_role, experiencer_role, site, period);

-- Windows that are about to lose an evidence row to another window, written before that happens: whoever finds an
-- entry here after a crash re-aggregates it. `batch` names the flush; done entries are is_deleted.
CREATE TABLE IF NOT EXISTS stale_windows
(
    `batch` String,
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `communicator_role` LowCardinality(String),
    `experiencer_role` LowCardinality(String),
    `dimension` LowCardinality(String),
    `origin` LowCardinality(String),
    `period` LowCardinality(String),
    `period_start` Date32,
    `version` DateTime64(6, 'UTC') DEFAULT now64(6),
    `is_deleted` UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (batch, run, process, period_start, dimension, origin, communicator_role, experiencer_role, site, period)
TTL toDateTime(version) + INTERVAL 90 DAY;

-- Keys to look up, when they are too many for the text of a statement. `batch` names the look-up.
CREATE TABLE IF NOT EXISTS look_ups
(
    `batch` String,
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `month` Date,
    `work_item` String,
    `episode_id` String,
    `rule` LowCardinality(String),
    `part` UInt32,
    `asked_at` DateTime('UTC') DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (batch, run, process, month, work_item)
TTL asked_at + INTERVAL 1 HOUR
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS priors
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `dimension` LowCardinality(String),
    `origin` LowCardinality(String),
    `mu` Float64,
    `tau2` Float64,
    `phi` Float64,
    `k` Float64,
    `n_eff` Float64,
    `version` DateTime64(6, 'UTC'),
    `is_deleted` UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (run, process, dimension, origin);
