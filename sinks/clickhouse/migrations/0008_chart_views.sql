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
    {site:String} = '' AS any_site
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
    FROM (SELECT *, toUnixTimestamp(ifNull((SELECT max(as_of) FROM runs FINAL WHERE run = {run:String}), now64(6))) AS as_of FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT process, period, communicator_role, experiencer_role, origin, dimension, answered, unanswered, open_since, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {run:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {run:String}
    ) AS p ON p.of_process = w.process
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
    {site:String} = '' AS any_site
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
    FROM (SELECT process, period, communicator_role, experiencer_role, dimension, origin, n, marks, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {run:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {run:String}
    ) AS p ON p.of_process = w.process
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
    {site:String} = '' AS any_site
SELECT process, origin, toUInt8(intDiv(said.1, 24) + 1) AS day, toUInt8(said.1 % 24) AS hour, sum(said.2) AS handoffs
FROM
(
    SELECT process, origin, arrayJoin(CAST(hours, 'Array(Tuple(UInt8, UInt64))')) AS said FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT process, period, communicator_role, experiencer_role, origin, dimension, hours, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {run:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {run:String}
    ) AS p ON p.of_process = w.process
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
    {site:String} = '' AS any_site
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
    FROM (SELECT process, period, communicator_role, experiencer_role, origin, dimension, period_start, flow_handoffs, flow_waited_s, flow_held_s, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {run:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {run:String}
    ) AS p ON p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)) WHERE publishable AND dimension = 'timeliness') AS a
    GROUP BY process, communicator_role, experiencer_role, origin, period_start
)
WHERE handoffs > 0
ORDER BY process, communicator_role, experiencer_role, origin, period_start;
