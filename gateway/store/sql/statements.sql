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

-- name: batch_query_add
INSERT INTO batch_query (handle, institution, purpose, classes, actor, at, total)
VALUES (:handle, :institution, :purpose, :classes, :actor, :at, :total) RETURNING id

-- name: batch_query_get
SELECT * FROM batch_query WHERE handle = :handle

-- name: batch_queries
SELECT * FROM batch_query ORDER BY id DESC LIMIT :count

-- name: batch_line_add
INSERT INTO batch_line (batch_query_id, subject, sealed) VALUES (?, ?, ?)

-- name: batch_lines_waiting
SELECT batch_line.id, batch_line.sealed, batch_query.institution, batch_query.purpose, batch_query.classes, batch_query.actor
FROM batch_line JOIN batch_query ON batch_query.id = batch_line.batch_query_id
WHERE batch_line.result IS NULL ORDER BY batch_line.id LIMIT :count

-- name: batch_line_done
-- Who was asked about is in the query's own statement; here nobody is named any more.
UPDATE batch_line SET result = :result, number = :number, sealed = NULL WHERE id = :id

-- name: batch_lines_erase
UPDATE batch_line SET result = COALESCE(result, 'ERASED'), sealed = NULL WHERE subject = :subject

-- name: batch_results
SELECT result, COUNT(*) AS lines FROM batch_line WHERE batch_query_id = :batch AND result IS NOT NULL GROUP BY result

-- name: batch_lines
SELECT batch_line.result, batch_line.number
FROM batch_line JOIN batch_query ON batch_query.id = batch_line.batch_query_id
WHERE batch_query.handle = :handle ORDER BY batch_line.id
