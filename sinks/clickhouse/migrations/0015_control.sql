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

-- The answers of the headline's basis: beside comparison ties where there are some, else alone.
CREATE OR REPLACE VIEW quality_effects AS
SELECT e.run AS run, e.process AS process, e.site AS site, e.intervention AS intervention, communicator_role,
    experiencer_role, dimension, origin, from_at, to_at, before, after, n_before, n_after, value_before, value_after,
    if(empty(compared), 'alone', 'beside other ties') AS basis, if(empty(compared), alone, compared) AS answers,
    if(mapContains(answers, headline), answers[headline][1], NULL) AS change,
    if(mapContains(answers, headline), answers[headline][2], NULL) AS low,
    if(mapContains(answers, headline), answers[headline][3], NULL) AS high,
    if(mapContains(answers, 'level'), answers['level'][1], NULL) AS level,
    if(mapContains(answers, 'level'), answers['level'][2], NULL) AS level_low,
    if(mapContains(answers, 'level'), answers['level'][3], NULL) AS level_high,
    if(mapContains(answers, 'slope'), answers['slope'][1], NULL) AS slope,
    if(mapContains(answers, 'slope'), answers['slope'][2], NULL) AS slope_low,
    if(mapContains(answers, 'slope'), answers['slope'][3], NULL) AS slope_high,
    if(mapContains(answers, 'average'), answers['average'][1], NULL) AS average,
    if(mapContains(answers, 'average'), answers['average'][2], NULL) AS average_low,
    if(mapContains(answers, 'average'), answers['average'][3], NULL) AS average_high,
    if(mapContains(answers, 'at_end'), answers['at_end'][1], NULL) AS at_end,
    if(mapContains(answers, 'at_end'), answers['at_end'][2], NULL) AS at_end_low,
    if(mapContains(answers, 'at_end'), answers['at_end'][3], NULL) AS at_end_high,
    headline, ties_compared, notes, verdict, computed_at
FROM effects AS e FINAL
ORDER BY run, process, intervention, site, communicator_role, experiencer_role, dimension, origin;

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
    WHERE isNotNull(as_of) AND (run = {run:String} OR NOT run_alone AND has(run_promoted, run))) AS as_of_by_run, (
    SELECT groupArray((told_process, toDate32(addMicroseconds(addDays(started_at, 1), -1)), told_ties)) FROM
    (
        SELECT toString(process) AS told_process, min(at) AS started_at, argMin(ties, at) AS told_ties
        FROM
        (
            SELECT * FROM interventions FINAL
            WHERE (any_process OR process = {process:String}) AND (any_site OR site = '' OR site = {site:String})
            ORDER BY payload LIMIT 1 BY source, id
        )
        WHERE verb = 'started'
        GROUP BY process, site, intervention
    )
) AS interventions_told
SELECT process, communicator_role, experiencer_role, dimension, origin, toDateTime(point.1, 'UTC') AS period_start, point.2 AS value, point.3 AS n,
    if(centered, middle, NULL) AS center,
    if(limited, greatest(0., middle - 3 * point.4), NULL) AS lower,
    if(limited, least(1., middle + 3 * point.4), NULL) AS upper,
    baseline_points, toUInt32(points_shown) AS points,
    'NHS making data count' AS rule_set, point.5 AS beyond_limits, point.6 AS shift, point.7 AS trend,
    point.8 AS near_limit, half AS median, longest_run, longest_run_limit, crossings, crossings_limit, verdict,
    false_alarms AS expected_false_alarms,
    point.9 AS long_run, verdict_anhoej, false_alarms_anhoej, verdict_limits, false_alarms_limits, rebased_at
