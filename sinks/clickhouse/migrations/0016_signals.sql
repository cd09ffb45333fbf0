-- What was said, whether it is still so, and which webhooks were told. A record of what was said when: no part of what a
-- replay must reproduce. `said_at` orders the records of a signal, and the one that ends it is always said last.
ALTER TABLE signals
    ADD COLUMN IF NOT EXISTS `state` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `urgent` Bool,
    ADD COLUMN IF NOT EXISTS `to_roles` Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS `origin` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `check` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `source` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `urgency` LowCardinality(String),
    ADD COLUMN IF NOT EXISTS `value` Nullable(Float64),
    ADD COLUMN IF NOT EXISTS `threshold` Nullable(Float64),
    ADD COLUMN IF NOT EXISTS `n` UInt64,
    ADD COLUMN IF NOT EXISTS `opened_at` DateTime64(6, 'UTC'),
    ADD COLUMN IF NOT EXISTS `closed_at` Nullable(DateTime64(6, 'UTC'));

-- How far each message to a webhook has come. `message` is the id that is sent with every attempt.
CREATE TABLE IF NOT EXISTS signal_deliveries
(
    `webhook` LowCardinality(String),
    `message` String,
    `state` LowCardinality(String),
    `attempts` UInt32,
    `first_at` Nullable(DateTime64(6, 'UTC')),
    `next_at` Nullable(DateTime64(6, 'UTC')),
    `http_status` UInt16,
    `at` DateTime64(6, 'UTC'),
    CONSTRAINT has_identity CHECK webhook != '' AND message != ''
)
ENGINE = ReplacingMergeTree(attempts)
ORDER BY (webhook, message)
TTL toDateTime(at) + INTERVAL 90 DAY WHERE state NOT IN ('since', 'gone');

-- When something was due, or began where nothing was: whole months of what was due long ago are passed over. One
-- expression without nulls, as the smallest and largest of a column with nulls tell nothing.
ALTER TABLE handoffs ADD INDEX IF NOT EXISTS due_at ifNull(accept_due_at, offered_at) TYPE minmax;

ALTER TABLE handoffs MATERIALIZE INDEX IF EXISTS due_at;

ALTER TABLE problems ADD INDEX IF NOT EXISTS due_at ifNull(respond_by, raised_at) TYPE minmax;

ALTER TABLE problems MATERIALIZE INDEX IF EXISTS due_at;

-- For operations: roles and work items, no event ids. A tie that has shifted has no figure here; its control chart has.
-- A signal is looked at only if some record of it says opened: once merged, few do.
CREATE OR REPLACE VIEW open_signals AS
SELECT run, process, site, signal, kind, work_item, communicator_role, experiencer_role, to_roles, dimension, origin,
    check, source, urgency, urgent, at, opened_at, value, threshold, n
FROM signals FINAL
WHERE state = 'opened' AND (run, process, kind, signal) IN
    (SELECT run, process, kind, signal FROM signals WHERE state = 'opened')
ORDER BY opened_at, run, process, kind, signal;
