-- Streams that no feed writes: consents, queries, erasures. A statement is never changed; its key may be deleted.

-- name: statement_add
INSERT INTO statement (stream_id, seq, handle, number, schema, at, suite, sealed, wrapped_key)
VALUES (:stream_id, :seq, :handle, :number, :schema, :at, :suite, :sealed, :wrapped_key)

-- name: statements_between
SELECT seq, handle, number, schema, at, suite, sealed, wrapped_key FROM statement
WHERE stream_id = :stream_id AND seq BETWEEN :first AND :last ORDER BY seq

-- name: consent_add
INSERT INTO consent (handle, subject, institution, purpose, classes, valid_from, valid_to, file_hash, at, actor, sealed)
VALUES (:handle, :subject, :institution, :purpose, :classes, :valid_from, :valid_to, :file_hash, :at, :actor, :sealed)

-- name: consent_get
SELECT * FROM consent WHERE handle = :handle

-- name: consents_of
-- Consents of one subject to one institution, the newest first.
SELECT * FROM consent WHERE subject = :subject AND institution = :institution ORDER BY id DESC

-- name: consents_recent
SELECT * FROM consent WHERE (:institution = '' OR institution = :institution) ORDER BY id DESC LIMIT :count

-- name: consent_revoke
UPDATE consent SET revoked_at = :at WHERE handle = :handle AND revoked_at IS NULL

-- name: query_add
INSERT INTO query (number, consent_id, subject, institution, actor, purpose, classes, at, day, result, report_hash, report)
VALUES (:number, :consent_id, :subject, :institution, :actor, :purpose, :classes, :at, :day, :result, :report_hash, :report)

-- name: query_get
SELECT * FROM query WHERE number = :number

-- name: queries_answered
-- What an institution has used of its quota on one business day.
SELECT COUNT(*) FROM query WHERE institution = :institution AND day = :day AND result = 'OK'

-- name: queries_recent
SELECT number, institution, actor, purpose, classes, at, result, report_hash FROM query
WHERE (:institution = '' OR institution = :institution) ORDER BY id DESC LIMIT :count

-- name: consents_about
-- What a person gave to whom, for their own eyes.
SELECT handle, institution, purpose, classes, valid_from, valid_to, revoked_at FROM consent WHERE subject = :subject ORDER BY id

-- name: queries_about
-- Who read about a person, and who was refused.
SELECT number, institution, actor, purpose, classes, at, result FROM query WHERE subject = :subject ORDER BY id
