-- Runs say what they were made with, so that two of them can be compared and explained, and where one is shown as live.

-- policy: what of the policy a fold uses, as canonical JSON; role, source: what a replay was asked for and where it read;
-- events: distinct ones it folded; content_hash: of all its rows, see sinks.clickhouse.content_hash; is_deleted: its rows
-- are being deleted, or were.
ALTER TABLE runs
    ADD COLUMN IF NOT EXISTS `policy` String,
    ADD COLUMN IF NOT EXISTS `role` String,
    ADD COLUMN IF NOT EXISTS `source` String,
    ADD COLUMN IF NOT EXISTS `events` UInt64,
    ADD COLUMN IF NOT EXISTS `work_items` UInt64,
    ADD COLUMN IF NOT EXISTS `content_hash` String,
    ADD COLUMN IF NOT EXISTS `is_deleted` UInt8;

-- Which chunks of its source a replay has written, so that it may go on after a kill.
CREATE TABLE IF NOT EXISTS run_chunks
(
    `run` LowCardinality(String),
    `chunk` String,
    `events` UInt64,
    `work_items` UInt64,
    `written_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    CONSTRAINT has_identity CHECK run != '' AND chunk != ''
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (run, chunk);

-- The run that is shown as live in one period of a process; the empty run: live itself again. Rows are added and never
-- changed: the newest of a period counts, and the earlier ones say what was shown before.
CREATE TABLE IF NOT EXISTS promotions
(
    `process` LowCardinality(String),
    `period` LowCardinality(String),
    `period_start` Date32,
    `run` LowCardinality(String),
    `promoted_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    CONSTRAINT has_identity CHECK process != ''
)
ENGINE = MergeTree
ORDER BY (process, period_start, promoted_at);

-- A view keeps the columns that its table had when it was created.
CREATE OR REPLACE VIEW auditor_runs AS SELECT * EXCEPT (is_deleted) FROM runs FINAL WHERE NOT is_deleted;
