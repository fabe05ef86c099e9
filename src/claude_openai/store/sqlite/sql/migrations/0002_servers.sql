-- Several servers may share one file, and a run that is not over belongs to one that must be alive.
-- AUTOINCREMENT: no number is ever given twice, so no server is taken for one that died.
CREATE TABLE servers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    started_at REAL NOT NULL -- of the process: a pid alone comes round again
);

ALTER TABLE runs ADD COLUMN server INTEGER; -- NULL: from before servers were told apart, so of a dead one

CREATE INDEX runs_unfinished ON runs (server) WHERE state IN ('queued', 'running', 'parked');
