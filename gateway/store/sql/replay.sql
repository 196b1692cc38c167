-- Replay: living observations that older rules made, and the kept answers that hold their rows.

-- name: observations_stale
SELECT id, handle, raw_digest, seq FROM observation
WHERE id BETWEEN :low AND :high AND gone = 0 AND rules_id <> :rules_id AND LENGTH(raw_digest) > 0

-- name: evidence_of_feed
-- Kept answers of one feed, the newest first: a row as it was last sent stands in the newest that holds it.
SELECT evidence.id, evidence.at, evidence.request, evidence.status, evidence.media FROM evidence
JOIN run ON run.id = evidence.run_id WHERE run.feed_id = :feed_id AND evidence.body IS NOT NULL ORDER BY evidence.id DESC

-- name: evidence_body
SELECT body FROM evidence WHERE id = :id AND body IS NOT NULL

-- name: overrides_of_feed
SELECT handle, changes FROM override WHERE feed_id = :feed_id AND LENGTH(changes) > 0
