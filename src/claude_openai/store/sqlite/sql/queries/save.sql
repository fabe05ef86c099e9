REPLACE INTO runs VALUES (
    :id, :answer_id, :request_id, :principal, :client, :model, :state, :arrived_at, :began_at, :first_token_at, :ended_at,
    :place, :way, :profile, :finish, :error_code, :error, :input_tokens, :output_tokens, :cache_creation_tokens,
    :cache_read_tokens, :reasoning_tokens, :cost_usd, :text, :calls, :server, :kept_items, :kept_response
);
