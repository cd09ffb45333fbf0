-- Written by `python -m sinks.clickhouse.quality_views`: see there for what it means.

CREATE OR REPLACE VIEW tie_figures AS
SELECT kept.1 AS process, kept.2 AS origin, kept.3 AS communicator_role, kept.4 AS experiencer_role, kept.5 AS dimension, kept.6 AS period, kept.7 AS declared, kept.8 AS status, kept.9 AS n, kept.10 AS pending, kept.11 AS work_items, kept.12 AS all_work_items, kept.13 AS n_by_rule, estimate, low, high, variance
FROM (SELECT kept, _e AS estimate, _low AS low, _high AS high, _variance AS variance FROM (SELECT *, (1.0 / (1.0 + exp(((-1.0) * least(greatest((_mean + (_sd * (((-1.6449) + (0.2842826683333333 * _g)) - ((-0.01879718704716667) * (_g * _g))))), (-36.0)), 36.0))))) AS _low, (1.0 / (1.0 + exp(((-1.0) * least(greatest((_mean + (_sd * ((1.6449 + (0.2842826683333333 * _g)) - (0.01879718704716667 * (_g * _g))))), (-36.0)), 36.0))))) AS _high FROM (SELECT *, ((_a_psi2 - _b_psi2) / (_variance_of_logit * _sd)) AS _g FROM (SELECT *, sqrt(_variance_of_logit) AS _sd FROM (SELECT *, (_a_psi - _b_psi) AS _mean, (_a_psi1 + _b_psi1) AS _variance_of_logit FROM (SELECT *, (((log((_a + 6.0)) - (0.5 * _a_y)) + (_a_w * ((-0.08333333333333333) + (_a_w * (0.008333333333333333 + (_a_w * ((-0.003968253968253968) + (_a_w * 0.004166666666666667)))))))) - (((((_a_r5 + _a_r4) + _a_r3) + _a_r2) + _a_r1) + _a_r0)) AS _a_psi, ((_a_y + (_a_w * (0.5 + (_a_y * (0.16666666666666666 + (_a_w * ((-0.03333333333333333) + (_a_w * (0.023809523809523808 + (_a_w * (-0.03333333333333333))))))))))) + ((((((_a_r5 * _a_r5) + (_a_r4 * _a_r4)) + (_a_r3 * _a_r3)) + (_a_r2 * _a_r2)) + (_a_r1 * _a_r1)) + (_a_r0 * _a_r0))) AS _a_psi1, ((((-1.0) * _a_w) * ((1.0 + _a_y) - (_a_w * ((-0.5) + (_a_w * (0.16666666666666666 + (_a_w * ((-0.16666666666666666) + (_a_w * 0.3))))))))) - (2.0 * (((((((_a_r5 * _a_r5) * _a_r5) + ((_a_r4 * _a_r4) * _a_r4)) + ((_a_r3 * _a_r3) * _a_r3)) + ((_a_r2 * _a_r2) * _a_r2)) + ((_a_r1 * _a_r1) * _a_r1)) + ((_a_r0 * _a_r0) * _a_r0)))) AS _a_psi2, (((log((_b + 6.0)) - (0.5 * _b_y)) + (_b_w * ((-0.08333333333333333) + (_b_w * (0.008333333333333333 + (_b_w * ((-0.003968253968253968) + (_b_w * 0.004166666666666667)))))))) - (((((_b_r5 + _b_r4) + _b_r3) + _b_r2) + _b_r1) + _b_r0)) AS _b_psi, ((_b_y + (_b_w * (0.5 + (_b_y * (0.16666666666666666 + (_b_w * ((-0.03333333333333333) + (_b_w * (0.023809523809523808 + (_b_w * (-0.03333333333333333))))))))))) + ((((((_b_r5 * _b_r5) + (_b_r4 * _b_r4)) + (_b_r3 * _b_r3)) + (_b_r2 * _b_r2)) + (_b_r1 * _b_r1)) + (_b_r0 * _b_r0))) AS _b_psi1, ((((-1.0) * _b_w) * ((1.0 + _b_y) - (_b_w * ((-0.5) + (_b_w * (0.16666666666666666 + (_b_w * ((-0.16666666666666666) + (_b_w * 0.3))))))))) - (2.0 * (((((((_b_r5 * _b_r5) * _b_r5) + ((_b_r4 * _b_r4) * _b_r4)) + ((_b_r3 * _b_r3) * _b_r3)) + ((_b_r2 * _b_r2) * _b_r2)) + ((_b_r1 * _b_r1) * _b_r1)) + ((_b_r0 * _b_r0) * _b_r0)))) AS _b_psi2 FROM (SELECT *, (_a_y * _a_y) AS _a_w, (_b_y * _b_y) AS _b_w FROM (SELECT *, (1.0 / (_a + 0.0)) AS _a_r0, (1.0 / (_a + 1.0)) AS _a_r1, (1.0 / (_a + 2.0)) AS _a_r2, (1.0 / (_a + 3.0)) AS _a_r3, (1.0 / (_a + 4.0)) AS _a_r4, (1.0 / (_a + 5.0)) AS _a_r5, (1.0 / (_a + 6.0)) AS _a_y, (1.0 / (_b + 0.0)) AS _b_r0, (1.0 / (_b + 1.0)) AS _b_r1, (1.0 / (_b + 2.0)) AS _b_r2, (1.0 / (_b + 3.0)) AS _b_r3, (1.0 / (_b + 4.0)) AS _b_r4, (1.0 / (_b + 5.0)) AS _b_r5, (1.0 / (_b + 6.0)) AS _b_y FROM (SELECT *, (_e * _size) AS _a, ((1.0 - _e) * _size) AS _b FROM (SELECT *, greatest(0.5, ((_own / _variance) - 1.0)) AS _size FROM (SELECT *, if((_k < 5.0), (_own / (_n_ + 2.0)), (((_own * (1.0 - _b_)) / ((_n_ + 1.0) - _b_)) + ((_b_ * _b_) * (((_v / _n_eff) + (_tau2 / _k)) + ((2.0 * ((_p - _mu) * (_p - _mu))) / (_k - 3.0)))))) AS _variance FROM (SELECT *, (_e * (1.0 - _e)) AS _own FROM (SELECT *, if((_k < 5.0), (((_s / _f) + 0.5) / (_n_ + 1.0)), least(greatest((_p + (_b_ * (_mu - _p))), 0.0001), 0.9999)) AS _e FROM (SELECT *, if((_k < 5.0), 0.0, (((_k - 3.0) / (_k - 1.0)) / ((_n_ * _inv_m) + 1.0))) AS _b_ FROM (SELECT *, (_n / _f) AS _n_, if(((3.0 * _tau2) < (2.0 * _v)), (_tau2 / (_v - _tau2)), 2.0) AS _inv_m FROM (SELECT *, if((_phi > 0.0), _phi, 1.0) AS _f, if((_n > 0.0), (_s / _n), _mu) AS _p, (_mu * (1.0 - _mu)) AS _v FROM (SELECT *, toFloat64(s) AS _s, toFloat64(n) AS _n, toFloat64(mu) AS _mu, toFloat64(tau2) AS _tau2, toFloat64(phi) AS _phi, toFloat64(k) AS _k, toFloat64(n_eff) AS _n_eff FROM (
SELECT tuple(process, origin, communicator_role, experiencer_role, dimension, period, declared, status, n, pending, work_items, all_work_items, n_by_rule) AS kept, s, n, mu, tau2, phi, k, n_eff FROM (
SELECT j.*, q.mu AS mu, q.tau2 AS tau2, q.phi AS phi, q.k AS k, q.n_eff AS n_eff
FROM (
SELECT t.process AS process, t.origin AS origin, t.communicator_role AS communicator_role,
    t.experiencer_role AS experiencer_role, t.dimension AS dimension,
    a.found AS found, a.shown_atoms AS shown_atoms, a.peopled_too_thinly AS peopled_too_thinly, a.s AS s, a.n AS n,
    a.pending AS pending, a.work_items AS work_items, a.all_work_items AS all_work_items, a.n_by_rule AS n_by_rule,
    has(if(t.origin = 'inferred', d.inferred_dimensions, d.explicit_dimensions), t.dimension) AS declared,
    if(d.period = '', 'month', d.period) AS period, multiIf(
        found = 0 AND NOT declared, 'not observed',
        shown_atoms > 0, 'shown',
        peopled_too_thinly > 0, 'hidden: too few people',
        'not enough data') AS status
FROM (SELECT *, arrayJoin(['frequency', 'timeliness', 'accuracy', 'problem_solving']) AS dimension FROM (
SELECT DISTINCT process, origin, direction.1 AS communicator_role, direction.2 AS experiencer_role
FROM (SELECT *, arrayJoin([(from_role, to_role), (to_role, from_role)]) AS direction FROM (
SELECT process, origin, from_role, to_role
FROM
(
    SELECT named.*, ifNull(nullIf(p.period, ''), 'month') AS period
    FROM
    (
        
SELECT DISTINCT process, toString(origin) AS origin, from_role, to_role AS to_role,
    toStartOfMonth(offered_at) AS month, toMonday(offered_at) AS monday
FROM handoffs FINAL
WHERE run = {run:String} AND {process:String} IN ('', process) AND {site:String} IN ('', site)
    AND offered_at >= least(toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')))
    AND offered_at < addMonths(toStartOfQuarter(parseDateTime64BestEffort({to:String}, 6, 'UTC')), 4)
        UNION ALL
        
SELECT DISTINCT process, 'explicit' AS origin, from_role, arrayJoin(to_roles) AS to_role,
    toStartOfMonth(sent_at) AS month, toMonday(sent_at) AS monday
FROM exchanges FINAL
WHERE run = {run:String} AND {process:String} IN ('', process) AND {site:String} IN ('', site)
    AND sent_at >= least(toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')))
    AND sent_at < addMonths(toStartOfQuarter(parseDateTime64BestEffort({to:String}, 6, 'UTC')), 4)
        UNION ALL
        
SELECT DISTINCT process, 'explicit' AS origin, from_role, arrayJoin(to_roles) AS to_role,
    toStartOfMonth(raised_at) AS month, toMonday(raised_at) AS monday
FROM problems FINAL
WHERE run = {run:String} AND {process:String} IN ('', process) AND {site:String} IN ('', site)
    AND raised_at >= least(toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')))
    AND raised_at < addMonths(toStartOfQuarter(parseDateTime64BestEffort({to:String}, 6, 'UTC')), 4)
    ) AS named
    LEFT JOIN (SELECT process, period FROM processes FINAL WHERE run = {run:String}) AS p ON p.process = named.process
)
WHERE multiIf(
        period = 'week', monday BETWEEN toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')) AND toMonday(parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1)),
        period = 'quarter', toStartOfQuarter(month) BETWEEN
            toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')) AND toStartOfQuarter(parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1)),
        month BETWEEN toStartOfMonth(parseDateTime64BestEffort({from:String}, 6, 'UTC')) AND toStartOfMonth(parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1)))
    AND parseDateTime64BestEffort({from:String}, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC')
UNION ALL
SELECT process, origin, communicator_role, experiencer_role FROM (
SELECT * FROM (
SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
FROM (SELECT * FROM tie_windows FINAL WHERE run = {run:String}) AS w
LEFT JOIN
(
    SELECT process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
    FROM processes FINAL WHERE run = {run:String}
) AS p ON p.process = w.process
WHERE NOT promised OR w.period = kept_period)
WHERE parseDateTime64BestEffort({from:String}, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC') AND period_start >= toDate32(if(period = 'week', toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), if(period = 'quarter', toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfMonth(parseDateTime64BestEffort({from:String}, 6, 'UTC'))))) AND toDateTime64(period_start, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC')
    AND {process:String} IN ('', process) AND {site:String} IN ('', site))))
WHERE from_role != '' AND to_role != '')) AS t
LEFT JOIN (
SELECT a.process AS process, a.origin AS origin, a.direction.1 AS communicator_role, a.direction.2 AS experiencer_role,
    a.dimension AS dimension, 1 AS found,
    countIf(a.publishable) AS shown_atoms, countIf(a.n > 0 AND NOT a.enough_people) AS peopled_too_thinly,
    toFloat64(sumIf(toInt128(round(ifNull(a.s, 0) * 4503599627370496.0)), a.publishable)) / 4503599627370496.0 AS s,
    sumIf(a.n, a.publishable) AS n, sumIf(a.pending, a.publishable) AS pending,
    sumIf(a.work_items, a.publishable) AS work_items, sum(a.work_items) AS all_work_items,
    sumMapIf(a.n_by_rule, a.publishable) AS n_by_rule
FROM (
SELECT *, arrayJoin(if(dimension = 'frequency' AND communicator_role != experiencer_role,
        [(communicator_role, experiencer_role), (experiencer_role, communicator_role)],
        [(communicator_role, experiencer_role)])) AS direction
FROM (
SELECT * FROM (
SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
FROM (SELECT * FROM tie_windows FINAL WHERE run = {run:String}) AS w
LEFT JOIN
(
    SELECT process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
    FROM processes FINAL WHERE run = {run:String}
) AS p ON p.process = w.process
WHERE NOT promised OR w.period = kept_period)
WHERE parseDateTime64BestEffort({from:String}, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC') AND period_start >= toDate32(if(period = 'week', toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), if(period = 'quarter', toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfMonth(parseDateTime64BestEffort({from:String}, 6, 'UTC'))))) AND toDateTime64(period_start, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC')
    AND {process:String} IN ('', process) AND {site:String} IN ('', site))) AS a
GROUP BY process, origin, communicator_role, experiencer_role, dimension) AS a ON a.process = t.process AND a.origin = t.origin
    AND a.communicator_role = t.communicator_role AND a.experiencer_role = t.experiencer_role
    AND a.dimension = t.dimension
LEFT JOIN (
SELECT process, period,
    arrayDistinct(arrayMap(rule -> transform(toString(rule), ['handoff_acceptance', 'handoff_offer', 'reply', 'handoff_accuracy', 'message_accuracy', 'problem_response', 'handoff_advanced', 'contact'], ['timeliness', 'timeliness', 'timeliness', 'accuracy', 'accuracy', 'problem_solving', 'problem_solving', 'frequency'], ''), observed_rules)) AS explicit_dimensions,
    arrayDistinct(arrayMap(rule -> transform(toString(rule), ['handoff_acceptance', 'handoff_advanced'], ['timeliness', 'problem_solving'], ''), observed_rules)) AS inferred_dimensions
FROM processes FINAL WHERE run = {run:String}) AS d ON d.process = t.process) AS j
LEFT JOIN (SELECT * FROM priors FINAL WHERE run = {run:String}) AS q
    ON q.process = j.process AND q.dimension = j.dimension AND q.origin = j.origin)))))))))))))))))))
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW ties AS
SELECT process, communicator_role, experiencer_role, dimension, origin,
    if(f.status = 'shown', f.n, NULL) AS n, if(f.status = 'shown', f.pending, NULL) AS pending, if(f.status = 'shown', f.estimate, NULL) AS estimate, if(f.status = 'shown', f.low, NULL) AS low, if(f.status = 'shown', f.high, NULL) AS high, status, if(f.status = 'shown', f.work_items, NULL) AS work_items,
    if(f.status = 'shown', f.n_by_rule, CAST(map(), 'Map(String, UInt64)')) AS n_by_rule,
    if(all_work_items = 0, NULL,
        intDiv(20 * (all_work_items - f.work_items) + all_work_items, 2 * all_work_items) / 10) AS hidden_share,
    toDate32(if(period = 'week', toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), if(period = 'quarter', toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfMonth(parseDateTime64BestEffort({from:String}, 6, 'UTC'))))) AS period_from,
    if(period = 'week', addDays(toDate32(if(period = 'week', toMonday((parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1))), if(period = 'quarter', toStartOfQuarter((parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1))), toStartOfMonth((parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1)))))), 7), addMonths(toDate32(if(period = 'week', toMonday((parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1))), if(period = 'quarter', toStartOfQuarter((parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1))), toStartOfMonth((parseDateTime64BestEffort({to:String}, 6, 'UTC') - toIntervalMicrosecond(1)))))), if(period = 'quarter', 3, 1))) AS period_to
