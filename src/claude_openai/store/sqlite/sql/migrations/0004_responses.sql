-- Responses get a table of their own. The table of runs is made anew without their columns: DROP COLUMN needs SQLite
-- 3.35, which not every supported system has.
CREATE TABLE responses (
    id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    previous_id TEXT,
    items TEXT NOT NULL, -- JSON: the input items of the request
    body TEXT NOT NULL -- JSON: the response
);

CREATE INDEX responses_by_run ON responses (run_id);

INSERT INTO responses
SELECT
    answer_id, id, principal,
    CASE WHEN json_valid(kept_response) THEN json_extract(kept_response, '$.previous_response_id') END,
    kept_items, kept_response
FROM runs
WHERE kept_items IS NOT NULL AND kept_response IS NOT NULL;

CREATE TABLE runs_only (
    id TEXT NOT NULL PRIMARY KEY,
    answer_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    client TEXT NOT NULL,
    model TEXT NOT NULL,
    state TEXT NOT NULL,
    arrived_at REAL NOT NULL,
    began_at REAL,
    first_token_at REAL,
    ended_at REAL,
    place INTEGER NOT NULL,
    way TEXT,
    profile TEXT NOT NULL,
    finish TEXT,
    error_code TEXT,
    error TEXT,
    input_tokens INTEGER, -- this and the next four are all there or all NULL
    output_tokens INTEGER,
    cache_creation_tokens INTEGER,
    cache_read_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_usd REAL,
    text TEXT NOT NULL, -- the long ones last: SQLite reads a row only as far as a query needs
    calls TEXT NOT NULL, -- JSON: [[id, name, arguments], ...]
    server INTEGER -- NULL: of a server that is gone
);

INSERT INTO runs_only
SELECT
    id, answer_id, request_id, principal, client, model, state, arrived_at, began_at, first_token_at, ended_at, place,
    way, profile, finish, error_code, error, input_tokens, output_tokens, cache_creation_tokens, cache_read_tokens,
    reasoning_tokens, cost_usd, text, calls, server
FROM runs;

DROP TABLE runs;

ALTER TABLE runs_only RENAME TO runs;

CREATE INDEX runs_by_arrival ON runs (arrived_at, id);
CREATE INDEX runs_by_answer ON runs (answer_id);
CREATE INDEX runs_by_request ON runs (request_id);
CREATE INDEX runs_unfinished ON runs (server) WHERE state IN ('queued', 'running', 'parked');

CREATE TRIGGER responses_of_deleted_runs AFTER DELETE ON runs
BEGIN
    DELETE FROM responses WHERE run_id = OLD.id;
END;
