-- A store as the first schema had it. Frozen: it stands for the files that are out there.
PRAGMA application_id = 1668248179;
PRAGMA user_version = 1;
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
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_creation_tokens INTEGER,
    cache_read_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_usd REAL,
    text TEXT NOT NULL,
    calls TEXT NOT NULL
);
CREATE INDEX runs_by_arrival ON runs (arrived_at, id);
CREATE INDEX runs_by_answer ON runs (answer_id);
CREATE INDEX runs_by_request ON runs (request_id);
INSERT INTO runs VALUES (
    '0000000000000000000000000000000a', 'chatcmpl-0000000000000000000000000000000a', 'req-a', 'local', 'curl/8',
    'claude-sonnet-5', 'completed', 1900000001.5, 1900000001.75, 1900000002.0, 1900000003.0, 0, 'warm', 'chat',
    'tool_calls', NULL, NULL, 10, 20, 3, 4, 5, 0.125, 'Let me look.', '[["call_1", "look", "{\"at\": 1}"]]'
);
INSERT INTO runs VALUES (
    '0000000000000000000000000000000b', 'chatcmpl-0000000000000000000000000000000b', 'req-b', 'local', 'curl/8',
    'claude-sonnet-5', 'running', 1900000002.0, 1900000002.25, NULL, NULL, 2, 'live', 'chat',
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '[]'
);
