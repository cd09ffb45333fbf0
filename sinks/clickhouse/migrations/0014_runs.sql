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

-- The run that is shown as live in one period of a process; the empty run: live itself again.
CREATE TABLE IF NOT EXISTS promotions
(
    `process` LowCardinality(String),
    `period` LowCardinality(String),
    `period_start` Date32,
    `period_end` Date32,
    `run` LowCardinality(String),
    `promoted_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    CONSTRAINT has_identity CHECK process != ''
)
ENGINE = ReplacingMergeTree(promoted_at)
ORDER BY (process, period_start);

-- A view keeps the columns that its table had when it was created.
CREATE OR REPLACE VIEW auditor_runs AS SELECT * EXCEPT (is_deleted) FROM runs FINAL WHERE NOT is_deleted;
-- Views over promoted runs, and runs that may be chosen.

-- A replay may be chosen once it is finished, and until it is deleted.
CREATE OR REPLACE VIEW quality_processes AS
SELECT run, process, period, min_actors, min_work_items, max_share, observed_dimensions, observed_rules, policy_version
FROM processes FINAL
WHERE run NOT IN (SELECT run FROM runs FINAL WHERE kind = 'replay' AND (status != 'finished' OR is_deleted))
ORDER BY run, process;

-- Where live shows another run, one row for each period.
CREATE OR REPLACE VIEW quality_promotions AS
SELECT process, period, period_start, period_end, run, promoted_at FROM promotions FINAL WHERE run != ''
ORDER BY process, period_start;

-- Written by `python -m sinks.clickhouse.quality_views`: see there for what it means.

CREATE OR REPLACE VIEW ties AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone, (SELECT mapFromArrays(groupArray(process), groupArray(promised)) FROM
    (
        SELECT process, (any(period), groupUniqArrayArray(observed_rules)) AS promised
        FROM processes FINAL
        WHERE run = {run:String}
            OR NOT run_alone AND (run, process) IN (SELECT run, process FROM promotions FINAL WHERE run != '' AND period_start <= asked_last_day AND period_end > toDate32(asked_from))
        GROUP BY process
    )) AS promised_of, (SELECT mapFromArrays(groupArray(concat(process, '/', dimension, '/', origin)), groupArray((mu, tau2, phi, k, n_eff)))
    FROM priors FINAL WHERE run = {run:String}) AS prior_of, if(status = 'shown', 0., NULL) AS unless_hidden
SELECT kept.1 AS process, kept.2 AS communicator_role, kept.3 AS experiencer_role, kept.5 AS dimension, kept.4 AS origin, kept.6 AS n, kept.7 AS pending,
    f.estimate + unless_hidden AS estimate, f.low + unless_hidden AS low, f.high + unless_hidden AS high,
    kept.8 AS status, kept.9 AS work_items, kept.10 AS n_by_rule, kept.11 AS hidden_share, kept.12 AS period_from, kept.13 AS period_to
FROM (SELECT kept, _e AS estimate, _low AS low, _high AS high FROM (SELECT kept, _e, (1.0 / (1.0 + exp(((-1.0) * least(greatest(((_psis[1].1 - _psis[2].1) + (sqrt((_psis[1].2 + _psis[2].2)) * (((-1.6449) + (0.2842826683333333 * _g)) - ((-0.01879718704716667) * (_g * _g))))), (-36.0)), 36.0))))) AS _low, (1.0 / (1.0 + exp(((-1.0) * least(greatest(((_psis[1].1 - _psis[2].1) + (sqrt((_psis[1].2 + _psis[2].2)) * ((1.6449 + (0.2842826683333333 * _g)) - (0.01879718704716667 * (_g * _g))))), (-36.0)), 36.0))))) AS _high FROM (SELECT kept, _e, _psis, ((_psis[1].3 - _psis[2].3) / ((_psis[1].2 + _psis[2].2) * sqrt((_psis[1].2 + _psis[2].2)))) AS _g FROM (SELECT kept, _e, arrayMap((x, y, w, r) -> ((((log((x + 6.0)) - (0.5 * y)) + (w * ((-0.08333333333333333) + (w * (0.008333333333333333 + (w * ((-0.003968253968253968) + (w * 0.004166666666666667)))))))) - arraySum(r)), ((y + (w * (0.5 + (y * (0.16666666666666666 + (w * ((-0.03333333333333333) + (w * (0.023809523809523808 + (w * (-0.03333333333333333))))))))))) + arraySum(q -> q * q, r)), ((((-1.0) * w) * ((1.0 + y) - (w * ((-0.5) + (w * (0.16666666666666666 + (w * ((-0.16666666666666666) + (w * 0.3))))))))) - (2.0 * arraySum(q -> q * q * q, r)))), _ab, _ys, arrayMap(y -> (y * y), _ys), arrayMap(x -> arrayMap(i -> 1.0 / (x + i), [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]), _ab)) AS _psis FROM (SELECT kept, _e, [_a, _b] AS _ab, arrayMap(x -> (1.0 / (x + 6.0)), [_a, _b]) AS _ys FROM (SELECT kept, _e, (_e * _size) AS _a, ((1.0 - _e) * _size) AS _b FROM (SELECT kept, _e, greatest(0.5, (((_e * (1.0 - _e)) / if((_k < 5.0), ((_e * (1.0 - _e)) / (_n_ + 2.0)), ((((_e * (1.0 - _e)) * (1.0 - _b_)) / ((_n_ + 1.0) - _b_)) + ((_b_ * _b_) * ((((_mu * (1.0 - _mu)) / _n_eff) + (_tau2 / _k)) + ((2.0 * ((_p - _mu) * (_p - _mu))) / (_k - 3.0))))))) - 1.0)) AS _size FROM (SELECT kept, _b_, _k, _mu, _n_, _n_eff, _p, _tau2, if((_k < 5.0), (((_s / if((_phi > 0.0), _phi, 1.0)) + 0.5) / (_n_ + 1.0)), least(greatest((_p + (_b_ * (_mu - _p))), 0.0001), 0.9999)) AS _e FROM (SELECT kept, _k, _mu, _n_, _n_eff, _p, _phi, _s, _tau2, if((_k < 5.0), 0.0, (((_k - 3.0) / (_k - 1.0)) / ((_n_ * if(((3.0 * _tau2) < (2.0 * (_mu * (1.0 - _mu)))), (_tau2 / ((_mu * (1.0 - _mu)) - _tau2)), 2.0)) + 1.0))) AS _b_ FROM (SELECT kept, _k, _mu, _n_eff, _phi, _s, _tau2, (_n / if((_phi > 0.0), _phi, 1.0)) AS _n_, if((_n > 0.0), (_s / _n), _mu) AS _p FROM (SELECT kept, toFloat64(s) AS _s, toFloat64(n) AS _n, toFloat64(mu) AS _mu, toFloat64(tau2) AS _tau2, toFloat64(phi) AS _phi, toFloat64(k) AS _k, toFloat64(n_eff) AS _n_eff FROM (SELECT tuple(process, communicator_role, experiencer_role, origin, dimension, if(status = 'shown', n, NULL), if(status = 'shown', pending, NULL), status, if(status = 'shown', work_items, NULL), if(status = 'shown', n_by_rule, CAST(map(), 'Map(String, UInt64)')), if(all_work_items = 0, NULL, intDiv(20 * (all_work_items - work_items) + all_work_items, 2 * all_work_items) / 10), multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from), multiIf(period = 'week', week_to, period = 'quarter', quarter_to, month_to)) AS kept, s, n, mu, tau2, phi, k, n_eff FROM (
SELECT t.process AS process, t.origin AS origin, communicator_role, experiencer_role, t.dimension AS dimension,
    found, shown_atoms, peopled_too_thinly, n, pending, work_items, all_work_items, s, n_by_rule,
    promised_of[t.process] AS promised, if(promised.1 = '', 'month', promised.1) AS period,
    hasAny(CAST(promised.2, 'Array(String)'),
    if(t.origin = 'inferred', CAST([[], ['handoff_acceptance'], [], ['handoff_advanced']], 'Array(Array(String))'),
        CAST([['contact'], ['handoff_acceptance', 'handoff_offer', 'reply'], ['handoff_accuracy', 'message_accuracy'], ['problem_response', 'handoff_advanced']], 'Array(Array(String))'))[indexOf(['frequency', 'timeliness', 'accuracy', 'problem_solving'], t.dimension)]) AS declared, multiIf(
        found = 0 AND NOT declared, 'not observed',
        shown_atoms > 0, 'shown',
        peopled_too_thinly > 0, 'hidden: too few people',
        'not enough data') AS status,
    prior_of[concat(t.process, '/', t.dimension, '/', t.origin)] AS prior,
    prior.1 AS mu, prior.2 AS tau2, prior.3 AS phi, prior.4 AS k, prior.5 AS n_eff
FROM (
SELECT tie.1 AS process, tie.2 AS origin, tie.3 AS communicator_role, tie.4 AS experiencer_role, tie.5 AS dimension,
    sums[1] AS in_week, sums[2] AS in_month, sums[3] AS in_quarter, sums[4] AS found, sums[5] AS shown_atoms,
    sums[6] AS peopled_too_thinly, sums[7] AS n, sums[8] AS pending, sums[9] AS work_items, sums[10] AS all_work_items,
    s, n_by_rule
FROM
(
    SELECT tie, sumForEach(counts) AS sums, sumIf(sum_s, holds) AS s, sumMapIf(rules, holds) AS n_by_rule
    FROM
    (
        SELECT holds, sum_s, rules,
            (process, origin, if(turned, b, a), if(turned, a, b), if(own, held, place.1)) AS tie,
            arrayConcat([in_week, in_month, in_quarter], if(holds, [1, shown_atoms, peopled_too_thinly, sum_n, sum_pending, shown_items, all_work_items], [])) AS counts
        FROM (
SELECT process, origin, a, b, held, shown_atoms, peopled_too_thinly, sum_n, sum_pending, shown_items, all_work_items, sum_s, rules, in_week, in_month, in_quarter,
    arrayJoin([('frequency', 0), ('frequency', 1), ('timeliness', 0), ('timeliness', 1), ('accuracy', 0), ('accuracy', 1), ('problem_solving', 0), ('problem_solving', 1), ('', 0), ('', 1)]) AS place, place.2 AS turned, place.1 = '' AS own,
    own AND has_sums AND (NOT turned OR held = 'frequency' AND a != b) AS holds
FROM
(
    SELECT process, origin, communicator_role AS a, experiencer_role AS b, toString(dimension) AS held, 1 AS has_sums,
        shown_atoms, peopled_too_thinly, sum_n, sum_pending, shown_items, all_work_items, sum_s, rules, 1 AS in_week, 1 AS in_month, 1 AS in_quarter
    FROM (
SELECT process, origin, communicator_role, experiencer_role, dimension,
    countIf(publishable) AS shown_atoms, countIf(n > 0 AND NOT enough_people) AS peopled_too_thinly,
    toFloat64(sumIf(toInt128(round(ifNull(s, 0) * 4503599627370496.0)), publishable)) / 4503599627370496.0 AS sum_s,
    sumIf(n, publishable) AS sum_n, sumIf(pending, publishable) AS sum_pending,
    sumIf(work_items, publishable) AS shown_items, sum(work_items) AS all_work_items,
    sumMapIf(n_by_rule, publishable) AS rules
FROM
(
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, origin, communicator_role, experiencer_role, dimension, s, n, pending, n_by_rule, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
))
GROUP BY process, origin, communicator_role, experiencer_role, dimension)
    UNION ALL
    SELECT process, origin, from_role, to_role, 'frequency', 0, 0, 0, 0, 0, 0, 0, 0., CAST(map(), 'Map(String, UInt64)'),
        in_week, in_month, in_quarter
    FROM (
SELECT DISTINCT process, origin, from_role, to_role, at >= week_from_at AND at < week_to_at AS in_week, at >= month_from_at AND at < month_to_at AS in_month, at >= quarter_from_at AND at < quarter_to_at AS in_quarter
FROM (
SELECT 1 AS source, run, process, site, origin, from_role, to_role, offered_at AS at FROM handoffs FINAL
UNION ALL
SELECT 2, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), sent_at FROM exchanges FINAL
UNION ALL
SELECT 3, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), raised_at
FROM problems FINAL)
WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, toDate32(at)) IN (SELECT arrayJoin([toString(run), 'live']), process, arrayJoin(arrayMap(day -> addDays(period_start, day), range(toUInt32(dateDiff('day', period_start, period_end))))) FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND at >= earliest_from_at AND at < latest_to_at AND (source, process, toStartOfMonth(at)) IN (
SELECT source, process, month FROM tie_names AS e
WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND month >= toStartOfMonth(earliest_from) AND month < latest_to
    AND sipHash64(e.process) * 5 + sipHash64(e.origin) * 3 + sipHash64(e.from_role) + sipHash64(e.to_role) NOT IN (
SELECT sipHash64(w.process) * 5 + sipHash64(w.origin) * 3 + sipHash64(w.communicator_role) + sipHash64(w.experiencer_role) FROM tie_windows AS w
WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day AND (run, process, period) IN
    (SELECT run, process, period FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))))))
)
WHERE a != '' AND b != '')
    )
    GROUP BY tie
)) AS t
WHERE multiIf(period = 'week', in_week, period = 'quarter', in_quarter, in_month)))))))))))))) AS f
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW overall AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone, (SELECT mapFromArrays(groupArray(process), groupArray(promised)) FROM
    (
        SELECT process, (any(period), groupUniqArrayArray(observed_rules)) AS promised
        FROM processes FINAL
        WHERE run = {run:String}
            OR NOT run_alone AND (run, process) IN (SELECT run, process FROM promotions FINAL WHERE run != '' AND period_start <= asked_last_day AND period_end > toDate32(asked_from))
        GROUP BY process
    )) AS promised_of, (SELECT mapFromArrays(groupArray(concat(process, '/', dimension, '/', origin)), groupArray((mu, tau2, phi, k, n_eff)))
    FROM priors FINAL WHERE run = {run:String}) AS prior_of, if(status = 'shown', 0., NULL) AS unless_hidden
SELECT kept.1.1 AS process, kept.1.2 AS communicator_role, kept.1.3 AS experiencer_role, kept.1.4 AS origin,
    kept.2 AS dimensions, kept.3 AS status,
    mean + unless_hidden AS estimate, o.low + unless_hidden AS low, o.high + unless_hidden AS high
FROM (SELECT kept, mean, _low AS low, _high AS high FROM (SELECT kept, mean, (1.0 / (1.0 + exp(((-1.0) * least(greatest(((_psis[1].1 - _psis[2].1) + (sqrt((_psis[1].2 + _psis[2].2)) * (((-1.6449) + (0.2842826683333333 * _g)) - ((-0.01879718704716667) * (_g * _g))))), (-36.0)), 36.0))))) AS _low, (1.0 / (1.0 + exp(((-1.0) * least(greatest(((_psis[1].1 - _psis[2].1) + (sqrt((_psis[1].2 + _psis[2].2)) * ((1.6449 + (0.2842826683333333 * _g)) - (0.01879718704716667 * (_g * _g))))), (-36.0)), 36.0))))) AS _high FROM (SELECT kept, mean, _psis, ((_psis[1].3 - _psis[2].3) / ((_psis[1].2 + _psis[2].2) * sqrt((_psis[1].2 + _psis[2].2)))) AS _g FROM (SELECT kept, mean, arrayMap((x, y, w, r) -> ((((log((x + 6.0)) - (0.5 * y)) + (w * ((-0.08333333333333333) + (w * (0.008333333333333333 + (w * ((-0.003968253968253968) + (w * 0.004166666666666667)))))))) - arraySum(r)), ((y + (w * (0.5 + (y * (0.16666666666666666 + (w * ((-0.03333333333333333) + (w * (0.023809523809523808 + (w * (-0.03333333333333333))))))))))) + arraySum(q -> q * q, r)), ((((-1.0) * w) * ((1.0 + y) - (w * ((-0.5) + (w * (0.16666666666666666 + (w * ((-0.16666666666666666) + (w * 0.3))))))))) - (2.0 * arraySum(q -> q * q * q, r)))), _ab, _ys, arrayMap(y -> (y * y), _ys), arrayMap(x -> arrayMap(i -> 1.0 / (x + i), [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]), _ab)) AS _psis FROM (SELECT kept, mean, [_a, _b] AS _ab, arrayMap(x -> (1.0 / (x + 6.0)), [_a, _b]) AS _ys FROM (SELECT kept, mean, (_e * _size) AS _a, ((1.0 - _e) * _size) AS _b FROM (SELECT kept, mean, _e, greatest(0.5, (((_e * (1.0 - _e)) / _variance) - 1.0)) AS _size FROM (SELECT kept, mean, toFloat64(mean) AS _e, toFloat64(spread) AS _variance FROM (
SELECT (tie, dimensions, status) AS kept, if(status = 'shown', estimates / count, 0.5) AS mean,
    if(status = 'shown', pow(sds / count, 2), 0.05) AS spread
FROM (
SELECT tie, parts.1 AS dimensions, greatest(length(parts), 1) AS count,
    multiIf(
        empty(parts), 'not observed',
        has(parts.4, 'hidden: too few people'), 'hidden: too few people',
        countEqual(parts.4, 'shown') < count, 'not enough data',
        'shown') AS status,
    arraySum(parts.2) AS estimates, arraySum(parts.3) AS sds
FROM (
SELECT tie, arraySort(groupArrayIf(part, wanted)) AS parts
FROM
(
    SELECT (kept.1, kept.2, kept.3, kept.4) AS tie, (kept.5, estimate, sqrt(variance), kept.7) AS part, kept.6 AS wanted
    FROM (SELECT kept, _e AS estimate, _variance AS variance FROM (SELECT kept, _e, if((_k < 5.0), ((_e * (1.0 - _e)) / (_n_ + 2.0)), ((((_e * (1.0 - _e)) * (1.0 - _b_)) / ((_n_ + 1.0) - _b_)) + ((_b_ * _b_) * ((((_mu * (1.0 - _mu)) / _n_eff) + (_tau2 / _k)) + ((2.0 * ((_p - _mu) * (_p - _mu))) / (_k - 3.0)))))) AS _variance FROM (SELECT kept, _b_, _k, _mu, _n_, _n_eff, _p, _tau2, if((_k < 5.0), (((_s / if((_phi > 0.0), _phi, 1.0)) + 0.5) / (_n_ + 1.0)), least(greatest((_p + (_b_ * (_mu - _p))), 0.0001), 0.9999)) AS _e FROM (SELECT kept, _k, _mu, _n_, _n_eff, _p, _phi, _s, _tau2, if((_k < 5.0), 0.0, (((_k - 3.0) / (_k - 1.0)) / ((_n_ * if(((3.0 * _tau2) < (2.0 * (_mu * (1.0 - _mu)))), (_tau2 / ((_mu * (1.0 - _mu)) - _tau2)), 2.0)) + 1.0))) AS _b_ FROM (SELECT kept, _k, _mu, _n_eff, _phi, _s, _tau2, (_n / if((_phi > 0.0), _phi, 1.0)) AS _n_, if((_n > 0.0), (_s / _n), _mu) AS _p FROM (SELECT kept, toFloat64(s) AS _s, toFloat64(n) AS _n, toFloat64(mu) AS _mu, toFloat64(tau2) AS _tau2, toFloat64(phi) AS _phi, toFloat64(k) AS _k, toFloat64(n_eff) AS _n_eff FROM (SELECT tuple(process, communicator_role, experiencer_role, origin, dimension, declared, status) AS kept, s, n, mu, tau2, phi, k, n_eff FROM (
SELECT t.process AS process, t.origin AS origin, communicator_role, experiencer_role, t.dimension AS dimension,
    found, shown_atoms, peopled_too_thinly, n, pending, work_items, all_work_items, s, n_by_rule,
    promised_of[t.process] AS promised, if(promised.1 = '', 'month', promised.1) AS period,
    hasAny(CAST(promised.2, 'Array(String)'),
    if(t.origin = 'inferred', CAST([[], ['handoff_acceptance'], [], ['handoff_advanced']], 'Array(Array(String))'),
        CAST([['contact'], ['handoff_acceptance', 'handoff_offer', 'reply'], ['handoff_accuracy', 'message_accuracy'], ['problem_response', 'handoff_advanced']], 'Array(Array(String))'))[indexOf(['frequency', 'timeliness', 'accuracy', 'problem_solving'], t.dimension)]) AS declared, multiIf(
        found = 0 AND NOT declared, 'not observed',
        shown_atoms > 0, 'shown',
        peopled_too_thinly > 0, 'hidden: too few people',
        'not enough data') AS status,
    prior_of[concat(t.process, '/', t.dimension, '/', t.origin)] AS prior,
    prior.1 AS mu, prior.2 AS tau2, prior.3 AS phi, prior.4 AS k, prior.5 AS n_eff
FROM (
SELECT tie.1 AS process, tie.2 AS origin, tie.3 AS communicator_role, tie.4 AS experiencer_role, tie.5 AS dimension,
    sums[1] AS in_week, sums[2] AS in_month, sums[3] AS in_quarter, sums[4] AS found, sums[5] AS shown_atoms,
    sums[6] AS peopled_too_thinly, sums[7] AS n, sums[8] AS pending, sums[9] AS work_items, sums[10] AS all_work_items,
    s, n_by_rule
FROM
(
    SELECT tie, sumForEach(counts) AS sums, sumIf(sum_s, holds) AS s, sumMapIf(rules, holds) AS n_by_rule
    FROM
    (
        SELECT holds, sum_s, rules,
            (process, origin, if(turned, b, a), if(turned, a, b), if(own, held, place.1)) AS tie,
            arrayConcat([in_week, in_month, in_quarter], if(holds, [1, shown_atoms, peopled_too_thinly, sum_n, sum_pending, shown_items, all_work_items], [])) AS counts
        FROM (
SELECT process, origin, a, b, held, shown_atoms, peopled_too_thinly, sum_n, sum_pending, shown_items, all_work_items, sum_s, rules, in_week, in_month, in_quarter,
    arrayJoin([('frequency', 0), ('frequency', 1), ('timeliness', 0), ('timeliness', 1), ('accuracy', 0), ('accuracy', 1), ('problem_solving', 0), ('problem_solving', 1), ('', 0), ('', 1)]) AS place, place.2 AS turned, place.1 = '' AS own,
    own AND has_sums AND (NOT turned OR held = 'frequency' AND a != b) AS holds
FROM
(
    SELECT process, origin, communicator_role AS a, experiencer_role AS b, toString(dimension) AS held, 1 AS has_sums,
        shown_atoms, peopled_too_thinly, sum_n, sum_pending, shown_items, all_work_items, sum_s, rules, 1 AS in_week, 1 AS in_month, 1 AS in_quarter
    FROM (
SELECT process, origin, communicator_role, experiencer_role, dimension,
    countIf(publishable) AS shown_atoms, countIf(n > 0 AND NOT enough_people) AS peopled_too_thinly,
    toFloat64(sumIf(toInt128(round(ifNull(s, 0) * 4503599627370496.0)), publishable)) / 4503599627370496.0 AS sum_s,
    sumIf(n, publishable) AS sum_n, sumIf(pending, publishable) AS sum_pending,
    sumIf(work_items, publishable) AS shown_items, sum(work_items) AS all_work_items,
    sumMapIf(n_by_rule, publishable) AS rules
FROM
(
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, origin, communicator_role, experiencer_role, dimension, s, n, pending, n_by_rule, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
))
GROUP BY process, origin, communicator_role, experiencer_role, dimension)
    UNION ALL
    SELECT process, origin, from_role, to_role, 'frequency', 0, 0, 0, 0, 0, 0, 0, 0., CAST(map(), 'Map(String, UInt64)'),
        in_week, in_month, in_quarter
    FROM (
SELECT DISTINCT process, origin, from_role, to_role, at >= week_from_at AND at < week_to_at AS in_week, at >= month_from_at AND at < month_to_at AS in_month, at >= quarter_from_at AND at < quarter_to_at AS in_quarter
FROM (
SELECT 1 AS source, run, process, site, origin, from_role, to_role, offered_at AS at FROM handoffs FINAL
UNION ALL
SELECT 2, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), sent_at FROM exchanges FINAL
UNION ALL
SELECT 3, run, process, site, toLowCardinality('explicit'), from_role, arrayJoin(to_roles), raised_at
FROM problems FINAL)
WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, toDate32(at)) IN (SELECT arrayJoin([toString(run), 'live']), process, arrayJoin(arrayMap(day -> addDays(period_start, day), range(toUInt32(dateDiff('day', period_start, period_end))))) FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND at >= earliest_from_at AND at < latest_to_at AND (source, process, toStartOfMonth(at)) IN (
SELECT source, process, month FROM tie_names AS e
WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND month >= toStartOfMonth(earliest_from) AND month < latest_to
    AND sipHash64(e.process) * 5 + sipHash64(e.origin) * 3 + sipHash64(e.from_role) + sipHash64(e.to_role) NOT IN (
SELECT sipHash64(w.process) * 5 + sipHash64(w.origin) * 3 + sipHash64(w.communicator_role) + sipHash64(w.experiencer_role) FROM tie_windows AS w
WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day AND (run, process, period) IN
    (SELECT run, process, period FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))))))
)
WHERE a != '' AND b != '')
    )
    GROUP BY tie
)) AS t
WHERE multiIf(period = 'week', in_week, period = 'quarter', in_quarter, in_month)))))))))
)
GROUP BY tie))))))))))) AS o
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW tie_periods AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone
SELECT process, site, communicator_role, experiencer_role, dimension, origin, period, period_start,
    if(period = 'week', addDays(period_start, 7), addMonths(period_start, if(period = 'quarter', 3, 1))) AS period_end, s / n AS value, s, n, pending, work_items, n_by_rule
FROM
(
    SELECT process, site, dimension, origin, period, period_start, s, n, pending, work_items, n_by_rule, if(turned, b, a) AS communicator_role, if(turned, a, b) AS experiencer_role
    FROM
    (
SELECT process, site, dimension, origin, period, period_start, s, n, pending, work_items, n_by_rule, communicator_role AS a, experiencer_role AS b, publishable, arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, site, communicator_role, experiencer_role, dimension, origin, period_start, s, n, pending, n_by_rule, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)
    WHERE publishable
    )
)
ORDER BY process, site, communicator_role, experiencer_role, dimension, origin, period_start
SETTINGS join_use_nulls = 0;

-- Written by `python -m sinks.clickhouse.chart_views`: see there for what it means.

CREATE OR REPLACE VIEW tie_answers AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone, (SELECT mapFromArrays(groupArray(run), groupArray(toUnixTimestamp(as_of))) FROM runs FINAL
    WHERE isNotNull(as_of) AND (run = {run:String} OR NOT run_alone AND has(run_promoted, run))) AS as_of_by_run
SELECT process, communicator_role, experiencer_role, origin, waited_s, answered, greatest(0., middle - half) AS low, least(1., middle + half) AS high, at_risk,
    n, multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AS period_from, multiIf(period = 'week', week_to, period = 'quarter', quarter_to, month_to) AS period_to
FROM
(
    SELECT process, communicator_role, experiencer_role, origin, period, n, point.1 AS waited_s, point.2 AS answered, point.3 AS at_risk, 2.705543454095413 / point.4 AS z,
        (answered + z / 2) / (1 + z) AS middle, sqrt(z * (answered * (1 - answered) + z / 4)) / (1 + z) AS half
    FROM (
SELECT process, communicator_role, experiencer_role, origin, period, at_risk[1] AS n, arrayJoin(arrayZip(
        arrayPushFront(arrayMap(bin -> (15 * (exp2((bin + 1) / 4) - 1)), bins), 0.),
        arrayPushFront(arrayMap(left -> 1 - left, waiting), 0.), arrayPushFront(at_risk, n),
        arrayPushFront(arrayMap((own, before, r) -> multiIf(own > 0, own, before > 0, before, toFloat64(r)),
            known, arrayPushFront(arrayPopBack(known), 0.), at_risk), inf))) AS point
FROM (
SELECT process, communicator_role, experiencer_role, origin, period, bins, at_risk, waiting,
    arrayMap((left, sum, r) -> multiIf(left = 1, toFloat64(r), left > 0, (1 - left) / (left * sum), 0.),
        waiting, spread, at_risk) AS known
FROM
(
    SELECT *, arrayMap(sum -> exp(sum), arrayCumSum((d, r) -> log(1 - d / r), answers, at_risk)) AS waiting,
        arrayCumSum((d, r) -> if(r > d, d / (r * (r - d)), 0.), answers, at_risk) AS spread
    FROM (
SELECT process, communicator_role, experiencer_role, origin, period, bins, arrayMap(bin -> answers_in[indexOf(said_in, bin)], bins) AS answers,
    arrayReverse(arrayCumSum(arrayReverse(arrayMap(bin -> gone_in[indexOf(said_in, bin)], bins)))) AS at_risk
FROM
(
    SELECT process, communicator_role, experiencer_role, origin, period, groupArray(bin) AS said_in, groupArray(gone) AS gone_in, groupArray(answers) AS answers_in,
        range(toUInt32(greatest(min(bin), 1) - 1), max(bin) + 1) AS bins
    FROM (
SELECT process, communicator_role, experiencer_role, origin, period, said.1 AS bin, sum(said.2) AS gone, sum(if(said.3, said.2, 0)) AS answers
FROM
(
    SELECT process, communicator_role, experiencer_role, origin, period, arrayJoin(arrayConcat(
        arrayMap((bin, times) -> (toUInt32(bin), times, true), mapKeys(answered), mapValues(answered)),
        arrayMap((bin, times) -> (toUInt32(bin), times, false), mapKeys(unanswered), mapValues(unanswered)),
        arrayMap((minute, times) -> (toUInt32(least(bitShiftRight(reinterpretAsUInt64((1 + ifNull(greatest(0, as_of - minute * 60), 0) / 15) * (1 + ifNull(greatest(0, as_of - minute * 60), 0) / 15) * (1 + ifNull(greatest(0, as_of - minute * 60), 0) / 15) * (1 + ifNull(greatest(0, as_of - minute * 60), 0) / 15)), 52) - 1023, 127)), times, false),
            mapKeys(open_since), mapValues(open_since)))) AS said
    FROM (SELECT *, if(as_of_by_run[run] = 0, toUnixTimestamp(now64(6)), as_of_by_run[run]) AS as_of FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, communicator_role, experiencer_role, origin, dimension, answered, unanswered, open_since, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)) WHERE publishable AND dimension = 'timeliness')
)
GROUP BY process, communicator_role, experiencer_role, origin, period, bin)
    GROUP BY process, communicator_role, experiencer_role, origin, period
))
)))
)
ORDER BY process, communicator_role, experiencer_role, origin, waited_s;

CREATE OR REPLACE VIEW tie_marks AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone
SELECT process, communicator_role, experiencer_role, dimension, origin, said.1 AS mark, said.2 AS n, of, multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AS period_from, multiIf(period = 'week', week_to, period = 'quarter', quarter_to, month_to) AS period_to
FROM
(
    SELECT process, direction.1 AS communicator_role, direction.2 AS experiencer_role, dimension, origin, period,
        sum(a.n) AS of, arrayJoin(CAST(sumMap(marks), 'Array(Tuple(String, UInt64))')) AS said
    FROM (
SELECT *, arrayJoin(if(dimension = 'frequency' AND communicator_role != experiencer_role,
        [(communicator_role, experiencer_role), (experiencer_role, communicator_role)],
        [(communicator_role, experiencer_role)])) AS direction
FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, communicator_role, experiencer_role, dimension, origin, n, marks, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
))
WHERE publishable) AS a
    GROUP BY process, communicator_role, experiencer_role, dimension, origin, period
)
ORDER BY process, communicator_role, experiencer_role, indexOf(['frequency'], dimension), dimension, origin, mark;

CREATE OR REPLACE VIEW tie_hours AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone
SELECT process, origin, toUInt8(intDiv(said.1, 24) + 1) AS day, toUInt8(said.1 % 24) AS hour, sum(said.2) AS handoffs
FROM
(
    SELECT process, origin, arrayJoin(CAST(hours, 'Array(Tuple(UInt8, UInt64))')) AS said FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, communicator_role, experiencer_role, origin, dimension, hours, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)) WHERE publishable AND dimension = 'timeliness'
)
GROUP BY process, origin, day, hour
ORDER BY process, origin, day, hour;

CREATE OR REPLACE VIEW tie_flow AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone
SELECT process, communicator_role, experiencer_role, origin, period_start, handoffs, waited / handoffs AS waited_s, held / handoffs AS held_s,
    if(waited + held > 0, held / (waited + held), NULL) AS flow_efficiency
FROM
(
    SELECT process, communicator_role, experiencer_role, origin, toDateTime(a.period_start, 'UTC') AS period_start, sum(flow_handoffs) AS handoffs,
        toFloat64(sum(toInt128(round(ifNull(flow_waited_s, 0) * 4503599627370496.0)))) / 4503599627370496.0 AS waited, toFloat64(sum(toInt128(round(ifNull(flow_held_s, 0) * 4503599627370496.0)))) / 4503599627370496.0 AS held
    FROM (SELECT * FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, communicator_role, experiencer_role, origin, dimension, period_start, flow_handoffs, flow_waited_s, flow_held_s, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)) WHERE publishable AND dimension = 'timeliness') AS a
    GROUP BY process, communicator_role, experiencer_role, origin, period_start
)
WHERE handoffs > 0
ORDER BY process, communicator_role, experiencer_role, origin, period_start;

-- Written by `python -m sinks.clickhouse.control_views`: see there for what it means.

CREATE OR REPLACE VIEW tie_control AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone, (SELECT mapFromArrays(groupArray(run), groupArray(assumeNotNull(as_of))) FROM runs FINAL
    WHERE isNotNull(as_of) AND (run = {run:String} OR NOT run_alone AND has(run_promoted, run))) AS as_of_by_run
SELECT process, communicator_role, experiencer_role, dimension, origin, toDateTime(point.1, 'UTC') AS period_start, point.2 AS value, point.3 AS n,
    if(centered, middle, NULL) AS center,
    if(limited, greatest(0., middle - 3 * point.4), NULL) AS lower,
    if(limited, least(1., middle + 3 * point.4), NULL) AS upper,
    toUInt32(baseline_points) AS baseline_points, toUInt32(points) AS points,
    'NHS making data count' AS rule_set, point.5 AS beyond_limits, point.6 AS shift, point.7 AS trend, point.8 AS near_limit,
    half AS median, longest_run, longest_run_limit, crossings, crossings_limit, verdict,
    if(centered, false_alarms, NULL) AS expected_false_alarms
FROM (SELECT *, arrayJoin(drawn) AS point FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin, baseline_points, points, centered, limited, middle, half,
    toUInt32(arrayMax(arrayPushBack(useful_run, 0))) AS longest_run,
    if(empty(useful), 0, toUInt32(round(log2(length(useful)) + 3))) AS longest_run_limit,
    toUInt32(arrayCount((a, b) -> a != b, arrayPopBack(useful), arrayPopFront(useful))) AS crossings,
    toUInt32(arrayCount(fewest -> fewest <= length(useful), [6, 9, 12, 14, 17, 19, 22, 24, 27, 29, 31, 34, 36, 38, 41, 43, 45, 48, 50, 52, 54, 57, 59, 61, 63, 66, 68, 70, 72, 75, 77, 79, 81, 83, 86, 88, 90, 92, 94, 97, 99, 101, 103, 105, 107, 110, 112, 114, 116, 118, 120, 123, 125, 127, 129, 131, 133, 136, 138, 140, 142, 144, 146, 148, 151, 153, 155, 157, 159, 161, 163, 166, 168, 170, 172, 174, 176, 178, 180, 183, 185, 187, 189, 191, 193, 195, 198, 200, 202, 204, 206, 208, 210, 212, 214, 217, 219, 221, 223, 225, 227, 229, 231, 234, 236, 238, 240, 242, 244, 246, 248, 250, 253, 255, 257, 259, 261, 263, 265, 267, 269, 272, 274, 276, 278, 280, 282, 284, 286, 288, 290, 293, 295, 297, 299, 301, 303, 305, 307, 309, 311, 314, 316, 318, 320, 322, 324, 326, 328, 330, 332, 335, 337, 339, 341, 343, 345, 347, 349, 351, 353, 355, 358, 360, 362, 364, 366, 368, 370, 372, 374, 376, 378, 381, 383, 385, 387, 389, 391, 393, 395, 397, 399, 401, 403, 406, 408, 410, 412, 414, 416, 418, 420, 422, 424, 426, 428, 431, 433, 435, 437, 439, 441, 443, 445, 447, 449, 451, 453, 456, 458, 460, 462, 464, 466, 468, 470, 472, 474, 476, 478, 480, 483, 485, 487, 489, 491, 493, 495, 497, 499, 501, 503, 505, 507, 510, 512, 514, 516, 518, 520, 522, 524, 526, 528, 530, 532, 534, 537, 539, 541, 543, 545, 547, 549, 551, 553, 555, 557, 559, 561, 563, 566, 568, 570, 572, 574, 576, 578, 580, 582, 584, 586, 588, 590, 592, 595, 597, 599, 601, 603, 605, 607, 609, 611, 613, 615, 617, 619, 621, 624, 626, 628, 630, 632, 634, 636, 638, 640, 642, 644, 646, 648, 650, 652, 655, 657, 659, 661, 663, 665, 667, 669, 671, 673, 675, 677, 679, 681, 683, 686, 688, 690, 692, 694, 696, 698, 700, 702, 704, 706, 708, 710, 712, 714, 716, 719, 721, 723, 725, 727, 729, 731, 733, 735, 737, 739, 741, 743, 745, 747, 749, 752, 754, 756, 758, 760, 762, 764, 766, 768, 770, 772, 774, 776, 778, 780, 782, 785, 787, 789, 791, 793, 795, 797, 799, 801, 803, 805, 807, 809, 811, 813, 815, 817, 820, 822, 824, 826, 828, 830, 832, 834, 836, 838, 840, 842, 844, 846, 848, 850, 852, 855, 857, 859, 861, 863, 865, 867, 869, 871, 873, 875, 877, 879, 881, 883, 885, 887, 890, 892, 894, 896, 898, 900, 902, 904, 906, 908, 910, 912, 914, 916, 918, 920, 922, 924, 927, 929, 931, 933, 935, 937, 939, 941, 943, 945, 947, 949, 951, 953, 955, 957, 959, 961, 964, 966, 968, 970, 972, 974, 976, 978, 980, 982, 984, 986, 988, 990, 992, 994, 996, 998, 1000, 1003, 1005, 1007, 1009, 1011, 1013, 1015, 1017, 1019, 1021, 1023, 1025, 1027, 1029, 1031, 1033, 1035, 1037, 1039, 1042, 1044, 1046, 1048, 1050, 1052, 1054, 1056, 1058, 1060, 1062, 1064, 1066, 1068, 1070, 1072, 1074, 1076, 1078, 1081, 1083, 1085, 1087, 1089, 1091, 1093, 1095, 1097, 1099])) AS crossings_limit,
    multiIf(NOT centered, concat('not enough data: ', toString(baseline_points), ' of 20 points'),
        empty(broken), 'common cause only', concat('special cause: ', arrayStringConcat(broken, ', '))) AS verdict,
    if(shown[1].1 = first, arrayMap(place -> [0.005, 0.009, 0.012, 0.023, 0.041, 0.07, 0.103, 0.139, 0.206, 0.3, 0.437, 0.555, 0.714, 0.798, 0.904, 0.951, 0.972, 0.997][place] + greatest(0, least(1, (points - [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520][place]) / ([1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520][place + 1] - [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520][place]))) * ([0.005, 0.009, 0.012, 0.023, 0.041, 0.07, 0.103, 0.139, 0.206, 0.3, 0.437, 0.555, 0.714, 0.798, 0.904, 0.951, 0.972, 0.997][place + 1] - [0.005, 0.009, 0.012, 0.023, 0.041, 0.07, 0.103, 0.139, 0.206, 0.3, 0.437, 0.555, 0.714, 0.798, 0.904, 0.951, 0.972, 0.997][place]), [greatest(1, least(17, arrayLastIndex(known -> known <= points, [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520])))])[1],
        arrayMap(place -> [0.009, 0.028, 0.044, 0.073, 0.123, 0.178, 0.271, 0.346, 0.406, 0.469, 0.554, 0.646, 0.758, 0.833, 0.92, 0.958, 0.976, 0.998][place] + greatest(0, least(1, (points - [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520][place]) / ([1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520][place + 1] - [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520][place]))) * ([0.009, 0.028, 0.044, 0.073, 0.123, 0.178, 0.271, 0.346, 0.406, 0.469, 0.554, 0.646, 0.758, 0.833, 0.92, 0.958, 0.976, 0.998][place + 1] - [0.009, 0.028, 0.044, 0.073, 0.123, 0.178, 0.271, 0.346, 0.406, 0.469, 0.554, 0.646, 0.758, 0.833, 0.92, 0.958, 0.976, 0.998][place]), [greatest(1, least(17, arrayLastIndex(known -> known <= points, [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520])))])[1]) AS false_alarms,
    arrayZip(shown.1, value, shown.3, sigma, beyond_limits, shift, trend, near_limit) AS drawn
FROM (
SELECT *,
    arrayMap((off, by) -> limited AND abs(off - middle) > 3 * by, value, sigma) AS beyond_limits,
    arrayMap((one, run) -> centered AND one != 0 AND run >= 7, side, side_run) AS shift,
    arrayMap((into, out) -> centered AND (into OR out), arrayPushFront(climbing, false), arrayPushBack(climbing, false))
        AS trend,
    arrayMap((one, i) -> one != 0 AND (outer[toInt64(i) - 2] = one AND i > 2 OR outer[toInt64(i) - 1] = one AND i > 1
        OR outer[i + 1] = one OR outer[i + 2] = one), outer, arrayEnumerate(outer)) AS near_limit,
    arrayFilter((rule, broken) -> has(broken, true), ['beyond_limits', 'shift', 'trend', 'near_limit'],
        [beyond_limits, shift, trend, near_limit]) AS broken
FROM (
SELECT *, arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, side, arrayMap((one, last) -> one != last, side, arrayPopBack(arrayPushFront(side, toInt8(9))))))) AS side_run, arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, step, arrayMap((one, last) -> one != last, step, arrayPopBack(arrayPushFront(step, toInt8(9))))))) AS step_run,
    arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, useful, arrayMap((one, last) -> one != last, useful, arrayPopBack(arrayPushFront(useful, toInt8(9))))))) AS useful_run,
    arrayMap((one, run) -> one != 0 AND run >= 6, step, step_run) AS climbing,
    arrayMap((one, off, by) -> if(limited AND abs(off - middle) > 2 * by, one, 0), side, value, sigma) AS outer
FROM (
SELECT *, arrayMap(side -> toInt8(sign(side - middle)), value) AS side,
    arraySum(arrayMap((a, b) -> abs(b - a), arrayPopBack(z), arrayPopFront(z))) / 19 / 1.128 AS sigma_z,
    baseline_points = 20 AS centered, centered AND middle > 0 AND middle < 1 AND sigma_z > 0 AS limited,
    arrayMap(n -> if(limited, sqrt(middle * (1 - middle) / n) * sigma_z, 0.), shown.3) AS sigma,
    arrayMap((a, b) -> toInt8(sign(b - a)), arrayPopBack(value), arrayPopFront(value)) AS step,
    arraySort(value) AS ordered, length(value) AS points,
    (ordered[intDiv(points + 1, 2)] + ordered[intDiv(points, 2) + 1]) / 2 AS half,
    arrayFilter(of -> of != 0, arrayMap(of -> toInt8(sign(of - half)), value)) AS useful
FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin, baseline_points,
    if(baseline_points = 20, arraySum(baseline.2) / arraySum(baseline.3), 0.5) AS middle,
    arrayMap((s, n) -> (s / n - middle) / sqrt(middle * (1 - middle) / n), baseline.2, baseline.3) AS z,
    arrayFilter(point -> point.1 >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND point.1 <= asked_last_day, history) AS shown,
    arrayMap((s, n) -> s / n, shown.2, shown.3) AS value, history[1].1 AS first
FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin, any(period) AS period, arraySort(groupArray((period_start, s, n))) AS history,
    arraySlice(history, 1, 20) AS baseline, length(baseline) AS baseline_points
FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin, period, period_start, sum_s AS s, sum_n AS n
FROM
(
    SELECT any(a.run) AS run, process, dimension, origin, period, period_start, if(turned, b, a) AS communicator_role,
        if(turned, a, b) AS experiencer_role, toFloat64(sum(toInt128(round(ifNull(a.s, 0) * 4503599627370496.0)))) / 4503599627370496.0 AS sum_s, sum(a.n) AS sum_n, sum(a.pending) AS waiting
    FROM
    (
SELECT *, communicator_role AS a, experiencer_role AS b, arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, communicator_role, experiencer_role, dimension, origin, period_start, s, n, pending, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)
    WHERE publishable
    ) AS a
    GROUP BY process, dimension, origin, period, period_start, communicator_role, experiencer_role
)
WHERE waiting = 0 AND toDateTime64(if(period = 'week', addDays(period_start, 7), addMonths(period_start, if(period = 'quarter', 3, 1))), 6, 'UTC') <= if(mapContains(as_of_by_run, run), as_of_by_run[run], now64(6)))
GROUP BY process, communicator_role, experiencer_role, dimension, origin))
WHERE notEmpty(shown))))))
ORDER BY process, communicator_role, experiencer_role, dimension, origin, period_start
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW run_changes AS
WITH parseDateTime64BestEffort({from:String}, 6, 'UTC') AS asked_from,
    parseDateTime64BestEffort({to:String}, 6, 'UTC') AS asked_to,
    asked_to - toIntervalMicrosecond(1) AS asked_last,
    toDate32(asked_last) AS asked_last_day,
    toDate32(toMonday(asked_from)) AS week_from,
    toDate32(addDays(toMonday(asked_last), 7)) AS week_to,
    toDate32(toStartOfMonth(asked_from)) AS month_from,
    toDate32(addMonths(toStartOfMonth(asked_last), 1)) AS month_to,
    toDate32(toStartOfQuarter(asked_from)) AS quarter_from,
    toDate32(addMonths(toStartOfQuarter(asked_last), 3)) AS quarter_to,
    least(week_from, quarter_from) AS earliest_from,
    greatest(week_to, quarter_to) AS latest_to,
    toDateTime64(week_from, 6, 'UTC') AS week_from_at,
    toDateTime64(week_to, 6, 'UTC') AS week_to_at,
    toDateTime64(month_from, 6, 'UTC') AS month_from_at,
    toDateTime64(month_to, 6, 'UTC') AS month_to_at,
    toDateTime64(quarter_from, 6, 'UTC') AS quarter_from_at,
    toDateTime64(quarter_to, 6, 'UTC') AS quarter_to_at,
    toDateTime64(earliest_from, 6, 'UTC') AS earliest_from_at,
    toDateTime64(latest_to, 6, 'UTC') AS latest_to_at,
    {process:String} = '' AS any_process,
    {site:String} = '' AS any_site, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {run:String} = 'live') AS run_promoted, empty(run_promoted) AS run_alone, (SELECT groupUniqArray(run) FROM promotions FINAL WHERE run != '' AND {compare:String} = 'live') AS compare_promoted, empty(compare_promoted) AS compare_alone
SELECT process, communicator_role, experiencer_role, dimension, origin, periods,
    if(shown, of_1, NULL) AS n, if(shown, sum_1 / of_1, NULL) AS value,
    if(shown, of_2, NULL) AS compare_n, if(shown, sum_2 / of_2, NULL) AS compare_value,
    if(shown, w.change, NULL) AS change, if(shown, greatest(-1., w.change - reach), NULL) AS low,
    if(shown, least(1., w.change + reach), NULL) AS high, if(shown, 'shown', 'not in both') AS status
FROM (
SELECT c.process AS process, c.communicator_role AS communicator_role, c.experiencer_role AS experiencer_role,
    c.dimension AS dimension, c.origin AS origin, periods, sum_1, of_1, sum_2, of_2, periods > 0 AS shown,
    if(one.phi > 0, one.phi, 1.) AS phi_1, if(two.phi > 0, two.phi, 1.) AS phi_2,
    sum_2 / of_2 - sum_1 / of_1 AS change, 1.6449 * (sqrt(phi_1 * (sum_1 + 0.5) / (of_1 + 1) * (1 - (sum_1 + 0.5) / (of_1 + 1)) / of_1) + sqrt(phi_2 * (sum_2 + 0.5) / (of_2 + 1) * (1 - (sum_2 + 0.5) / (of_2 + 1)) / of_2)) AS reach
FROM (
SELECT process, dimension, origin, if(turned, b, a) AS communicator_role, if(turned, a, b) AS experiencer_role,
    toUInt32(uniqExactIf(period_start, shared)) AS periods,
    toFloat64(sumIf(toInt128(round(ifNull(s_1, 0) * 4503599627370496.0)), shared)) / 4503599627370496.0 AS sum_1, sumIf(n_1, shared) AS of_1,
    toFloat64(sumIf(toInt128(round(ifNull(s_2, 0) * 4503599627370496.0)), shared)) / 4503599627370496.0 AS sum_2, sumIf(n_2, shared) AS of_2
FROM
(
    SELECT *, communicator_role AS a, experiencer_role AS b,
        arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned
    FROM (
SELECT any(a.process) AS process, any(a.site) AS site, any(a.period) AS period, any(a.period_start) AS period_start, any(a.dimension) AS dimension, any(a.origin) AS origin, any(a.communicator_role) AS communicator_role, any(a.experiencer_role) AS experiencer_role, count() = 2 AS shared,
    sumIf(a.s, place = 1) AS s_1, sumIf(a.n, place = 1) AS n_1,
    sumIf(a.s, place = 2) AS s_2, sumIf(a.n, place = 2) AS n_2
FROM (SELECT 1 AS place, process, site, period, period_start, dimension, origin, communicator_role, experiencer_role, s, n FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, site, period_start, dimension, origin, communicator_role, experiencer_role, s, n, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
) WHERE publishable) UNION ALL SELECT 2 AS place, process, site, period, period_start, dimension, origin, communicator_role, experiencer_role, s, n FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, site, period_start, dimension, origin, communicator_role, experiencer_role, s, n, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {compare:String} OR NOT compare_alone AND has(compare_promoted, run)) AND (compare_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {compare:String} OR NOT compare_alone AND has(compare_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
) WHERE publishable)) AS a
GROUP BY a.period_start, sipHash64(a.process), sipHash64(a.site), sipHash64(a.period), sipHash64(a.dimension), sipHash64(a.origin), sipHash64(a.communicator_role), sipHash64(a.experiencer_role))
)
GROUP BY process, dimension, origin, communicator_role, experiencer_role) AS c
LEFT JOIN (SELECT process, dimension, origin, phi FROM priors FINAL WHERE run = {run:String}) AS one
    ON one.process = c.process AND one.dimension = c.dimension AND one.origin = c.origin
LEFT JOIN (SELECT process, dimension, origin, phi FROM priors FINAL WHERE run = {compare:String}) AS two
    ON two.process = c.process AND two.dimension = c.dimension AND two.origin = c.origin) AS w
ORDER BY process, communicator_role, experiencer_role, dimension, origin
SETTINGS join_use_nulls = 0;
