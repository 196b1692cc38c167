-- Erasing: keys are deleted, what led to a person is deleted, and a list keeps both from coming back.

-- name: suppressions
SELECT kind, name FROM suppression

-- name: suppression_count
SELECT COUNT(*) FROM suppression

-- name: suppression_add
INSERT INTO suppression (kind, name, at) VALUES (:kind, :name, :at) ON CONFLICT (kind, name) DO NOTHING

-- name: observations_of_person
-- Every observation that the index proposes for a person's name, tombstoned ones too.
SELECT DISTINCT observation.id, observation.handle, observation.seq, observation.raw_digest, feed.uid, feed.stream_id,
    feed.dataset
FROM name JOIN name_kind ON name_kind.id = name.kind JOIN observation ON observation.id = name.observation_id
JOIN feed ON feed.id = observation.feed_id
WHERE name.name = :name AND name_kind.kind LIKE 'subject/%' AND observation.wrapped_key IS NOT NULL

-- name: observation_of_handle
SELECT observation.id, observation.handle, observation.seq, observation.raw_digest, feed.uid, feed.stream_id, feed.dataset
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
SELECT id, body FROM evidence WHERE id > :after AND body IS NOT NULL ORDER BY id LIMIT :count

-- name: quarantine_sealed
SELECT id, item, about FROM quarantine WHERE LENGTH(item) > 0

-- name: quarantine_erase
UPDATE quarantine SET item = :none, about = NULL, place = NULL, state = :state, last_at = :at,
    settled_at = COALESCE(settled_at, :at) WHERE id = :id

-- name: override_erase
UPDATE override SET changes = :none WHERE quarantine_id = :id

-- name: consents_of_subject
SELECT id, handle FROM consent WHERE subject = :subject

-- name: consent_erase
-- That it was given, to whom and for what stays; whom it is about does not.
UPDATE consent SET sealed = NULL, revoked_at = COALESCE(revoked_at, :at) WHERE id = :id

-- name: queries_of_subject
SELECT id, number FROM query WHERE subject = :subject

-- name: query_erase
UPDATE query SET report = NULL WHERE id = :id

-- name: statement_erase
UPDATE statement SET wrapped_key = NULL, sealed = :none WHERE handle = :handle AND wrapped_key IS NOT NULL