FROM (SELECT *, arrayJoin(drawn) AS point FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin,  own, points_shown, centered, limited, middle, half, longest_run, longest_run_limit, crossings,
    crossings_limit, toUInt32(least(length(points), 20)) AS baseline_points,
    if(part > 0, toDateTime(breaks[part], 'UTC'), NULL) AS rebased_at,
    multiIf(NOT own, concat('not enough data', if(part > 0, concat(' since ', toString(breaks[part])), ''),
        ': ', toString(baseline_points), ' of 20 points'), empty(broken), 'common cause only', concat('special cause: ', arrayStringConcat(broken, ', '))) AS verdict,
    multiIf(length(useful) < 10,
        concat('not enough data: ', toString(length(useful)), ' of 10 points off the median'),
        empty(broken_anhoej), 'common cause only', concat('special cause: ', arrayStringConcat(broken_anhoej, ', '))) AS verdict_anhoej,
    multiIf(NOT own, concat('not enough data', if(part > 0, concat(' since ', toString(breaks[part])), ''),
        ': ', toString(baseline_points), ' of 20 points'), NOT limited, 'not enough data: the first 20 points do not vary',
        has(beyond_limits, true), 'special cause: beyond_limits', 'common cause only') AS verdict_limits,
    if(own, arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, [0.006, 0.012, 0.018, 0.028, 0.042, 0.07, 0.103, 0.142, 0.203, 0.299, 0.44, 0.561, 0.724, 0.821, 0.913, 0.954, 0.973, 0.998], [0.011, 0.027, 0.043, 0.07, 0.117, 0.168, 0.268, 0.341, 0.388, 0.463, 0.558, 0.651, 0.779, 0.853, 0.924, 0.96, 0.978, 0.998])])[1], NULL) AS false_alarms,
    if(length(useful) >= 10, arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, [0, 0, 0, 0, 0, 0.004, 0.017, 0.019, 0.029, 0.027, 0.04, 0.057, 0.077, 0.097, 0.104, 0.107, 0.099, 0.11], [0, 0, 0, 0, 0, 0.004, 0.006, 0.018, 0.03, 0.028, 0.048, 0.062, 0.078, 0.091, 0.096, 0.098, 0.093, 0.105])])[1], NULL) AS false_alarms_anhoej,
    if(own AND limited, arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, [0.006, 0.009, 0.013, 0.018, 0.021, 0.03, 0.043, 0.058, 0.092, 0.135, 0.203, 0.262, 0.349, 0.406, 0.485, 0.538, 0.584, 0.696], [0.011, 0.025, 0.035, 0.055, 0.071, 0.089, 0.134, 0.168, 0.186, 0.223, 0.264, 0.311, 0.374, 0.429, 0.493, 0.546, 0.589, 0.694])])[1], NULL) AS false_alarms_limits,
    arrayZip(arrayMap(point -> point.1, shown), value, arrayMap(point -> point.3, shown), sigma,
        beyond_limits, shift, trend, near_limit, long_run, extra) AS drawn