FROM tie_figures(run = {run:String}, `from` = {from:String}, `to` = {to:String}, process = {process:String}, site = {site:String}) AS f
ORDER BY process, communicator_role, experiencer_role, origin, indexOf(['frequency', 'timeliness', 'accuracy', 'problem_solving'], dimension);

CREATE OR REPLACE VIEW overall AS
SELECT process, communicator_role, experiencer_role, origin, dimensions, verdict AS status,
    if(verdict = 'shown', mean, NULL) AS estimate, if(verdict = 'shown', o.low, NULL) AS low,
    if(verdict = 'shown', o.high, NULL) AS high
FROM (SELECT process, communicator_role, experiencer_role, origin, dimensions, verdict, mean, _low AS low, _high AS high FROM (SELECT *, (1.0 / (1.0 + exp(((-1.0) * least(greatest((_mean + (_sd * (((-1.6449) + (0.2842826683333333 * _g)) - ((-0.01879718704716667) * (_g * _g))))), (-36.0)), 36.0))))) AS _low, (1.0 / (1.0 + exp(((-1.0) * least(greatest((_mean + (_sd * ((1.6449 + (0.2842826683333333 * _g)) - (0.01879718704716667 * (_g * _g))))), (-36.0)), 36.0))))) AS _high FROM (SELECT *, ((_a_psi2 - _b_psi2) / (_variance_of_logit * _sd)) AS _g FROM (SELECT *, sqrt(_variance_of_logit) AS _sd FROM (SELECT *, (_a_psi - _b_psi) AS _mean, (_a_psi1 + _b_psi1) AS _variance_of_logit FROM (SELECT *, (((log((_a + 6.0)) - (0.5 * _a_y)) + (_a_w * ((-0.08333333333333333) + (_a_w * (0.008333333333333333 + (_a_w * ((-0.003968253968253968) + (_a_w * 0.004166666666666667)))))))) - (((((_a_r5 + _a_r4) + _a_r3) + _a_r2) + _a_r1) + _a_r0)) AS _a_psi, ((_a_y + (_a_w * (0.5 + (_a_y * (0.16666666666666666 + (_a_w * ((-0.03333333333333333) + (_a_w * (0.023809523809523808 + (_a_w * (-0.03333333333333333))))))))))) + ((((((_a_r5 * _a_r5) + (_a_r4 * _a_r4)) + (_a_r3 * _a_r3)) + (_a_r2 * _a_r2)) + (_a_r1 * _a_r1)) + (_a_r0 * _a_r0))) AS _a_psi1, ((((-1.0) * _a_w) * ((1.0 + _a_y) - (_a_w * ((-0.5) + (_a_w * (0.16666666666666666 + (_a_w * ((-0.16666666666666666) + (_a_w * 0.3))))))))) - (2.0 * (((((((_a_r5 * _a_r5) * _a_r5) + ((_a_r4 * _a_r4) * _a_r4)) + ((_a_r3 * _a_r3) * _a_r3)) + ((_a_r2 * _a_r2) * _a_r2)) + ((_a_r1 * _a_r1) * _a_r1)) + ((_a_r0 * _a_r0) * _a_r0)))) AS _a_psi2, (((log((_b + 6.0)) - (0.5 * _b_y)) + (_b_w * ((-0.08333333333333333) + (_b_w * (0.008333333333333333 + (_b_w * ((-0.003968253968253968) + (_b_w * 0.004166666666666667)))))))) - (((((_b_r5 + _b_r4) + _b_r3) + _b_r2) + _b_r1) + _b_r0)) AS _b_psi, ((_b_y + (_b_w * (0.5 + (_b_y * (0.16666666666666666 + (_b_w * ((-0.03333333333333333) + (_b_w * (0.023809523809523808 + (_b_w * (-0.03333333333333333))))))))))) + ((((((_b_r5 * _b_r5) + (_b_r4 * _b_r4)) + (_b_r3 * _b_r3)) + (_b_r2 * _b_r2)) + (_b_r1 * _b_r1)) + (_b_r0 * _b_r0))) AS _b_psi1, ((((-1.0) * _b_w) * ((1.0 + _b_y) - (_b_w * ((-0.5) + (_b_w * (0.16666666666666666 + (_b_w * ((-0.16666666666666666) + (_b_w * 0.3))))))))) - (2.0 * (((((((_b_r5 * _b_r5) * _b_r5) + ((_b_r4 * _b_r4) * _b_r4)) + ((_b_r3 * _b_r3) * _b_r3)) + ((_b_r2 * _b_r2) * _b_r2)) + ((_b_r1 * _b_r1) * _b_r1)) + ((_b_r0 * _b_r0) * _b_r0)))) AS _b_psi2 FROM (SELECT *, (_a_y * _a_y) AS _a_w, (_b_y * _b_y) AS _b_w FROM (SELECT *, (1.0 / (_a + 0.0)) AS _a_r0, (1.0 / (_a + 1.0)) AS _a_r1, (1.0 / (_a + 2.0)) AS _a_r2, (1.0 / (_a + 3.0)) AS _a_r3, (1.0 / (_a + 4.0)) AS _a_r4, (1.0 / (_a + 5.0)) AS _a_r5, (1.0 / (_a + 6.0)) AS _a_y, (1.0 / (_b + 0.0)) AS _b_r0, (1.0 / (_b + 1.0)) AS _b_r1, (1.0 / (_b + 2.0)) AS _b_r2, (1.0 / (_b + 3.0)) AS _b_r3, (1.0 / (_b + 4.0)) AS _b_r4, (1.0 / (_b + 5.0)) AS _b_r5, (1.0 / (_b + 6.0)) AS _b_y FROM (SELECT *, (_e * _size) AS _a, ((1.0 - _e) * _size) AS _b FROM (SELECT *, greatest(0.5, ((_own / _variance) - 1.0)) AS _size FROM (SELECT *, (_e * (1.0 - _e)) AS _own FROM (SELECT *, toFloat64(mean) AS _e, toFloat64(spread) AS _variance FROM (
SELECT process, origin, communicator_role, experiencer_role, dimensions,
    multiIf(wanted = 0, 'not observed', hidden > 0, 'hidden: too few people', shown < wanted, 'not enough data',
        'shown') AS verdict,
    if(verdict = 'shown', arraySum(arrayMap(part -> part.2, parts)) / wanted, 0.5) AS mean,
    if(verdict = 'shown', pow(arraySum(arrayMap(part -> part.3, parts)) / wanted, 2), 0.05) AS spread
FROM
(
    SELECT process, origin, communicator_role, experiencer_role, arraySort(groupArrayIf((dimension, estimate, sqrt(variance)), declared)) AS parts,
        arraySort(groupArrayIf(dimension, declared)) AS dimensions, countIf(declared) AS wanted,
        countIf(declared AND status = 'shown') AS shown, countIf(declared AND startsWith(status, 'hidden')) AS hidden
    FROM tie_figures(run = {run:String}, `from` = {from:String}, `to` = {to:String}, process = {process:String}, site = {site:String})
    GROUP BY process, origin, communicator_role, experiencer_role
)))))))))))))) AS o
ORDER BY process, communicator_role, experiencer_role, origin;

