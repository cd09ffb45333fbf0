-- What needs attention now: roles and work items, nothing about people, nothing about how well anybody communicates.

-- A handoff is looked at only if some version of it was open: few are, and their newest versions are then read by key.
CREATE OR REPLACE VIEW open_handoffs AS
SELECT run, process, site, work_item, handoff_id, episode_id, from_role, to_role, origin, urgency, offered_at, needed_at,
    accept_due_at,
    dateDiff('second', offered_at, now64(6)) AS age_s,
    isNotNull(accept_due_at) AND accept_due_at < now64(6) AS overdue
FROM handoffs FINAL
WHERE state = 'offered' AND isNull(closed_at) AND (run, process, toStartOfMonth(offered_at), work_item, episode_id) IN
    (SELECT run, process, toStartOfMonth(offered_at), work_item, episode_id FROM handoffs WHERE state = 'offered')
ORDER BY offered_at, run, process, work_item, episode_id;

-- Of two contents of one event the smaller payload counts, as everywhere.
CREATE OR REPLACE VIEW quality_interventions AS
SELECT process, site, intervention, min(started) AS started_at, nullIf(max(ended), toDateTime64(0, 6, 'UTC')) AS ended_at,
    argMinIf(name, at, verb = 'started') AS name, argMinIf(kind, at, verb = 'started') AS kind,
    argMinIf(ties, at, verb = 'started') AS ties, argMinIf(hypothesis, at, verb = 'started') AS hypothesis,
    argMinIf(expected_loss, at, verb = 'started') AS expected_loss,
    argMinIf(owner_role, at, verb = 'started') AS owner_role
FROM
(
    SELECT *, if(verb = 'started', at, NULL) AS started, if(verb = 'ended', at, toDateTime64(0, 6, 'UTC')) AS ended
    FROM interventions FINAL
    ORDER BY payload
    LIMIT 1 BY source, id
)
GROUP BY process, site, intervention
HAVING countIf(verb = 'started') > 0
ORDER BY started_at, process, intervention;

-- A mean of few raters says what they said: it is held to the same minimum as everything else.
CREATE OR REPLACE VIEW quality_surveys AS
SELECT s.process AS process, site, survey, at, rater_role AS experiencer_role, rated_role AS communicator_role, dimension,
    s.n >= if(p.least = 0, 5, p.least) AS enough, if(enough, s.mean, NULL) AS mean, if(enough, s.n, NULL) AS n,
    if(enough, 'shown', 'hidden: too few people') AS status
FROM (SELECT * FROM surveys FINAL ORDER BY payload LIMIT 1 BY source, id) AS s
LEFT JOIN
(
    SELECT process, max(greatest(min_actors, 3)) AS least FROM processes FINAL WHERE run = 'live' GROUP BY process
) AS p ON p.process = s.process
ORDER BY at, process, survey, experiencer_role, communicator_role, dimension
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW quality_processes AS
SELECT run, process, period, min_actors, min_work_items, max_share, observed_dimensions, observed_rules, policy_version
FROM processes FINAL
ORDER BY run, process;