FROM (
SELECT *,
    arrayMap((off, by) -> own AND limited AND abs(off - middle) > 3 * by, value, sigma) AS beyond_limits,
    arrayMap((one, run) -> own AND one != 0 AND run >= 7, side, side_run) AS shift,
    arrayMap((into, out) -> own AND (into OR out), arrayPushFront(climbing, false), arrayPushBack(climbing, false))
        AS trend,
    arrayMap((one, i) -> own AND one != 0 AND (outer[toInt64(i) - 2] = one AND i > 2
        OR outer[toInt64(i) - 1] = one AND i > 1 OR outer[i + 1] = one OR outer[i + 2] = one),
        outer, arrayEnumerate(outer)) AS near_limit,
    arrayMap((one, place) -> one != 0 AND useful_run[place] > longest_run_limit,
        about_half, arrayCumSum(of -> of != 0, about_half)) AS long_run,
    arrayFilter((rule, broken) -> has(broken, true), ['beyond_limits', 'shift', 'trend', 'near_limit'],
        [beyond_limits, shift, trend, near_limit]) AS broken,
    arrayFilter((rule, broken) -> broken, ['long_run', 'few_crossings'],
        [longest_run > longest_run_limit, crossings < crossings_limit]) AS broken_anhoej
FROM (
SELECT *, arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, side, arrayMap((one, last) -> one != last, side, arrayPopBack(arrayPushFront(side, toInt8(9))))))) AS side_run, arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, step, arrayMap((one, last) -> one != last, step, arrayPopBack(arrayPushFront(step, toInt8(9))))))) AS step_run,
    arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, useful, arrayMap((one, last) -> one != last, useful, arrayPopBack(arrayPushFront(useful, toInt8(9))))))) AS useful_run,
    toUInt32(arrayMax(arrayPushBack(useful_run, 0))) AS longest_run,
    if(empty(useful), 0, toUInt32(round(log2(length(useful)) + 3))) AS longest_run_limit,
    toUInt32(arrayCount((a, b) -> a != b, arrayPopBack(useful), arrayPopFront(useful))) AS crossings,
    toUInt32(arrayCount(fewest -> fewest <= length(useful), [6, 9, 12, 14, 17, 19, 22, 24, 27, 29, 31, 34, 36, 38, 41, 43, 45, 48, 50, 52, 54, 57, 59, 61, 63, 66, 68, 70, 72, 75, 77, 79, 81, 83, 86, 88, 90, 92, 94, 97, 99, 101, 103, 105, 107, 110, 112, 114, 116, 118, 120, 123, 125, 127, 129, 131, 133, 136, 138, 140, 142, 144, 146, 148, 151, 153, 155, 157, 159, 161, 163, 166, 168, 170, 172, 174, 176, 178, 180, 183, 185, 187, 189, 191, 193, 195, 198, 200, 202, 204, 206, 208, 210, 212, 214, 217, 219, 221, 223, 225, 227, 229, 231, 234, 236, 238, 240, 242, 244, 246, 248, 250, 253, 255, 257, 259, 261, 263, 265, 267, 269, 272, 274, 276, 278, 280, 282, 284, 286, 288, 290, 293, 295, 297, 299, 301, 303, 305, 307, 309, 311, 314, 316, 318, 320, 322, 324, 326, 328, 330, 332, 335, 337, 339, 341, 343, 345, 347, 349, 351, 353, 355, 358, 360, 362, 364, 366, 368, 370, 372, 374, 376, 378, 381, 383, 385, 387, 389, 391, 393, 395, 397, 399, 401, 403, 406, 408, 410, 412, 414, 416, 418, 420, 422, 424, 426, 428, 431, 433, 435, 437, 439, 441, 443, 445, 447, 449, 451, 453, 456, 458, 460, 462, 464, 466, 468, 470, 472, 474, 476, 478, 480, 483, 485, 487, 489, 491, 493, 495, 497, 499, 501, 503, 505, 507, 510, 512, 514, 516, 518, 520, 522, 524, 526, 528, 530, 532, 534, 537, 539, 541, 543, 545, 547, 549, 551, 553, 555, 557, 559, 561, 563, 566, 568, 570, 572, 574, 576, 578, 580, 582, 584, 586, 588, 590, 592, 595, 597, 599, 601, 603, 605, 607, 609, 611, 613, 615, 617, 619, 621, 624, 626, 628, 630, 632, 634, 636, 638, 640, 642, 644, 646, 648, 650, 652, 655, 657, 659, 661, 663, 665, 667, 669, 671, 673, 675, 677, 679, 681, 683, 686, 688, 690, 692, 694, 696, 698, 700, 702, 704, 706, 708, 710, 712, 714, 716, 719, 721, 723, 725, 727, 729, 731, 733, 735, 737, 739, 741, 743, 745, 747, 749, 752, 754, 756, 758, 760, 762, 764, 766, 768, 770, 772, 774, 776, 778, 780, 782, 785, 787, 789, 791, 793, 795, 797, 799, 801, 803, 805, 807, 809, 811, 813, 815, 817, 820, 822, 824, 826, 828, 830, 832, 834, 836, 838, 840, 842, 844, 846, 848, 850, 852, 855, 857, 859, 861, 863, 865, 867, 869, 871, 873, 875, 877, 879, 881, 883, 885, 887, 890, 892, 894, 896, 898, 900, 902, 904, 906, 908, 910, 912, 914, 916, 918, 920, 922, 924, 927, 929, 931, 933, 935, 937, 939, 941, 943, 945, 947, 949, 951, 953, 955, 957, 959, 961, 964, 966, 968, 970, 972, 974, 976, 978, 980, 982, 984, 986, 988, 990, 992, 994, 996, 998, 1000, 1003, 1005, 1007, 1009, 1011, 1013, 1015, 1017, 1019, 1021, 1023, 1025, 1027, 1029, 1031, 1033, 1035, 1037, 1039, 1042, 1044, 1046, 1048, 1050, 1052, 1054, 1056, 1058, 1060, 1062, 1064, 1066, 1068, 1070, 1072, 1074, 1076, 1078, 1081, 1083, 1085, 1087, 1089, 1091, 1093, 1095, 1097, 1099])) AS crossings_limit,
    arrayLastIndex(known -> known <= points_shown, [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260]) AS length_place,
    arrayMap(known -> greatest(0, least(1, (points_shown - known[length_place])
        / (known[length_place + 1] - known[length_place]))), [[1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520]])[1] AS length_between,
    arrayMap((one, run) -> one != 0 AND run >= 6, step, step_run) AS climbing,
    arrayMap((one, off, by) -> if(limited AND abs(off - middle) > 2 * by, one, 0), side, value, sigma) AS outer
