-- Derived rows, one table per topic: the columns are the fields of schemas.rows. The sort key holds what never changes
-- about a row (so never a role, site or state) and starts with the month, which makes reading a period cheap. No
-- partitions: a merge never looks across them. Larger revision wins; a tombstone is is_deleted = 1. The constraints refuse
-- what is no row at all, such as an empty JSON object.

CREATE TABLE IF NOT EXISTS handoffs
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `work_item` String CODEC(ZSTD),
    `episode_id` String CODEC(ZSTD),
    `event_ids` Array(String) CODEC(ZSTD),
    `policy_version` LowCardinality(String),
    `method_version` LowCardinality(String),
    `revision` UInt64,
    `is_deleted` UInt8,
    `handoff_id` String CODEC(ZSTD),
    `from_role` LowCardinality(String),
    `to_role` LowCardinality(String),
    `origin` LowCardinality(String),
    `intent` LowCardinality(String),
    `urgency` LowCardinality(String),
    `offered_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `needed_at` Nullable(DateTime64(6, 'UTC')),
    `accept_due_at` Nullable(DateTime64(6, 'UTC')),
    `accept_due_unpaused_at` Nullable(DateTime64(6, 'UTC')),
    `accepted_at` Nullable(DateTime64(6, 'UTC')),
    `declined_at` Nullable(DateTime64(6, 'UTC')),
    `returned_at` Nullable(DateTime64(6, 'UTC')),
    `withdrawn_at` Nullable(DateTime64(6, 'UTC')),
    `left_at` Nullable(DateTime64(6, 'UTC')),
    `closed_at` Nullable(DateTime64(6, 'UTC')),
    `state` LowCardinality(String),
    `waited_s` Nullable(Float64),
    `worked` Bool,
    `worked_at` Nullable(DateTime64(6, 'UTC')),
    `bounced` Bool,
    `planned_return` Bool,
    `left_before_due` Bool,
    `skewed` Bool,
    `completeness` Nullable(Float64),
    `clarifications` UInt32,
    `read_backs` UInt32,
    `repaired_read_backs` UInt32,
    `own_corrections` UInt32,
    `reasons` Array(LowCardinality(String)),
    CONSTRAINT has_identity CHECK run != '' AND process != '' AND work_item != '' AND episode_id != ''
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (run, process, toStartOfMonth(offered_at), work_item, episode_id);

CREATE TABLE IF NOT EXISTS exchanges
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `work_item` String CODEC(ZSTD),
    `episode_id` String CODEC(ZSTD),
    `event_ids` Array(String) CODEC(ZSTD),
    `policy_version` LowCardinality(String),
    `method_version` LowCardinality(String),
    `revision` UInt64,
    `is_deleted` UInt8,
    `message_id` String CODEC(ZSTD),
    `from_role` LowCardinality(String),
    `to_roles` Array(LowCardinality(String)),
    `sent_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `reply_due_at` Nullable(DateTime64(6, 'UTC')),
    `replied_at` Nullable(DateTime64(6, 'UTC')),
    `replied_by_role` LowCardinality(String),
    `waited_s` Nullable(Float64),
    CONSTRAINT has_identity CHECK run != '' AND process != '' AND work_item != '' AND episode_id != ''
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (run, process, toStartOfMonth(sent_at), work_item, episode_id);

CREATE TABLE IF NOT EXISTS problems
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `work_item` String CODEC(ZSTD),
    `episode_id` String CODEC(ZSTD),
    `event_ids` Array(String) CODEC(ZSTD),
    `policy_version` LowCardinality(String),
    `method_version` LowCardinality(String),
    `revision` UInt64,
    `is_deleted` UInt8,
    `problem_id` String CODEC(ZSTD),
    `from_role` LowCardinality(String),
    `to_roles` Array(LowCardinality(String)),
    `raised_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `respond_by` Nullable(DateTime64(6, 'UTC')),
    `first_response_at` Nullable(DateTime64(6, 'UTC')),
    `resolved_at` Nullable(DateTime64(6, 'UTC')),
    `reopened` UInt32,
    `constructive` UInt32,
    `neutral` UInt32,
    `blame` UInt32,
    `refuse` UInt32,
    CONSTRAINT has_identity CHECK run != '' AND process != '' AND work_item != '' AND episode_id != ''
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (run, process, toStartOfMonth(raised_at), work_item, episode_id);

CREATE TABLE IF NOT EXISTS evidence
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `work_item` String CODEC(ZSTD),
    `episode_id` String CODEC(ZSTD),
    `event_ids` Array(String) CODEC(ZSTD),
    `policy_version` LowCardinality(String),
    `method_version` LowCardinality(String),
    `revision` UInt64,
    `is_deleted` UInt8,
    `rule` LowCardinality(String),
    `part` UInt32,
    `communicator_role` LowCardinality(String),
    `experiencer_role` LowCardinality(String),
    `communicator_actors` Array(String) CODEC(ZSTD),
    `experiencer_actors` Array(String) CODEC(ZSTD),
    `dimension` LowCardinality(String),
    `origin` LowCardinality(String),
    `at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `known_at` Nullable(DateTime64(6, 'UTC')),
    `ripe` Bool,
    `value` Nullable(Float64),
    `period` LowCardinality(String),
    `period_start` Date32,
    CONSTRAINT has_identity CHECK run != '' AND process != '' AND work_item != '' AND episode_id != '' AND rule != ''
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (run, process, toStartOfMonth(at), work_item, episode_id, rule, part);

-- Something worth acting on, as it was said: a record, not part of what a replay must reproduce.
CREATE TABLE IF NOT EXISTS signals
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `signal` String,
    `kind` LowCardinality(String),
    `work_item` String,
    `episode_id` String,
    `communicator_role` LowCardinality(String),
    `experiencer_role` LowCardinality(String),
    `dimension` LowCardinality(String),
    `at` DateTime64(6, 'UTC'),
    `said_at` DateTime64(6, 'UTC'),
    `event_ids` Array(String),
    `policy_version` LowCardinality(String),
    `method_version` LowCardinality(String)
)
ENGINE = ReplacingMergeTree(said_at)
ORDER BY (run, process, kind, signal);
