-- Writes down what `standing` says of the runs of dead servers.
UPDATE runs
SET (state, error_code, error) = (SELECT state, error_code, error FROM standing WHERE standing.id = runs.id)
WHERE
    state IN ('queued', 'running', 'parked')
    AND (server IS NULL OR server NOT IN (SELECT server FROM living));
