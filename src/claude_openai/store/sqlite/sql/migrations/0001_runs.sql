-- One row for each request, as core.runs.Run has it.
PRAGMA application_id = 0x636F7273; -- "cors": claude-openai's run store

CREATE TABLE runs (
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
    text TEXT NOT NULL, -- the long ones last: a row is read only as far as it is asked for
    calls TEXT NOT NULL -- JSON: [[id, name, arguments], ...]
);

CREATE INDEX runs_by_arrival ON runs (arrived_at, id);
CREATE INDEX runs_by_answer ON runs (answer_id);
CREATE INDEX runs_by_request ON runs (request_id);
