-- The runs with their effective state, given the servers that run now (the program fills `living`). An unfinished run of
-- a dead server has failed; a parked one had been answered. The time of its end is unknown.
CREATE TEMP TABLE living (server INTEGER PRIMARY KEY);

CREATE TEMP VIEW effective_runs AS
SELECT
    id, answer_id, request_id, principal, client, model,
    CASE WHEN NOT abandoned THEN state WHEN state = 'parked' THEN 'completed' ELSE 'failed' END AS state,
    arrived_at, began_at, first_token_at, ended_at, place, way, profile, finish,
    CASE WHEN abandoned AND state <> 'parked' THEN 'server_stopped' ELSE error_code END AS error_code,
    CASE
        WHEN abandoned AND state <> 'parked' THEN 'The server stopped before this request was answered.'
        ELSE error
    END AS error,
    input_tokens, output_tokens, cache_creation_tokens, cache_read_tokens, reasoning_tokens,
    cost_usd, text, calls, server, endpoint, asked_model, reason
FROM (
    SELECT
        *,
        state IN ('queued', 'running', 'parked')
        AND (server IS NULL OR server NOT IN (SELECT server FROM living)) AS abandoned
    FROM main.runs
);