FROM (
SELECT *, length(shown) AS points_shown, notEmpty(baseline) AS centered, centered AND varies AS limited,
    arrayMap(by -> if(limited, by, 0.), spread) AS sigma, arrayMap(of -> toInt8(sign(of - middle)), value) AS side,
    arrayMap((a, b) -> toInt8(sign(b - a)), arrayPopBack(value), arrayPopFront(value)) AS step,
    arraySort(value) AS ordered,
    (ordered[intDiv(points_shown + 1, 2)] + ordered[intDiv(points_shown, 2) + 1]) / 2 AS half,
    arrayMap(of -> toInt8(sign(of - half)), value) AS about_half, arrayFilter(of -> of != 0, about_half) AS useful
FROM (
SELECT *, if(notEmpty(baseline), arraySum(baseline.2) / arraySum(baseline.3), 0.5) AS middle,
    arrayMap((s, n) -> (s / n - middle) / sqrt(middle * (1 - middle) / n), baseline.2, baseline.3) AS z,
    arraySum(arrayMap((a, b) -> abs(b - a), arrayPopBack(z), arrayPopFront(z))) / (length(z) - 1) / 1.128 AS sigma_z,
    middle > 0 AND middle < 1 AND sigma_z > 0 AS varies, arrayMap((s, n) -> s / n, shown.2, shown.3) AS value,
    arrayMap(n -> sqrt(middle * (1 - middle) / n) * sigma_z, shown.3) AS spread, arrayMap(n -> 0, shown.3) AS extra
FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin,  period, breaks, part, points, length(points) >= 20 AS own,
    arraySlice(if(own, points, earlier[-1]), 1, 20) AS baseline,
    arrayFilter(point -> point.1 >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND point.1 <= asked_last_day, points) AS shown
FROM
(
    SELECT process, communicator_role, experiencer_role, dimension, origin,  period, breaks, arrayJoin(arrayEnumerate(parts)) AS place, parts[place] AS points,
        arrayCount(day -> day <= points[1].1, breaks) AS part,
        arrayFilter(before -> length(before) >= 20, arraySlice(parts, 1, place - 1)) AS earlier
    FROM
    (
        SELECT *, arrayMap(point -> arrayCount(day -> day <= point.1, breaks), history) AS passed,
            arraySplit((point, begins) -> begins, history,
                arrayMap((own, last) -> own != last, passed, arrayPushFront(arrayPopBack(passed), passed[1]))) AS parts
        FROM (SELECT *, arraySort(arrayDistinct(arrayMap(told -> told.2,
        arrayFilter(told -> told.1 = process AND (empty(told.3) OR arrayExists(tie -> tie.1 = communicator_role AND tie.2 = experiencer_role
        OR dimension = 'frequency' AND tie.2 = communicator_role AND tie.1 = experiencer_role, told.3)), interventions_told)))) AS breaks FROM (
SELECT process, communicator_role, experiencer_role, dimension, origin, any(period) AS period, arraySort(groupArray((period_start, s, n))) AS history
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
    )
)))
WHERE notEmpty(shown))))))
ORDER BY process, communicator_role, experiencer_role, dimension, origin, period_start
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW tie_latency_control AS
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
    WHERE isNotNull(as_of) AND (run = {run:String} OR NOT run_alone AND has(run_promoted, run))) AS as_of_by_run, (
    SELECT groupArray((told_process, toDate32(addMicroseconds(addDays(started_at, 1), -1)), told_ties)) FROM
    (
        SELECT toString(process) AS told_process, min(at) AS started_at, argMin(ties, at) AS told_ties
        FROM
        (
            SELECT * FROM interventions FINAL
            WHERE (any_process OR process = {process:String}) AND (any_site OR site = '' OR site = {site:String})
            ORDER BY payload LIMIT 1 BY source, id
        )
        WHERE verb = 'started'
        GROUP BY process, site, intervention
    )
) AS interventions_told
SELECT process, communicator_role, experiencer_role, origin, toDateTime(point.1, 'UTC') AS period_start, exp(point.2) AS median_s, point.3 AS n,
    if(centered, exp(middle), NULL) AS center_s, if(limited, exp(middle - 3 * point.4), NULL) AS lower_s,
    if(limited, exp(middle + 3 * point.4), NULL) AS upper_s,
    if(point.1 = first, NULL, abs(point.10)) AS moving_range, if(limited, 3.267 * range_mean, NULL) AS range_limit,
    ifNull(moving_range > range_limit, false) AS beyond_range, periods_without_median,
    baseline_points, toUInt32(points_shown) AS points,
    'NHS making data count' AS rule_set, point.5 AS beyond_limits, point.6 AS shift, point.7 AS trend,
    point.8 AS near_limit, exp(half) AS run_median_s, longest_run, longest_run_limit, crossings, crossings_limit, verdict,
    false_alarms AS expected_false_alarms,
    point.9 AS long_run, verdict_anhoej, false_alarms_anhoej, verdict_limits, false_alarms_limits, rebased_at
