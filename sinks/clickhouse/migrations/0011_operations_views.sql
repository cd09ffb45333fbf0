-- What operations and data engineers look at: flow, freshness, sources, the pipeline. Roles at most, never a person, a work
-- item, an event id or a payload.

-- When the newest thing happened to a handoff: with it whole months of old ones are passed over. One expression, as the
-- smallest and largest of a column with nulls tell nothing.
ALTER TABLE handoffs ADD INDEX IF NOT EXISTS newest_at
    greatest(offered_at, ifNull(accepted_at, offered_at), ifNull(declined_at, offered_at), ifNull(returned_at, offered_at))
    TYPE minmax;

ALTER TABLE handoffs MATERIALIZE INDEX IF EXISTS newest_at;

-- Per minute of the last 24 hours, of a process and site, never of a tie or role. Candidates are found in any version by
-- their times; only those few are then read as they stand now.
CREATE OR REPLACE VIEW handoff_flow AS
SELECT run, process, site, toStartOfMinute(toDateTime(assumeNotNull(at), 'UTC')) AS minute,
    countIf(what = 'offered') AS offered, countIf(what = 'accepted') AS accepted,
    countIf(what = 'declined') AS declined, countIf(what = 'returned') AS returned
FROM
(
    SELECT run, process, site, what, at
    FROM handoffs FINAL
    ARRAY JOIN ['offered', 'accepted', 'declined', 'returned'] AS what,
        [toNullable(offered_at), accepted_at, declined_at, returned_at] AS at
    WHERE (run, process, toStartOfMonth(offered_at), work_item, episode_id) IN
    (
        SELECT run, process, toStartOfMonth(offered_at), work_item, episode_id FROM handoffs
        WHERE greatest(offered_at, ifNull(accepted_at, offered_at), ifNull(declined_at, offered_at),
            ifNull(returned_at, offered_at)) >= now64(6) - INTERVAL 1 DAY
    )
)
WHERE at >= now64(6) - INTERVAL 1 DAY AND at <= now64(6)
GROUP BY run, process, site, minute
ORDER BY run, process, site, minute;

-- What arrived, by the hour of its event time: the same event falls into the same row however often it is inserted. Of
-- that, `ids` and the newest times don't change; `skew_s` counts an insert, so that repeats tilt it a little. An event of
-- an evicted item arrives twice, by `tieline.events` and by `tieline.late`: its skew is of the first arrival.
CREATE TABLE IF NOT EXISTS source_hours
(
    `process` LowCardinality(String),
    `source` LowCardinality(String),
    `hour` DateTime('UTC'),
    `actor_kind` LowCardinality(String),
    `late` Bool,
    `ahead` Bool,
    `ids` AggregateFunction(uniq, String),
    `skew_s` AggregateFunction(quantilesTDigest(0.5, 0.99), Float32),
    `newest_event_at` SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    `newest_received_at` SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    `newest_written_at` SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC')))
)
ENGINE = AggregatingMergeTree
ORDER BY (process, source, hour, actor_kind, late, ahead);

CREATE MATERIALIZED VIEW IF NOT EXISTS source_hours_from_events TO source_hours AS
SELECT process, source, toStartOfHour(toDateTime(time, 'UTC')) AS hour,
    JSONExtractString(payload, 'data', 'actor', 'kind') AS actor_kind,
    topic = 'tieline.late' AS late, time > received_at AS ahead,
    uniqState(id) AS ids,
    quantilesTDigestStateIf(0.5, 0.99)(toFloat32(dateDiff('microsecond', time, received_at) / 1e6), NOT late) AS skew_s,
    max(time) AS newest_event_at, max(received_at) AS newest_received_at, max(toNullable(now64(6))) AS newest_written_at
FROM events
GROUP BY process, source, hour, actor_kind, late, ahead;

