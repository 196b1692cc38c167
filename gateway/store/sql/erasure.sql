-- Erasing: keys are deleted, what led to a person is deleted, and a list keeps both from coming back.

-- name: suppressions
SELECT kind, name FROM suppression

-- name: suppression_count
SELECT COUNT(*) FROM suppression

-- name: suppression_add
INSERT INTO suppression (kind, name, at) VALUES (:kind, :name, :at) ON CONFLICT (kind, name) DO NOTHING

-- name: observations_of_person
-- Every observation that the index proposes for a person's name, tombstoned ones too.
SELECT DISTINCT observation.id, observation.handle, observation.seq, observation.raw_digest, observation.feed_id, feed.uid,
    feed.stream_id, feed.dataset
FROM name JOIN name_kind ON name_kind.id = name.kind JOIN observation ON observation.id = name.observation_id
JOIN feed ON feed.id = observation.feed_id
WHERE name.name = :name AND name_kind.kind LIKE 'subject/%' AND observation.wrapped_key IS NOT NULL

-- name: observation_of_handle
SELECT observation.id, observation.handle, observation.seq, observation.raw_digest, observation.feed_id, feed.uid,
    feed.stream_id, feed.dataset
FROM name JOIN observation ON observation.id = name.observation_id JOIN feed ON feed.id = observation.feed_id
WHERE name.kind = 1 AND name.name = :name AND observation.handle = :handle AND observation.wrapped_key IS NOT NULL

-- name: observation_erase
-- Without its key its content and its salts are gone; without its digest it is not recognised either.
UPDATE observation SET wrapped_key = NULL, gone = 1, raw_digest = :none WHERE id = :id

-- name: reissue_add
INSERT INTO reissue (batch) VALUES (:batch) ON CONFLICT (batch) DO NOTHING

-- name: evidence_erase
-- The hash stays: it is in anchored envelopes.
UPDATE evidence SET body = NULL WHERE id = :id AND body IS NOT NULL

-- name: evidence_kept
SELECT id, body AS sealed FROM evidence WHERE id > :after AND body IS NOT NULL ORDER BY id LIMIT :count

-- name: items_kept
SELECT id, item AS sealed FROM quarantine WHERE id > :after AND LENGTH(item) > 0 ORDER BY id LIMIT :count

-- name: item_erase
UPDATE quarantine SET item = SUBSTR(item, 1, 0), about = NULL, place = NULL, note = NULL, state = 'erased', last_at = :at,
    settled_at = COALESCE(settled_at, :at)
WHERE id = :id

-- name: item_erase_changes
UPDATE override SET changes = SUBSTR(changes, 1, 0) WHERE quarantine_id = :id

-- name: item_erase_notes
UPDATE quarantine_event SET note = NULL WHERE quarantine_id = :id

-- name: items_about
SELECT id FROM quarantine WHERE feed_id = :feed_id AND about = :handle

-- name: cursors_kept
SELECT id, cursor AS sealed FROM feed WHERE id > :after AND cursor IS NOT NULL ORDER BY id LIMIT :count

-- name: cursor_erase
-- The feed reads from its beginning; what it knows it recognises.
UPDATE feed SET cursor = NULL WHERE id = :id

-- name: inbox_bodies
SELECT feed_id, position, body AS sealed FROM inbox
WHERE body IS NOT NULL AND (feed_id > :feed_id OR (feed_id = :feed_id AND position > :position))
ORDER BY feed_id, position LIMIT :count

-- name: asked_erase
DELETE FROM asked WHERE subject = :name

-- name: consents_of_subject
SELECT id, handle FROM consent WHERE subject = :subject

-- name: consent_erase
-- That it was given, to whom and for what stays; whom it is about does not.
UPDATE consent SET sealed = NULL, revoked_at = COALESCE(revoked_at, :at) WHERE id = :id

-- name: queries_of_subject
SELECT id, number FROM query WHERE subject = :subject

-- name: reports_kept
SELECT id, report AS sealed FROM query WHERE id > :after AND report IS NOT NULL ORDER BY id LIMIT :count

-- name: report_erase
-- Its hash stays: it is in an anchored statement.
UPDATE query SET report = NULL WHERE id = :id AND report IS NOT NULL

-- name: statement_erase
UPDATE statement SET wrapped_key = NULL, sealed = :none WHERE handle = :handle AND wrapped_key IS NOT NULL
