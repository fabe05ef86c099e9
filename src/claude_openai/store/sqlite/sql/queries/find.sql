-- Exact ones first, then the latest. The ids alone are sorted, since the rows are long. A prefix is a range, so that
-- each of the three has its index; U+10FFFF sorts behind every character of an id.
SELECT * FROM effective_runs WHERE id IN (
    SELECT id FROM runs
    WHERE
        (
            id BETWEEN :wanted AND :wanted || char(0x10FFFF)
            OR answer_id BETWEEN :wanted AND :wanted || char(0x10FFFF)
            OR request_id BETWEEN :wanted AND :wanted || char(0x10FFFF)
        )
        AND (:principal IS NULL OR principal = :principal)
    ORDER BY :wanted IN (id, answer_id, request_id) DESC, arrived_at DESC, id DESC
    LIMIT 2
);