-- An upgrade brings its history along: twice is as good as once (see above). Row by row, as the table itself aggregates: a
-- GROUP BY over years of events would not fit into the embedded store's memory.
INSERT INTO source_hours
SELECT process, source, toStartOfHour(toDateTime(time, 'UTC')) AS hour,
    JSONExtractString(payload, 'data', 'actor', 'kind') AS actor_kind,
    topic = 'tieline.late' AS late, time > received_at AS ahead,
    initializeAggregation('uniqState', id) AS ids,
    arrayReduce('quantilesTDigestState(0.5, 0.99)',
        if(late, [], [toFloat32(dateDiff('microsecond', time, received_at) / 1e6)])) AS skew_s,
    time AS newest_event_at, received_at AS newest_received_at, NULL AS newest_written_at
FROM events
SETTINGS max_block_size = 16384, min_insert_block_size_rows = 16384, max_threads = 1, max_insert_threads = 1;

-- The roles that events name, as they arrive, by the month of event time: nobody asks when exactly, and all of it is read
-- at once. Repeats change nothing. Counts are exact up to some hundreds, then within two percent.
CREATE TABLE IF NOT EXISTS role_months
(
    `process` LowCardinality(String),
    `source` LowCardinality(String),
    `role` String,
    `month` Date,
    `ids` AggregateFunction(uniqCombined64(12), String),
    `newest_event_at` SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (process, source, role, month);

CREATE MATERIALIZED VIEW IF NOT EXISTS role_months_from_events TO role_months AS
WITH
    JSONExtract(payload, 'data', 'Tuple(role String, from_role String, to_role String, reported_by String,
        owner_role String, rater_role String, rated_role String, to_roles Array(String),
        ties Array(Tuple(communicator_role String, experiencer_role String)))') AS named,
    arrayJoin(arrayDistinct(arrayFilter(name -> name != '', arrayConcat(
        [named.role, named.from_role, named.to_role, named.reported_by, named.owner_role, named.rater_role,
        named.rated_role], named.to_roles, named.ties.communicator_role, named.ties.experiencer_role)))) AS role
SELECT process, source, role, toStartOfMonth(toDate(toDateTime(time, 'UTC'))) AS month,
    uniqCombined64State(12)(id) AS ids, max(time) AS newest_event_at
FROM events
GROUP BY process, source, role, month;

INSERT INTO role_months
WITH
    JSONExtract(payload, 'data', 'Tuple(role String, from_role String, to_role String, reported_by String,
        owner_role String, rater_role String, rated_role String, to_roles Array(String),
        ties Array(Tuple(communicator_role String, experiencer_role String)))') AS named,
    arrayJoin(arrayDistinct(arrayFilter(name -> name != '', arrayConcat(
        [named.role, named.from_role, named.to_role, named.reported_by, named.owner_role, named.rater_role,
        named.rated_role], named.to_roles, named.ties.communicator_role, named.ties.experiencer_role)))) AS role
SELECT process, source, role, toStartOfMonth(toDate(toDateTime(time, 'UTC'))) AS month,
    initializeAggregation('uniqCombined64State(12)', id) AS ids, time AS newest_event_at
FROM events
SETTINGS max_block_size = 16384, min_insert_block_size_rows = 16384, max_threads = 1, max_insert_threads = 1;

-- What a policy may say about roles: those it knows, under their normal names, and other names for them.
ALTER TABLE processes
    ADD COLUMN IF NOT EXISTS `roles` Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS `aliases` Map(String, String);

-- Roles under their normal names, as the newest live policy has them. `known` is null where it lists none.
CREATE OR REPLACE VIEW pipeline_roles AS
SELECT process, source, role, uniqCombined64Merge(12)(ids) AS events,
    CAST(if(any(empty(known_roles)), NULL, has(any(known_roles), role)), 'Nullable(Bool)') AS known,
    max(named.newest_event_at::DateTime64(6, 'UTC')) AS newest_event_at
FROM
(
    SELECT arrived.process AS process, source, ids, newest_event_at, roles AS known_roles,
        if(mapContains(aliases, arrived.role), aliases[arrived.role], arrived.role) AS role
    FROM role_months AS arrived
    LEFT JOIN (SELECT process, roles, aliases FROM processes FINAL WHERE run = 'live') AS policy USING process
) AS named
GROUP BY process, source, role
ORDER BY process, source, role
SETTINGS join_use_nulls = 0;

-- By the wall clock. `written_age_s` is null until something is written after the upgrade that brought this view.
CREATE OR REPLACE VIEW freshness AS
SELECT process, newest_event_at, newest_received_at,
    dateDiff('microsecond', newest_received_at, now64(6)) / 1e6 AS received_age_s,
    dateDiff('microsecond', newest_written_at, now64(6)) / 1e6 AS written_age_s
FROM
(
    SELECT process, max(newest_event_at::DateTime64(6, 'UTC')) AS newest_event_at,
        max(newest_received_at::DateTime64(6, 'UTC')) AS newest_received_at,
        max(newest_written_at::Nullable(DateTime64(6, 'UTC'))) AS newest_written_at
    FROM source_hours
    GROUP BY process
)
ORDER BY process;

-- Counted are distinct events; those of no actor (human, bot, system or unknown) are the rest. Above 65,536 in an hour the
-- counts are estimates, within one percent. Ask for a period: all of history is slow.
CREATE OR REPLACE VIEW pipeline_sources AS
SELECT process, source, hour, events, late, human, bot, system, unknown,
    ifNotFinite(skews_s[1]::Float64, NULL) AS skew_s_median, ifNotFinite(skews_s[2]::Float64, NULL) AS skew_s_p99, ahead
FROM
(
    SELECT process, source, hour, uniqMerge(ids) AS events,
        uniqMergeIf(ids, source_hours.late) AS late,
        uniqMergeIf(ids, actor_kind = 'human') AS human,
        uniqMergeIf(ids, actor_kind = 'bot') AS bot,
        uniqMergeIf(ids, actor_kind = 'system') AS system,
        uniqMergeIf(ids, actor_kind = 'unknown') AS unknown,
        uniqMergeIf(ids, source_hours.ahead) AS ahead,
        quantilesTDigestMerge(0.5, 0.99)(skew_s) AS skews_s
    FROM source_hours
    GROUP BY process, source, hour
)
ORDER BY process, source, hour;

CREATE OR REPLACE VIEW pipeline_dead_letters AS
SELECT toStartOfHour(toDateTime(at, 'UTC')) AS hour, stage, code, count() AS letters
FROM dead_letters FINAL
GROUP BY hour, stage, code
ORDER BY hour, stage, code;

-- One row, so that a view can tell in which database it is: currentDatabase() is the reader's choice.
CREATE TABLE IF NOT EXISTS here (`one` UInt8) ENGINE = ReplacingMergeTree ORDER BY one;

INSERT INTO here
SELECT 1;

-- Physical rows, with older versions and tombstones that no merge has taken away yet. Detached parts are rows that are
-- missing from their table.
CREATE OR REPLACE VIEW pipeline_tables AS
SELECT name AS table, toUInt64(ifNull(total_rows, 0)) AS rows, toUInt64(ifNull(total_bytes, 0)) AS bytes,
    toUInt64(ifNull(active_parts, 0)) AS parts, detached.parts AS detached_parts
FROM system.tables
LEFT JOIN
(
    SELECT table, count() AS parts FROM system.detached_parts
    WHERE database = (SELECT any(_database) FROM here) GROUP BY table
) AS detached ON detached.table = name
WHERE database = (SELECT any(_database) FROM here) AND endsWith(engine, 'MergeTree')
ORDER BY table
SETTINGS join_use_nulls = 0;

-- What the apps say about their own work (schemas.measure).
CREATE TABLE IF NOT EXISTS measures
(
    `at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    `app` LowCardinality(String),
    `worker` LowCardinality(String),
    `interval_s` Float64,
    `events` UInt64,
    `batches` UInt64,
    `batch_ms_mean` Nullable(Float64),
    `batch_ms_max` Nullable(Float64),
    `lag_s` Nullable(Float64),
    `partitions` UInt32,
    CONSTRAINT has_identity CHECK app != '' AND worker != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (at, app, worker)
TTL toDateTime(at) + INTERVAL 30 DAY;

CREATE OR REPLACE VIEW pipeline_measures AS
SELECT toDateTime(measures.at, 'UTC') AS at, app, worker, interval_s, events, batches, batch_ms_mean, batch_ms_max, lag_s,
    partitions
FROM measures FINAL
ORDER BY at, app, worker;
