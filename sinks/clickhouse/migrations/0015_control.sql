-- Interventions say what people fear to lose and when they were registered; effects; control charts that start anew.

ALTER TABLE interventions ADD COLUMN IF NOT EXISTS `worry` String;

ALTER TABLE interventions_from_events MODIFY QUERY
SELECT process, subject AS intervention, source, id, payload, sipHash128(payload) AS payload_hash, site,
    splitByChar('.', type)[3] AS verb, time AS at,
    JSONExtractString(payload, 'data', 'name') AS name,
    JSONExtractString(payload, 'data', 'kind') AS kind,
    JSONExtract(payload, 'data', 'ties', 'Array(Tuple(communicator_role String, experiencer_role String))') AS ties,
    JSONExtractString(payload, 'data', 'hypothesis') AS hypothesis,
    JSONExtract(payload, 'data', 'expected_loss', 'Nullable(Float64)') AS expected_loss,
    JSONExtractString(payload, 'data', 'owner_role') AS owner_role,
    JSONExtractString(payload, 'data', 'worry') AS worry
FROM events WHERE startsWith(type, 'tieline.intervention.');

-- When a content was first received. A delivery that is repeated, or a broker that is filled again, doesn't move it.
CREATE TABLE IF NOT EXISTS intervention_receipts
(
    `process` LowCardinality(String),
    `intervention` String,
    `source` LowCardinality(String),
    `id` String,
    `payload_hash` FixedString(16),
    `received_at` SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (process, intervention, source, id, payload_hash);

CREATE MATERIALIZED VIEW IF NOT EXISTS intervention_receipts_from_events TO intervention_receipts AS
SELECT process, subject AS intervention, source, id, sipHash128(payload) AS payload_hash, received_at
FROM events WHERE startsWith(type, 'tieline.intervention.');

INSERT INTO intervention_receipts
SELECT process, subject AS intervention, source, id, sipHash128(payload) AS payload_hash, received_at
FROM events WHERE startsWith(type, 'tieline.intervention.');

-- Of two contents of one event the smaller payload counts, as everywhere. registered_at: when what is shown was received.
CREATE OR REPLACE VIEW quality_interventions AS
SELECT process, site, intervention, min(started) AS started_at, nullIf(max(ended), toDateTime64(0, 6, 'UTC')) AS ended_at,
    argMinIf(name, at, verb = 'started') AS name, argMinIf(kind, at, verb = 'started') AS kind,
    argMinIf(ties, at, verb = 'started') AS ties, argMinIf(hypothesis, at, verb = 'started') AS hypothesis,
    argMinIf(expected_loss, at, verb = 'started') AS expected_loss,
    argMinIf(owner_role, at, verb = 'started') AS owner_role,
    argMinIf(worry, at, verb = 'started') AS worry,
    argMinIf(received_at, at, verb = 'started') AS registered_at
FROM
(
    SELECT i.*, r.received_at AS received_at,
        if(verb = 'started', at, NULL) AS started, if(verb = 'ended', at, toDateTime64(0, 6, 'UTC')) AS ended
    FROM (SELECT * FROM interventions FINAL ORDER BY payload LIMIT 1 BY source, id) AS i
    LEFT JOIN intervention_receipts AS r FINAL
        ON r.process = i.process AND r.intervention = i.intervention AND r.source = i.source AND r.id = i.id
            AND r.payload_hash = i.payload_hash
)
GROUP BY process, site, intervention
HAVING countIf(verb = 'started') > 0
ORDER BY started_at, process, intervention
SETTINGS join_use_nulls = 0;

-- What `tieline interventions effect` found, the last time it looked: from publishable atoms of that moment.
-- alone, compared: answer to [estimate, low, high], empty where there is none; see docs/method/effects.md.
CREATE TABLE IF NOT EXISTS effects
(
    `run` LowCardinality(String),
    `process` LowCardinality(String),
    `site` LowCardinality(String),
    `intervention` String,
    `communicator_role` LowCardinality(String),
    `experiencer_role` LowCardinality(String),
    `dimension` LowCardinality(String),
    `origin` LowCardinality(String),
    `from_at` Nullable(DateTime64(6, 'UTC')),
    `to_at` Nullable(DateTime64(6, 'UTC')),
    `before` UInt32,
    `after` UInt32,
    `n_before` Float64,
    `n_after` Float64,
    `value_before` Nullable(Float64),
    `value_after` Nullable(Float64),
    `alone` Map(String, Array(Float64)),
    `compared` Map(String, Array(Float64)),
    `ties_compared` UInt32,
    `headline` String,
    `notes` Array(String),
    `verdict` String,
    `computed_at` DateTime64(6, 'UTC'),
    CONSTRAINT has_identity CHECK run != '' AND process != '' AND intervention != ''
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY (run, process, intervention, site, communicator_role, experiencer_role, dimension, origin);
