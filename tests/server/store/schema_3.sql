-- A store of schema 3, which had stored responses in the table of runs: one, one that goes on from it with a call, a chat
-- completion, and a response whose server was killed. Written by the version that had it, and frozen.
PRAGMA application_id = 1668248179;
PRAGMA user_version = 3;
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
    calls TEXT NOT NULL,
    server INTEGER,
    kept_items TEXT,
    kept_response TEXT
);
INSERT INTO runs VALUES('00000000000000000000000000000002','resp_00000000000000000000000000000002','req_00000000000000000000000000000001','local','python-httpx2/2.16.2','claude-sonnet-4-5','completed',1900000000.5,1900000000.5,1900000000.5,1900000000.5,0,'cold','chat','stop',NULL,NULL,10,5,3,7,2,0.25,'Hello Ann.','[]',1,'[{"id": "item_00000000000000000000000000000002_0", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "I am Ann."}]}]','{"id":"resp_00000000000000000000000000000002","object":"response","created_at":1900000000,"completed_at":1900000000,"status":"completed","background":false,"error":null,"frequency_penalty":0.0,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"model":"sonnet","output":[{"id":"msg_00000000000000000000000000000002_o0","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello Ann.","annotations":[],"logprobs":[]}]}],"parallel_tool_calls":true,"presence_penalty":0.0,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":7,"cache_write_tokens":3},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":25},"user":null,"claude":{"session_id":"session-1","model":"claude-sonnet-4-5","cost_usd":0.25}}');
INSERT INTO runs VALUES('00000000000000000000000000000004','resp_00000000000000000000000000000004','req_00000000000000000000000000000003','local','python-httpx2/2.16.2','claude-sonnet-4-5','completed',1900000000.5,1900000000.5,1900000000.5,1900000000.5,0,'cold','chat','tool_calls',NULL,NULL,10,5,3,7,2,0.25,'','[["call_1", "look", "{\"at\":\"the sky\"}"]]',1,'[{"id": "item_00000000000000000000000000000004_0", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "How is the sky?"}]}]','{"id":"resp_00000000000000000000000000000004","object":"response","created_at":1900000000,"completed_at":1900000000,"status":"completed","background":false,"error":null,"frequency_penalty":0.0,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"model":"sonnet","output":[{"id":"fc_00000000000000000000000000000004_o0","type":"function_call","status":"completed","call_id":"call_1","name":"look","arguments":"{\"at\":\"the sky\"}"}],"parallel_tool_calls":true,"presence_penalty":0.0,"previous_response_id":"resp_00000000000000000000000000000002","prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[{"description":null,"parameters":{"type":"object"},"strict":false,"type":"function","name":"look"}],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":7,"cache_write_tokens":3},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":25},"user":null,"claude":{"session_id":"session-1","model":"claude-sonnet-4-5","cost_usd":0.25}}');
INSERT INTO runs VALUES('00000000000000000000000000000006','chatcmpl-00000000000000000000000000000006','req_00000000000000000000000000000005','local','python-httpx2/2.16.2','claude-sonnet-4-5','completed',1900000000.5,1900000000.75,1900000000.75,1900000000.75,0,'cold','chat','stop',NULL,NULL,10,5,3,7,2,0.25,'Bye.','[]',1,NULL,NULL);
INSERT INTO runs VALUES('00000000000000000000000000000008','resp_00000000000000000000000000000008','req_00000000000000000000000000000007','local','python-httpx2/2.16.2','claude-sonnet-4-5','running',1900000000.75,1900000000.75,1900000000.75,NULL,0,'cold','chat',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Hel','[]',1,'[{"id": "item_00000000000000000000000000000008_0", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}]','{"id":"resp_00000000000000000000000000000008","object":"response","created_at":1900000000,"completed_at":null,"status":"in_progress","background":false,"error":null,"frequency_penalty":0.0,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"model":"sonnet","output":[],"parallel_tool_calls":true,"presence_penalty":0.0,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":null,"user":null,"claude":{"session_id":"session-1","model":"claude-sonnet-4-5","cost_usd":null}}');
CREATE TABLE servers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    started_at REAL NOT NULL
);
INSERT INTO servers VALUES(1,2147483647,1.0);
CREATE INDEX runs_by_arrival ON runs (arrived_at, id);
CREATE INDEX runs_by_answer ON runs (answer_id);
CREATE INDEX runs_by_request ON runs (request_id);
CREATE INDEX runs_unfinished ON runs (server) WHERE state IN ('queued', 'running', 'parked');
