-- Where a figure comes from. Actors are counted, never listed, and payloads stay in the archive.

CREATE OR REPLACE VIEW auditor_evidence AS
SELECT * EXCEPT (communicator_actors, experiencer_actors, is_deleted),
    length(communicator_actors) AS communicator_actors, length(experiencer_actors) AS experiencer_actors
FROM evidence FINAL;

CREATE OR REPLACE VIEW auditor_handoffs AS SELECT * EXCEPT (is_deleted) FROM handoffs FINAL;

CREATE OR REPLACE VIEW auditor_exchanges AS SELECT * EXCEPT (is_deleted) FROM exchanges FINAL;

CREATE OR REPLACE VIEW auditor_problems AS SELECT * EXCEPT (is_deleted) FROM problems FINAL;

CREATE OR REPLACE VIEW auditor_events AS
SELECT ref, source, id, type, time, process, site, subject, sequence, hex(payload_hash) AS payload_hash, received_at,
    topic, partition, offset
FROM events FINAL;

CREATE OR REPLACE VIEW auditor_runs AS SELECT * FROM runs FINAL;

CREATE OR REPLACE VIEW auditor_dead_letters AS SELECT * FROM dead_letters FINAL;