FROM
(
    SELECT *, arrayJoin(drawn) AS point
    FROM (
SELECT process, communicator_role, experiencer_role, origin, points[1].1 AS first, moving_range AS range_mean, toUInt32(arrayCount(day -> day >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND day <= asked_last_day, unreached)) AS periods_without_median, own, points_shown, centered, limited, middle, half, longest_run, longest_run_limit, crossings,
    crossings_limit, toUInt32(least(length(points), 20)) AS baseline_points,
    if(part > 0, toDateTime(breaks[part], 'UTC'), NULL) AS rebased_at,
    multiIf(NOT own, concat('not enough data', if(part > 0, concat(' since ', toString(breaks[part])), ''),
        ': ', toString(baseline_points), ' of 20 points'), empty(broken), 'common cause only', concat('special cause: ', arrayStringConcat(broken, ', '))) AS verdict,
    multiIf(length(useful) < 10,
        concat('not enough data: ', toString(length(useful)), ' of 10 points off the median'),
        empty(broken_anhoej), 'common cause only', concat('special cause: ', arrayStringConcat(broken_anhoej, ', '))) AS verdict_anhoej,
    multiIf(NOT own, concat('not enough data', if(part > 0, concat(' since ', toString(breaks[part])), ''),
        ': ', toString(baseline_points), ' of 20 points'), NOT limited, 'not enough data: the first 20 points do not vary',
        has(beyond_limits, true), 'special cause: beyond_limits', 'common cause only') AS verdict_limits,
    if(own, arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, [0.006, 0.013, 0.015, 0.021, 0.034, 0.058, 0.092, 0.123, 0.181, 0.287, 0.42, 0.534, 0.702, 0.804, 0.9, 0.948, 0.974, 0.999], [0.011, 0.022, 0.033, 0.068, 0.116, 0.168, 0.255, 0.334, 0.388, 0.451, 0.547, 0.627, 0.756, 0.836, 0.914, 0.957, 0.98, 0.999])])[1], NULL) AS false_alarms,
    if(length(useful) >= 10, arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, [0, 0, 0, 0, 0, 0.005, 0.021, 0.021, 0.031, 0.029, 0.041, 0.046, 0.071, 0.065, 0.083, 0.084, 0.087, 0.095], [0, 0, 0, 0, 0, 0.004, 0.022, 0.021, 0.034, 0.022, 0.038, 0.053, 0.065, 0.06, 0.086, 0.088, 0.083, 0.096])])[1], NULL) AS false_alarms_anhoej,
    if(own AND limited, arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, [0.006, 0.011, 0.012, 0.016, 0.018, 0.025, 0.035, 0.048, 0.083, 0.124, 0.188, 0.239, 0.315, 0.381, 0.453, 0.515, 0.564, 0.688], [0.011, 0.02, 0.027, 0.052, 0.069, 0.088, 0.122, 0.157, 0.177, 0.206, 0.242, 0.277, 0.353, 0.394, 0.469, 0.529, 0.567, 0.691])])[1], NULL) AS false_alarms_limits,
    arrayZip(arrayMap(point -> point.1, shown), value, arrayMap(point -> point.3, shown), sigma,
        beyond_limits, shift, trend, near_limit, long_run, extra) AS drawn
