-- A response of the Responses API that its client may come back to, as JSON: what it was asked with, and itself.
ALTER TABLE runs ADD COLUMN kept_items TEXT;

ALTER TABLE runs ADD COLUMN kept_response TEXT; -- both are there or both are NULL
