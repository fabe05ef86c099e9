DELETE FROM runs WHERE id IN (
    SELECT id FROM runs
    WHERE state NOT IN ('queued', 'running', 'parked')
    ORDER BY arrived_at, id
    LIMIT :most
);
