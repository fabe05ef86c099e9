-- What was asked for: the endpoint and the model; and why no session that was there could answer it.
ALTER TABLE runs ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN asked_model TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN reason TEXT;

DROP INDEX runs_facts;
CREATE INDEX runs_facts ON runs (
    arrived_at, id, principal, state, server, model, asked_model, client, endpoint, way, reason, profile, finish, error_code,
    began_at, first_token_at, ended_at, input_tokens, output_tokens, cache_creation_tokens, cache_read_tokens, cost_usd
);