CREATE OR REPLACE VIEW tie_periods AS
SELECT process, site, direction.1 AS communicator_role, direction.2 AS experiencer_role, dimension, origin,
    period, period_start, if(period = 'week', addDays(period_start, 7), addMonths(period_start, if(period = 'quarter', 3, 1))) AS period_end,
    s / n AS value, s, n, pending, work_items, n_by_rule
FROM (
SELECT *, arrayJoin(if(dimension = 'frequency' AND communicator_role != experiencer_role,
        [(communicator_role, experiencer_role), (experiencer_role, communicator_role)],
        [(communicator_role, experiencer_role)])) AS direction
FROM (
SELECT * FROM (
SELECT w.*, least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5) AND largest_share <= if(promised, least(max_share, 0.5), 0.5) AS enough_people, enough_people AND work_items >= if(promised, greatest(min_work_items, 10), 10) AS publishable
FROM (SELECT * FROM tie_windows FINAL WHERE run = {run:String}) AS w
LEFT JOIN
(
    SELECT process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
    FROM processes FINAL WHERE run = {run:String}
) AS p ON p.process = w.process
WHERE NOT promised OR w.period = kept_period)
WHERE parseDateTime64BestEffort({from:String}, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC') AND period_start >= toDate32(if(period = 'week', toMonday(parseDateTime64BestEffort({from:String}, 6, 'UTC')), if(period = 'quarter', toStartOfQuarter(parseDateTime64BestEffort({from:String}, 6, 'UTC')), toStartOfMonth(parseDateTime64BestEffort({from:String}, 6, 'UTC'))))) AND toDateTime64(period_start, 6, 'UTC') < parseDateTime64BestEffort({to:String}, 6, 'UTC')
    AND {process:String} IN ('', process) AND {site:String} IN ('', site)))
WHERE publishable
ORDER BY process, site, communicator_role, experiencer_role, dimension, origin, period_start
SETTINGS join_use_nulls = 0;
