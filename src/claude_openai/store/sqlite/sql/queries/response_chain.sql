-- A response of one principal, then the one that it continues, and so on.
WITH RECURSIVE chain (id, run_id, principal, previous_id, items, body, number) AS (
    SELECT id, run_id, principal, previous_id, items, body, 1
    FROM responses
    WHERE id = :wanted AND principal = :principal
    UNION ALL
    SELECT earlier.id, earlier.run_id, earlier.principal, earlier.previous_id, earlier.items, earlier.body, number + 1
    FROM chain
    INNER JOIN responses AS earlier ON earlier.id = chain.previous_id AND earlier.principal = chain.principal
    WHERE number < :most
)
SELECT id, run_id, principal, previous_id, items, body FROM chain ORDER BY number;
