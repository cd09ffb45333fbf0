-- What arrived and what is known about the pipeline itself. Not bound to a run, but for work_items and processes.

-- The archive: canonical events, every distinct content of an identity. The key holds nothing that two copies of one
-- content could differ in; the partition follows from the content, so copies always meet in a merge. A year, not a month:
-- an import of fifteen years of history would otherwise cut every insert into 180 parts, and a look-up read them all.
CREATE TABLE IF NOT EXISTS events
(
    `source` LowCardinality(String),
    `id` String,
    `ref` String ALIAS concat(source, '#', id),
    `type` LowCardinality(String),
    `time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `subject` String CODEC(ZSTD),
    `sequence` UInt64,
    `payload` String CODEC(ZSTD(3)),
    `payload_hash` FixedString(16) MATERIALIZED sipHash128(payload),
    `received_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD),
    CONSTRAINT has_identity CHECK source != '' AND id != '' AND process != '' AND subject != ''
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(time)
ORDER BY (process, subject, source, id, payload_hash);

-- Filled from the archive, with every distinct content; the smallest payload of an identity is the one that counts.
CREATE TABLE IF NOT EXISTS interventions
(
    `process` LowCardinality(String),
    `intervention` String,
    `source` LowCardinality(String),
    `id` String,
    `payload` String CODEC(ZSTD),
    `payload_hash` FixedString(16),
    `site` LowCardinality(String),
    `verb` LowCardinality(String),
    `at` DateTime64(6, 'UTC'),
    `name` String,
    `kind` LowCardinality(String),
    `ties` Array(Tuple(communicator_role String, experiencer_role String)),
    `hypothesis` String,
    `expected_loss` Nullable(Float64),
    `owner_role` LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (process, intervention, source, id, payload_hash);

CREATE MATERIALIZED VIEW IF NOT EXISTS interventions_from_events TO interventions AS
SELECT process, subject AS intervention, source, id, payload, sipHash128(payload) AS payload_hash, site,
    splitByChar('.', type)[3] AS verb, time AS at,
    JSONExtractString(payload, 'data', 'name') AS name,
    JSONExtractString(payload, 'data', 'kind') AS kind,
    JSONExtract(payload, 'data', 'ties', 'Array(Tuple(communicator_role String, experiencer_role String))') AS ties,
    JSONExtractString(payload, 'data', 'hypothesis') AS hypothesis,
    JSONExtract(payload, 'data', 'expected_loss', 'Nullable(Float64)') AS expected_loss,
    JSONExtractString(payload, 'data', 'owner_role') AS owner_role
FROM events WHERE startsWith(type, 'tieline.intervention.');

CREATE TABLE IF NOT EXISTS surveys
(
    `process` LowCardinality(String),
    `survey` String,
    `source` LowCardinality(String),
    `id` String,
    `payload` String CODEC(ZSTD),
    `payload_hash` FixedString(16),
    `site` LowCardinality(String),
    `at` DateTime64(6, 'UTC'),
    `rater_role` LowCardinality(String),
    `rated_role` LowCardinality(String),
    `dimension` LowCardinality(String),
    `mean` Float64,
    `n` UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (process, survey, source, id, payload_hash);

CREATE MATERIALIZED VIEW IF NOT EXISTS surveys_from_events TO surveys AS
SELECT process, subject AS survey, source, id, payload, sipHash128(payload) AS payload_hash, site, time AS at,
    JSONExtractString(payload, 'data', 'rater_role') AS rater_role,
    JSONExtractString(payload, 'data', 'rated_role') AS rated_role,
    JSONExtractString(payload, 'data', 'dimension') AS dimension,
    JSONExtractFloat(payload, 'data', 'mean') AS mean,
    JSONExtract(payload, 'data', 'n', 'UInt32') AS n
FROM events WHERE startsWith(type, 'tieline.survey.');

-- `state` is base64 text. An evicted item's row stays, with an empty state.
CREATE TABLE IF NOT EXISTS work_items
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `work_item` String CODEC(ZSTD),
    `state` String CODEC(ZSTD(3)),
    `events` UInt32,
    `evicted` Bool,
    `oversize` Bool,
    `closed` Bool,
    `last_arrival_at` DateTime64(6, 'UTC'),
    `next_deadline_at` Nullable(DateTime64(6, 'UTC')),
    `revision` UInt64,
    CONSTRAINT has_identity CHECK run != '' AND process != '' AND work_item != ''
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (run, process, work_item);

CREATE TABLE IF NOT EXISTS dead_letters
(
    `id` String,
    `stage` LowCardinality(String),
    `code` LowCardinality(String),
    `field` String,
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64,
    `payload_sha256` String,
    `payload_bytes` UInt64,
    `at` DateTime64(6, 'UTC'),
    CONSTRAINT has_identity CHECK id != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (code, id);

-- One row per run: what was computed, from when to when, with which versions.
CREATE TABLE IF NOT EXISTS runs
(
    `run` String,
    `kind` LowCardinality(String),
    `status` LowCardinality(String),
    `processes` Array(String),
    `from_at` Nullable(DateTime64(6, 'UTC')),
    `to_at` Nullable(DateTime64(6, 'UTC')),
    `as_of` Nullable(DateTime64(6, 'UTC')),
    `policy_versions` Array(String),
    `method_version` LowCardinality(String),
    `started_at` DateTime64(6, 'UTC'),
    `finished_at` Nullable(DateTime64(6, 'UTC')),
    `written_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    CONSTRAINT has_identity CHECK run != ''
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY run;

-- What the newest policy of a run promises for a process: the views join it to decide what may be shown.
CREATE TABLE IF NOT EXISTS processes
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `period` LowCardinality(String),
    `min_actors` UInt32,
    `min_work_items` UInt32,
    `max_share` Float64,
    `observed_dimensions` Array(LowCardinality(String)),
    `observed_rules` Array(LowCardinality(String)),
    `policy_version` String,
    `written_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    CONSTRAINT has_identity CHECK run != '' AND process != ''
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (run, process);
