DELETE FROM runs WHERE id IN (
    SELECT id FROM runs
    WHERE arrived_at < :before AND state NOT IN ('queued', 'running', 'parked')
    ORDER BY arrived_at, id
    LIMIT :most
);
