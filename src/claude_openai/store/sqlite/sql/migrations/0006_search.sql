-- Indexes of the lists and searches. The last one has every short column: a search that has to look at each run reads it
-- instead of the rows, which are long.
CREATE INDEX runs_by_principal ON runs (principal, arrived_at, id);
CREATE INDEX runs_not_completed ON runs (state, arrived_at, id) WHERE state <> 'completed';
CREATE INDEX runs_facts ON runs (
    arrived_at, id, principal, state, server, model, client, way, profile, finish, error_code, began_at, first_token_at,
    ended_at, input_tokens, output_tokens, cache_creation_tokens, cache_read_tokens, cost_usd
);

-- The words of each run that has ended (core.search.words), and the full-text index over them. The program writes them
-- once, together with the roll-up: a run with a row in `indexed` is counted there. The number is the arrival in microseconds,
-- or the next one that is free, so that the index has the runs by time.
CREATE TABLE indexed (number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE);

CREATE TABLE words (number INTEGER PRIMARY KEY, words TEXT NOT NULL);

CREATE VIRTUAL TABLE words_index USING fts5 (
    words, content = 'words', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 0'
);

CREATE TRIGGER words_inserted AFTER INSERT ON words
BEGIN
    INSERT INTO words_index (rowid, words) VALUES (NEW.number, NEW.words);
END;

CREATE TRIGGER words_updated AFTER UPDATE ON words
BEGIN
    INSERT INTO words_index (words_index, rowid, words) VALUES ('delete', OLD.number, OLD.words);
    INSERT INTO words_index (rowid, words) VALUES (NEW.number, NEW.words);
END;

CREATE TRIGGER words_deleted AFTER DELETE ON words
BEGIN
    INSERT INTO words_index (words_index, rowid, words) VALUES ('delete', OLD.number, OLD.words);
END;

CREATE TRIGGER words_of_deleted_runs AFTER DELETE ON runs
BEGIN
    DELETE FROM words WHERE number = (SELECT number FROM indexed WHERE run_id = OLD.id);
    DELETE FROM indexed WHERE run_id = OLD.id;
END;

-- What ended runs add up to by the hour of their arrival (core.statistics). It outlives the runs.
CREATE TABLE hours (
    hour INTEGER NOT NULL, -- Unix time divided by 3600
    principal TEXT NOT NULL,
    model TEXT NOT NULL,
    client TEXT NOT NULL,
    way TEXT NOT NULL,
    state TEXT NOT NULL,
    runs INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_creation_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    priced INTEGER NOT NULL, -- runs with a cost
    -- buckets of the time to the first token, see core.statistics.BOUNDS
    first_token_0 INTEGER NOT NULL, first_token_1 INTEGER NOT NULL, first_token_2 INTEGER NOT NULL, first_token_3 INTEGER NOT NULL,
    first_token_4 INTEGER NOT NULL, first_token_5 INTEGER NOT NULL, first_token_6 INTEGER NOT NULL, first_token_7 INTEGER NOT NULL,
    first_token_8 INTEGER NOT NULL, first_token_9 INTEGER NOT NULL, first_token_10 INTEGER NOT NULL, first_token_11 INTEGER NOT NULL,
    first_token_12 INTEGER NOT NULL, first_token_13 INTEGER NOT NULL, first_token_14 INTEGER NOT NULL, first_token_15 INTEGER NOT NULL,
    first_token_16 INTEGER NOT NULL, first_token_17 INTEGER NOT NULL, first_token_18 INTEGER NOT NULL, first_token_19 INTEGER NOT NULL,
    first_token_20 INTEGER NOT NULL, first_token_21 INTEGER NOT NULL,
    -- buckets of the time to the end, see core.statistics.BOUNDS
    duration_0 INTEGER NOT NULL, duration_1 INTEGER NOT NULL, duration_2 INTEGER NOT NULL, duration_3 INTEGER NOT NULL,
    duration_4 INTEGER NOT NULL, duration_5 INTEGER NOT NULL, duration_6 INTEGER NOT NULL, duration_7 INTEGER NOT NULL,
    duration_8 INTEGER NOT NULL, duration_9 INTEGER NOT NULL, duration_10 INTEGER NOT NULL, duration_11 INTEGER NOT NULL,
    duration_12 INTEGER NOT NULL, duration_13 INTEGER NOT NULL, duration_14 INTEGER NOT NULL, duration_15 INTEGER NOT NULL,
    duration_16 INTEGER NOT NULL, duration_17 INTEGER NOT NULL, duration_18 INTEGER NOT NULL, duration_19 INTEGER NOT NULL,
    duration_20 INTEGER NOT NULL, duration_21 INTEGER NOT NULL,
    PRIMARY KEY (hour, principal, model, client, way, state)
) WITHOUT ROWID;

-- `indexed_since`: ended runs that arrived earlier have no row in `indexed` yet. There is no such row once all have one.
CREATE TABLE progress (name TEXT NOT NULL PRIMARY KEY, value REAL NOT NULL);

INSERT INTO progress SELECT 'indexed_since', 1e300 WHERE EXISTS (SELECT 1 FROM runs);