FROM (
SELECT *,
    arrayMap((off, by) -> own AND limited AND abs(off - middle) > 3 * by, value, sigma) AS beyond_limits,
    arrayMap((one, run) -> own AND one != 0 AND run >= 7, side, side_run) AS shift,
    arrayMap((into, out) -> own AND (into OR out), arrayPushFront(climbing, false), arrayPushBack(climbing, false))
        AS trend,
    arrayMap((one, i) -> own AND one != 0 AND (outer[toInt64(i) - 2] = one AND i > 2
        OR outer[toInt64(i) - 1] = one AND i > 1 OR outer[i + 1] = one OR outer[i + 2] = one),
        outer, arrayEnumerate(outer)) AS near_limit,
    arrayMap((one, place) -> one != 0 AND useful_run[place] > longest_run_limit,
        about_half, arrayCumSum(of -> of != 0, about_half)) AS long_run,
    arrayFilter((rule, broken) -> has(broken, true), ['beyond_limits', 'shift', 'trend', 'near_limit'],
        [beyond_limits, shift, trend, near_limit]) AS broken,
    arrayFilter((rule, broken) -> broken, ['long_run', 'few_crossings'],
        [longest_run > longest_run_limit, crossings < crossings_limit]) AS broken_anhoej
FROM (
SELECT *, arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, side, arrayMap((one, last) -> one != last, side, arrayPopBack(arrayPushFront(side, toInt8(9))))))) AS side_run, arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, step, arrayMap((one, last) -> one != last, step, arrayPopBack(arrayPushFront(step, toInt8(9))))))) AS step_run,
    arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), arraySplit((one, start) -> start, useful, arrayMap((one, last) -> one != last, useful, arrayPopBack(arrayPushFront(useful, toInt8(9))))))) AS useful_run,
    toUInt32(arrayMax(arrayPushBack(useful_run, 0))) AS longest_run,
    if(empty(useful), 0, toUInt32(round(log2(length(useful)) + 3))) AS longest_run_limit,
    toUInt32(arrayCount((a, b) -> a != b, arrayPopBack(useful), arrayPopFront(useful))) AS crossings,
    toUInt32(arrayCount(fewest -> fewest <= length(useful), [6, 9, 12, 14, 17, 19, 22, 24, 27, 29, 31, 34, 36, 38, 41, 43, 45, 48, 50, 52, 54, 57, 59, 61, 63, 66, 68, 70, 72, 75, 77, 79, 81, 83, 86, 88, 90, 92, 94, 97, 99, 101, 103, 105, 107, 110, 112, 114, 116, 118, 120, 123, 125, 127, 129, 131, 133, 136, 138, 140, 142, 144, 146, 148, 151, 153, 155, 157, 159, 161, 163, 166, 168, 170, 172, 174, 176, 178, 180, 183, 185, 187, 189, 191, 193, 195, 198, 200, 202, 204, 206, 208, 210, 212, 214, 217, 219, 221, 223, 225, 227, 229, 231, 234, 236, 238, 240, 242, 244, 246, 248, 250, 253, 255, 257, 259, 261, 263, 265, 267, 269, 272, 274, 276, 278, 280, 282, 284, 286, 288, 290, 293, 295, 297, 299, 301, 303, 305, 307, 309, 311, 314, 316, 318, 320, 322, 324, 326, 328, 330, 332, 335, 337, 339, 341, 343, 345, 347, 349, 351, 353, 355, 358, 360, 362, 364, 366, 368, 370, 372, 374, 376, 378, 381, 383, 385, 387, 389, 391, 393, 395, 397, 399, 401, 403, 406, 408, 410, 412, 414, 416, 418, 420, 422, 424, 426, 428, 431, 433, 435, 437, 439, 441, 443, 445, 447, 449, 451, 453, 456, 458, 460, 462, 464, 466, 468, 470, 472, 474, 476, 478, 480, 483, 485, 487, 489, 491, 493, 495, 497, 499, 501, 503, 505, 507, 510, 512, 514, 516, 518, 520, 522, 524, 526, 528, 530, 532, 534, 537, 539, 541, 543, 545, 547, 549, 551, 553, 555, 557, 559, 561, 563, 566, 568, 570, 572, 574, 576, 578, 580, 582, 584, 586, 588, 590, 592, 595, 597, 599, 601, 603, 605, 607, 609, 611, 613, 615, 617, 619, 621, 624, 626, 628, 630, 632, 634, 636, 638, 640, 642, 644, 646, 648, 650, 652, 655, 657, 659, 661, 663, 665, 667, 669, 671, 673, 675, 677, 679, 681, 683, 686, 688, 690, 692, 694, 696, 698, 700, 702, 704, 706, 708, 710, 712, 714, 716, 719, 721, 723, 725, 727, 729, 731, 733, 735, 737, 739, 741, 743, 745, 747, 749, 752, 754, 756, 758, 760, 762, 764, 766, 768, 770, 772, 774, 776, 778, 780, 782, 785, 787, 789, 791, 793, 795, 797, 799, 801, 803, 805, 807, 809, 811, 813, 815, 817, 820, 822, 824, 826, 828, 830, 832, 834, 836, 838, 840, 842, 844, 846, 848, 850, 852, 855, 857, 859, 861, 863, 865, 867, 869, 871, 873, 875, 877, 879, 881, 883, 885, 887, 890, 892, 894, 896, 898, 900, 902, 904, 906, 908, 910, 912, 914, 916, 918, 920, 922, 924, 927, 929, 931, 933, 935, 937, 939, 941, 943, 945, 947, 949, 951, 953, 955, 957, 959, 961, 964, 966, 968, 970, 972, 974, 976, 978, 980, 982, 984, 986, 988, 990, 992, 994, 996, 998, 1000, 1003, 1005, 1007, 1009, 1011, 1013, 1015, 1017, 1019, 1021, 1023, 1025, 1027, 1029, 1031, 1033, 1035, 1037, 1039, 1042, 1044, 1046, 1048, 1050, 1052, 1054, 1056, 1058, 1060, 1062, 1064, 1066, 1068, 1070, 1072, 1074, 1076, 1078, 1081, 1083, 1085, 1087, 1089, 1091, 1093, 1095, 1097, 1099])) AS crossings_limit,
    arrayLastIndex(known -> known <= points_shown, [1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260]) AS length_place,
    arrayMap(known -> greatest(0, least(1, (points_shown - known[length_place])
        / (known[length_place + 1] - known[length_place]))), [[1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520]])[1] AS length_between,
    arrayMap((one, run) -> one != 0 AND run >= 6, step, step_run) AS climbing,
    arrayMap((one, off, by) -> if(limited AND abs(off - middle) > 2 * by, one, 0), side, value, sigma) AS outer
