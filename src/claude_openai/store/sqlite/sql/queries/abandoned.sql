-- The unfinished runs of dead servers.
SELECT id FROM runs
WHERE
    state IN ('queued', 'running', 'parked')
    AND (server IS NULL OR server NOT IN (SELECT server FROM living));
