-- Writes the effective state of dead servers' runs into the table.
UPDATE runs
SET (state, error_code, error) = (SELECT state, error_code, error FROM effective_runs WHERE effective_runs.id = runs.id)
WHERE
    state IN ('queued', 'running', 'parked')
    AND (server IS NULL OR server NOT IN (SELECT server FROM living));
