-- A view keeps the columns that its table had when it was created: evidence has got more since (0007).
CREATE OR REPLACE VIEW auditor_evidence AS
SELECT * EXCEPT (communicator_actors, experiencer_actors, is_deleted),
    length(communicator_actors) AS communicator_actors, length(experiencer_actors) AS experiencer_actors
FROM evidence FINAL;
