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
    {site:String} = '' AS any_site
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
    SELECT process, dimension, origin, period, period_start, if(turned, b, a) AS communicator_role,
        if(turned, a, b) AS experiencer_role, toFloat64(sum(toInt128(round(ifNull(a.s, 0) * 4503599627370496.0)))) / 4503599627370496.0 AS sum_s, sum(a.n) AS sum_n, sum(a.pending) AS waiting
    FROM
    (
SELECT *, communicator_role AS a, experiencer_role AS b, arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT process, period, communicator_role, experiencer_role, dimension, origin, period_start, s, n, pending, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {run:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {run:String}
    ) AS p ON p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)
    WHERE publishable
    ) AS a
    GROUP BY process, dimension, origin, period, period_start, communicator_role, experiencer_role
)
WHERE waiting = 0 AND toDateTime64(if(period = 'week', addDays(period_start, 7), addMonths(period_start, if(period = 'quarter', 3, 1))), 6, 'UTC') <= ifNull((SELECT max(as_of) FROM runs FINAL WHERE run = {run:String}), now64(6)))
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
    {site:String} = '' AS any_site
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
    FROM (SELECT process, period, site, period_start, dimension, origin, communicator_role, experiencer_role, s, n, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {run:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {run:String}
    ) AS p ON p.of_process = w.process
    WHERE NOT promised OR period = kept_period
) WHERE publishable) UNION ALL SELECT 2 AS place, process, site, period, period_start, dimension, origin, communicator_role, experiencer_role, s, n FROM (
SELECT *
FROM
(
    SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
    FROM (SELECT process, period, site, period_start, dimension, origin, communicator_role, experiencer_role, s, n, communicator_actors, experiencer_actors, largest_share, work_items FROM tie_windows FINAL WHERE run = {compare:String} AND (any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to AND period_start >= earliest_from AND period_start >= multiIf(period = 'week', week_from, period = 'quarter', quarter_from, month_from) AND period_start <= asked_last_day) AS w
    LEFT JOIN
    (
        SELECT process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
        FROM processes FINAL WHERE run = {compare:String}
    ) AS p ON p.of_process = w.process
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
