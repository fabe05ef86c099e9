SELECT * FROM effective_runs
WHERE (:state IS NULL OR state = :state) AND (:principal IS NULL OR principal = :principal)
ORDER BY arrived_at DESC, id DESC
LIMIT :most;
