-- What the master keys hold closed: found by the master's id in front of it, put back only over what was read.
-- `:tag` is the id of the current master (`gateway.vault.TAG_BYTES` of them), `:after` the last id seen.

-- name: masters_in_use
-- How much each master still holds closed.
SELECT SUBSTR(wrapped_key, 1, 4) AS tag, COUNT(*) AS kept FROM observation WHERE wrapped_key IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(wrapped_key, 1, 4), COUNT(*) FROM statement WHERE wrapped_key IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(body, 1, 4), COUNT(*) FROM evidence WHERE body IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(cursor, 1, 4), COUNT(*) FROM feed WHERE cursor IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(sealed, 1, 4), COUNT(*) FROM secret GROUP BY 1
UNION ALL SELECT SUBSTR(item, 1, 4), COUNT(*) FROM quarantine WHERE LENGTH(item) > 0 GROUP BY 1
UNION ALL SELECT SUBSTR(place, 1, 4), COUNT(*) FROM quarantine WHERE place IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(changes, 1, 4), COUNT(*) FROM override WHERE LENGTH(changes) > 0 GROUP BY 1
UNION ALL SELECT SUBSTR(totp, 1, 4), COUNT(*) FROM login WHERE totp IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(sealed, 1, 4), COUNT(*) FROM batch_line WHERE sealed IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(sealed, 1, 4), COUNT(*) FROM correction WHERE sealed IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(sealed, 1, 4), COUNT(*) FROM consent WHERE sealed IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(report, 1, 4), COUNT(*) FROM query WHERE report IS NOT NULL GROUP BY 1
UNION ALL SELECT SUBSTR(body, 1, 4), COUNT(*) FROM inbox WHERE body IS NOT NULL GROUP BY 1

-- name: suites_in_use
-- Segments and statements by the suite that encrypts their content.
SELECT suite, COUNT(*) AS kept FROM segment GROUP BY suite
UNION ALL SELECT suite, COUNT(*) FROM statement WHERE wrapped_key IS NOT NULL GROUP BY suite

-- name: stale_observation
SELECT id, wrapped_key AS sealed FROM observation
WHERE id > :after AND wrapped_key IS NOT NULL AND SUBSTR(wrapped_key, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_observation
UPDATE observation SET wrapped_key = :sealed WHERE id = :id AND wrapped_key = :was

-- name: stale_statement
SELECT stream_id, seq, handle, number, suite, sealed, wrapped_key FROM statement
WHERE wrapped_key IS NOT NULL AND (SUBSTR(wrapped_key, 1, 4) <> :tag OR suite <> :suite)
ORDER BY stream_id, seq LIMIT :count

-- name: renew_statement
UPDATE statement SET suite = :suite, sealed = :sealed, wrapped_key = :wrapped_key
WHERE stream_id = :stream_id AND seq = :seq AND wrapped_key = :was

-- name: stale_segment
SELECT segment.*, NULL AS evidence_hash FROM segment WHERE suite <> :suite ORDER BY id LIMIT 1

-- name: renew_segment
UPDATE segment SET suite = :suite, body = :body WHERE id = :id AND suite = :was

-- name: stale_evidence
SELECT id, body AS sealed FROM evidence
WHERE id > :after AND body IS NOT NULL AND SUBSTR(body, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_evidence
UPDATE evidence SET body = :sealed WHERE id = :id AND body = :was

-- name: stale_cursor
SELECT id, cursor AS sealed FROM feed
WHERE id > :after AND cursor IS NOT NULL AND SUBSTR(cursor, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_cursor
UPDATE feed SET cursor = :sealed WHERE id = :id AND cursor = :was

-- name: stale_item
SELECT id, item AS sealed FROM quarantine
WHERE id > :after AND LENGTH(item) > 0 AND SUBSTR(item, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_item
UPDATE quarantine SET item = :sealed WHERE id = :id AND item = :was

-- name: stale_place
SELECT id, place AS sealed FROM quarantine
WHERE id > :after AND place IS NOT NULL AND SUBSTR(place, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_place
UPDATE quarantine SET place = :sealed WHERE id = :id AND place = :was

-- name: stale_override
SELECT id, changes AS sealed FROM override
WHERE id > :after AND LENGTH(changes) > 0 AND SUBSTR(changes, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_override
UPDATE override SET changes = :sealed WHERE id = :id AND changes = :was

-- name: stale_totp
SELECT id, totp AS sealed FROM login
WHERE id > :after AND totp IS NOT NULL AND SUBSTR(totp, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_totp
UPDATE login SET totp = :sealed WHERE id = :id AND totp = :was

-- name: stale_consent
SELECT id, sealed FROM consent
WHERE id > :after AND sealed IS NOT NULL AND SUBSTR(sealed, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_consent
UPDATE consent SET sealed = :sealed WHERE id = :id AND sealed = :was

-- name: stale_batch_line
SELECT id, sealed FROM batch_line
WHERE id > :after AND sealed IS NOT NULL AND SUBSTR(sealed, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_batch_line
UPDATE batch_line SET sealed = :sealed WHERE id = :id AND sealed = :was

-- name: stale_correction
SELECT id, sealed FROM correction
WHERE id > :after AND sealed IS NOT NULL AND SUBSTR(sealed, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_correction
UPDATE correction SET sealed = :sealed WHERE id = :id AND sealed = :was

-- name: stale_report
SELECT id, report AS sealed FROM query
WHERE id > :after AND report IS NOT NULL AND SUBSTR(report, 1, 4) <> :tag ORDER BY id LIMIT :count

-- name: renew_report
UPDATE query SET report = :sealed WHERE id = :id AND report = :was

-- name: stale_parcel
SELECT feed_id, position, body AS sealed FROM inbox
WHERE body IS NOT NULL AND SUBSTR(body, 1, 4) <> :tag ORDER BY feed_id, position LIMIT :count

-- name: renew_parcel
UPDATE inbox SET body = :sealed WHERE feed_id = :feed_id AND position = :position AND body = :was

-- name: stale_secret
SELECT account, name, sealed FROM secret WHERE SUBSTR(sealed, 1, 4) <> :tag

-- name: renew_secret
UPDATE secret SET sealed = :sealed WHERE account = :account AND name = :name AND sealed = :was
