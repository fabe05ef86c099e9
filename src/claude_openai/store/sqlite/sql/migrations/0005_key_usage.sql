-- What the keys of a name have used in a day (2026-12-01) and a month (2026-12) of UTC, by every server of this file.
CREATE TABLE key_usage (
    key TEXT NOT NULL,
    period TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    PRIMARY KEY (key, period)
);