FROM (
SELECT *, length(shown) AS points_shown, notEmpty(baseline) AS centered, centered AND varies AS limited,
    arrayMap(by -> if(limited, by, 0.), spread) AS sigma, arrayMap(of -> toInt8(sign(of - middle)), value) AS side,
    arrayMap((a, b) -> toInt8(sign(b - a)), arrayPopBack(value), arrayPopFront(value)) AS step,
    arraySort(value) AS ordered,
    (ordered[intDiv(points_shown + 1, 2)] + ordered[intDiv(points_shown, 2) + 1]) / 2 AS half,
    arrayMap(of -> toInt8(sign(of - half)), value) AS about_half, arrayFilter(of -> of != 0, about_half) AS useful
FROM (
SELECT *, if(notEmpty(baseline), arrayAvg(baseline.2), 0.5) AS middle,
    arrayAvg(arrayMap((a, b) -> abs(b - a), arrayPopBack(baseline.2), arrayPopFront(baseline.2))) AS moving_range,
    moving_range > 0 AS varies, shown.2 AS value, arrayMap(n -> moving_range / 1.128, shown.3) AS spread,
    arraySlice(arrayMap((a, b) -> b.2 - a.2, arrayPushFront(arrayPopBack(points), points[1]), points),
        indexOf(points, shown[1]), length(shown)) AS extra
FROM (
SELECT process, communicator_role, experiencer_role, origin, unreached, period, breaks, part, points, length(points) >= 20 AS own,
    arraySlice(if(own, points, earlier[-1]), 1, 20) AS baseline,
    arrayFilter(point -> point.1 >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND point.1 <= asked_last_day, points) AS shown
FROM
(
    SELECT process, communicator_role, experiencer_role, origin, unreached, period, breaks, arrayJoin(arrayEnumerate(parts)) AS place, parts[place] AS points,
        arrayCount(day -> day <= points[1].1, breaks) AS part,
        arrayFilter(before -> length(before) >= 20, arraySlice(parts, 1, place - 1)) AS earlier
    FROM
    (
        SELECT *, arrayMap(point -> arrayCount(day -> day <= point.1, breaks), history) AS passed,
            arraySplit((point, begins) -> begins, history,
                arrayMap((own, last) -> own != last, passed, arrayPushFront(arrayPopBack(passed), passed[1]))) AS parts
        FROM (SELECT *, arraySort(arrayDistinct(arrayMap(told -> told.2,
        arrayFilter(told -> told.1 = process AND (empty(told.3) OR arrayExists(tie -> tie.1 = communicator_role AND tie.2 = experiencer_role
        OR dimension = 'frequency' AND tie.2 = communicator_role AND tie.1 = experiencer_role, told.3)), interventions_told)))) AS breaks FROM (
SELECT process, communicator_role, experiencer_role, origin, 'timeliness' AS dimension, any(m.period) AS period,
    arraySort(groupArrayIf((period_start, log_median, m.n), reached)) AS history,
    groupArrayIf(period_start, NOT reached) AS unreached
FROM (
SELECT process, communicator_role, experiencer_role, origin, period, period_start, arraySum(said.3) AS n,
    arrayMap(seen -> n - seen, arrayPushFront(arrayPopBack(arrayCumSum(said.3)), 0)) AS at_risk,
    arrayMap(left -> exp(left), arrayCumSum((told, r) -> if(told.2 = 0, log(1 - told.3 / r), 0.), said, at_risk))
        AS waits,
    arrayFirstIndex(left -> left <= 0.5 + 1e-9, waits) AS place, place > 0 AS reached, said[place].1 AS bin,
    if(bin = said[1].1, 1., waits[arrayFirstIndex(told -> told.1 = bin, said) - 1]) AS before,
    waits[arrayLastIndex(told -> told.1 = bin, said)] AS after,
    log(greatest(1., (15 * (exp2((bin + (before - 0.5) / (before - after)) / 4) - 1)))) AS log_median
FROM (
SELECT process, communicator_role, experiencer_role, origin, any(a.period) AS period, period_start, sum(a.pending) AS waiting, any(a.run) AS run,
    arraySort(groupArrayArray(arrayConcat(
        arrayMap((bin, times) -> (toUInt32(bin), 0, times), mapKeys(answered), mapValues(answered)),
        arrayMap((bin, times) -> (toUInt32(bin), 1, times), mapKeys(unanswered), mapValues(unanswered)),
        arrayMap((minute, times) -> (toUInt32(least(bitShiftRight(reinterpretAsUInt64((1 + ifNull(greatest(0, toUnixTimestamp(as_of) - minute * 60), 0) / 15) * (1 + ifNull(greatest(0, toUnixTimestamp(as_of) - minute * 60), 0) / 15) * (1 + ifNull(greatest(0, toUnixTimestamp(as_of) - minute * 60), 0) / 15) * (1 + ifNull(greatest(0, toUnixTimestamp(as_of) - minute * 60), 0) / 15)), 52) - 1023, 127)), 1, times),
            mapKeys(open_since), mapValues(open_since))))) AS said
FROM
(
SELECT *, if(mapContains(as_of_by_run, run), as_of_by_run[run], now64(6)) AS as_of
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT run, process, period, communicator_role, experiencer_role, dimension, origin, period_start, pending, answered, unanswered, open_since, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run)) AND (run_alone OR (run = 'live') != ((run, process, period_start) IN (SELECT arrayJoin([toString(run), 'live']), process, period_start FROM promotions FINAL WHERE run != ''))) AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND dimension = 'timeliness') AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE (run = {run:String} OR NOT run_alone AND has(run_promoted, run))
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)) AS a
WHERE publishable
GROUP BY process, communicator_role, experiencer_role, origin, period_start)
WHERE waiting = 0 AND notEmpty(said)
    AND toDateTime64(if(period = 'week', addDays(period_start, 7), addMonths(period_start, if(period = 'quarter', 3, 1))), 6, 'UTC') <= if(mapContains(as_of_by_run, run), as_of_by_run[run], now64(6))) AS m
GROUP BY process, communicator_role, experiencer_role, origin
HAVING notEmpty(history)))
    )
)))
WHERE notEmpty(shown)))))
)
ORDER BY process, communicator_role, experiencer_role, origin, period_start
SETTINGS join_use_nulls = 0;
