-- Written by `python -m sinks.clickhouse.survey_views`: see there for what it means.

CREATE OR REPLACE VIEW quality_surveys AS
SELECT s.process AS process, site, survey, at, rater_role AS experiencer_role, rated_role AS communicator_role,
    dimension, s.n >= if(p.least = 0, 5, p.least) AND s.mean >= 1 AND s.mean <= 5 AS enough,
    if(enough, s.mean, NULL) AS mean, if(enough, s.n, NULL) AS n, if(enough, 'shown', 'hidden: too few people') AS status
FROM (SELECT * FROM surveys FINAL ORDER BY payload LIMIT 1 BY source, id) AS s
LEFT JOIN
(
    SELECT process, max(greatest(min_actors, 3)) AS least FROM processes FINAL WHERE run = 'live' GROUP BY process
) AS p ON p.process = s.process
ORDER BY at, process, survey, experiencer_role, communicator_role, dimension
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW survey_beside_proxy AS
WITH toDate32(assumeNotNull((SELECT max(at) FROM surveys WHERE process = {process:String} AND survey = {survey:String} AND at >= parseDateTime64BestEffort({from:String}, 6, 'UTC') AND at < parseDateTime64BestEffort({to:String}, 6, 'UTC')))) AS taken_on,
    ifNull((SELECT any(period) FROM processes FINAL WHERE run = {run:String} AND process = {process:String}), '') AS kept_as,
    multiIf(kept_as = 'week', toMonday(taken_on), kept_as = 'quarter', toStartOfQuarter(taken_on), toStartOfMonth(taken_on)) AS before,
    multiIf(kept_as = 'week', addWeeks(before, -13), kept_as = 'quarter', addQuarters(before, -1), addMonths(before, -3)) AS since,
    toDateTime64(since, 6, 'UTC') AS survey_from,
    toDateTime64(before, 6, 'UTC') AS survey_to
SELECT process, survey, survey_at, period_from, period_to, communicator_role, experiencer_role, dimension, origin,
    survey_status, survey_mean,
    if(survey_mean IS NULL, NULL, 1 + 4 * greatest(0., ((survey_mean - 1) / 4 + 2.70569601 / toFloat64(survey_n) / 2) / (1 + 2.70569601 / toFloat64(survey_n)) - sqrt(2.70569601 / toFloat64(survey_n) * ((survey_mean - 1) / 4 * (1 - (survey_mean - 1) / 4) + 2.70569601 / toFloat64(survey_n) / 4)) / (1 + 2.70569601 / toFloat64(survey_n)))) AS survey_low,
    if(survey_mean IS NULL, NULL, 1 + 4 * least(1., ((survey_mean - 1) / 4 + 2.70569601 / toFloat64(survey_n) / 2) / (1 + 2.70569601 / toFloat64(survey_n)) + sqrt(2.70569601 / toFloat64(survey_n) * ((survey_mean - 1) / 4 * (1 - (survey_mean - 1) / 4) + 2.70569601 / toFloat64(survey_n) / 4)) / (1 + 2.70569601 / toFloat64(survey_n)))) AS survey_high, survey_n,
    proxy_status, n, estimate, low, high
FROM
(
    SELECT {process:String} AS process, {survey:String} AS survey, s.taken_at AS survey_at,
        survey_from AS period_from, survey_to AS period_to, s.communicator_role AS communicator_role,
        s.experiencer_role AS experiencer_role, toString(s.dimension) AS dimension, figure.1 AS origin,
        if(s.raters = 0 OR closed OR figure.2 = 'hidden: too few people', 'hidden: too few people', 'shown') AS survey_status,
        if(survey_status = 'shown', s.pooled, NULL) AS survey_mean,
        if(survey_status = 'shown', s.raters, NULL) AS survey_n,
        figure.2 AS proxy_status, if(figure.2 = 'shown', figure.3, NULL) AS n,
        figure.4 AS estimate, figure.5 AS low, figure.6 AS high,
        arrayMap(found -> found.2, arrayFilter(found -> found.1 = s.dimension, figures)) AS own,
        arrayJoin(if(empty(own), [tuple('', if(s.dimension IN ('frequency', 'timeliness', 'accuracy', 'problem_solving'), 'not observed', 'survey only'), toNullable(toUInt64(0)), CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(Float64)'))], own)) AS figure
    FROM (
SELECT communicator_role, experiencer_role, dimension, max(q.at) AS taken_at,
    sum(ifNull(q.n, 0)) AS raters, sum(ifNull(q.mean * q.n, 0.)) / greatest(raters, 1) AS pooled
FROM (
SELECT s.process AS process, site, survey, at, rater_role AS experiencer_role, rated_role AS communicator_role,
    dimension, s.n >= if(p.least = 0, 5, p.least) AND s.mean >= 1 AND s.mean <= 5 AS enough,
    if(enough, s.mean, NULL) AS mean, if(enough, s.n, NULL) AS n, if(enough, 'shown', 'hidden: too few people') AS status
FROM (SELECT * FROM surveys FINAL ORDER BY payload LIMIT 1 BY source, id) AS s
LEFT JOIN
(
    SELECT process, max(greatest(min_actors, 3)) AS least FROM processes FINAL WHERE run = 'live' GROUP BY process
) AS p ON p.process = s.process
ORDER BY at, process, survey, experiencer_role, communicator_role, dimension
SETTINGS join_use_nulls = 0) AS q
WHERE process = {process:String} AND survey = {survey:String} AND at >= parseDateTime64BestEffort({from:String}, 6, 'UTC') AND at < parseDateTime64BestEffort({to:String}, 6, 'UTC') AND ({site:String} = '' OR site = {site:String})
GROUP BY communicator_role, experiencer_role, dimension) AS s
    LEFT JOIN (
SELECT communicator_role, experiencer_role,
    countIf(status = 'shown') = 0 AND countIf(status = 'hidden: too few people') > 0 AS closed,
    groupArray((toString(dimension), (toString(origin), toString(status), n, estimate, low, high))) AS figures
FROM (
WITH toDate32(assumeNotNull((SELECT max(at) FROM surveys WHERE process = {process:String} AND survey = {survey:String} AND at >= parseDateTime64BestEffort({from:String}, 6, 'UTC') AND at < parseDateTime64BestEffort({to:String}, 6, 'UTC')))) AS taken_on,
    ifNull((SELECT any(period) FROM processes FINAL WHERE run = {run:String} AND process = {process:String}), '') AS kept_as,
    multiIf(kept_as = 'week', toMonday(taken_on), kept_as = 'quarter', toStartOfQuarter(taken_on), toStartOfMonth(taken_on)) AS before,
    multiIf(kept_as = 'week', addWeeks(before, -13), kept_as = 'quarter', addQuarters(before, -1), addMonths(before, -3)) AS since,
    toDateTime64(since, 6, 'UTC') AS survey_from,
    toDateTime64(before, 6, 'UTC') AS survey_to,
    survey_from AS asked_from,
    survey_to AS asked_to,
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
SETTINGS join_use_nulls = 0)
GROUP BY communicator_role, experiencer_role) AS t
        ON t.communicator_role = s.communicator_role AND t.experiencer_role = s.experiencer_role
)
SETTINGS join_use_nulls = 0;
