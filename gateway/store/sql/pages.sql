-- Committing a page: everything below runs in one transaction under the feed's fence.

-- name: evidence_add
INSERT INTO evidence (run_id, page, at, request, status, media, size, hash, body)
VALUES (:run_id, :page, :at, :request, :status, :media, :size, :hash, :body) RETURNING id

-- name: observations_named
-- What the index proposes for names of one kind.
SELECT name, observation_id FROM name WHERE kind = ? AND name IN (:list)

-- name: observations_near
-- Rows that came beside a known one, made by the same rules; ids are given in source order.
SELECT raw_digest, id FROM observation WHERE id BETWEEN :low AND :high AND rules_id = :rules_id AND gone = 0

-- name: observations_by_handle
-- `name` is the handle's first 64 bits (`gateway.names.short`), 1 the kind of handles.
SELECT observation.handle, observation.id, observation.version, observation.seq, observation.raw_digest,
    observation.rules_id, observation.source_time, observation.gone, observation.wrapped_key
FROM name JOIN observation ON observation.id = name.observation_id WHERE name.kind = 1 AND name.name IN (:list)

-- name: counter_take
-- A block of ids, taken inside the transaction that uses them.
INSERT INTO counter (name, value) VALUES (:name, :count)
ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value

-- name: observation_insert
INSERT INTO observation (id, feed_id, handle, raw_digest, rules_id, version, seq, source_time, wrapped_key)
VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)

-- name: observation_change
UPDATE observation SET raw_digest = ?, rules_id = ?, version = ?, seq = ?, source_time = ?, gone = ? WHERE id = ?

-- name: observation_touch
-- Reformatted at the source, same content: known under its new bytes, no new version.
UPDATE observation SET raw_digest = ?, rules_id = ?, source_time = COALESCE(?, source_time) WHERE id = ?

-- name: withdrawals_early
SELECT handle, source_time FROM withdrawal WHERE feed_id = ? AND handle IN (:list)

-- name: withdrawal_early
-- A withdrawal that overtook what it withdraws is remembered, so that the late record is seen to be past.
INSERT INTO withdrawal (feed_id, handle, source_time) VALUES (?, ?, ?)
ON CONFLICT (feed_id, handle) DO UPDATE SET source_time = excluded.source_time
WHERE withdrawal.source_time < excluded.source_time

-- name: observation_gone
UPDATE observation SET gone = 1, version = ?, seq = ?, raw_digest = ? WHERE id = ?

-- name: segment_insert
INSERT INTO segment (stream_id, first, last, run_id, evidence_id, rules_id, at, flagged, periods, suite, body)
VALUES (:stream_id, :first, :last, :run_id, :evidence_id, :rules_id, :at, :flagged, :periods, :suite, :body)

-- name: segments_after
SELECT last, at, periods, body FROM segment WHERE stream_id = :stream_id AND first > :after ORDER BY first LIMIT :count

-- name: segments_between
SELECT segment.*, evidence.hash AS evidence_hash FROM segment LEFT JOIN evidence ON evidence.id = segment.evidence_id
WHERE stream_id = :stream_id AND first <= :last AND first >= COALESCE(
    (SELECT MAX(first) FROM segment WHERE stream_id = :stream_id AND first <= :first), 0)
ORDER BY first

-- name: segment_of
-- The segment that holds this number, if any does.
SELECT segment.*, evidence.hash AS evidence_hash FROM segment LEFT JOIN evidence ON evidence.id = segment.evidence_id
WHERE stream_id = :stream_id AND first <= :seq ORDER BY first DESC LIMIT 1

-- name: observations_sealed_with
SELECT id, handle, wrapped_key FROM observation WHERE id IN (:list)

-- name: name_insert
INSERT INTO name (name, kind, observation_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING

-- name: name_delete
DELETE FROM name WHERE name = ? AND kind = ? AND observation_id = ?

-- name: name_kind_add
INSERT INTO name_kind (kind) VALUES (:kind) ON CONFLICT (kind) DO NOTHING

-- name: name_kinds
SELECT id, kind FROM name_kind ORDER BY id

-- name: seen_put
INSERT INTO seen (feed_id, run_id, page, ids) VALUES (:feed_id, :run_id, :page, :ids)
ON CONFLICT (feed_id, run_id, page) DO UPDATE SET ids = excluded.ids

-- name: seen_of_reading
SELECT seen.ids FROM seen JOIN run ON run.id = seen.run_id WHERE seen.feed_id = :feed_id AND run.reading = :reading

-- name: seen_forget
DELETE FROM seen WHERE feed_id = :feed_id

-- name: observations_known
-- A feed's observations have neighbouring ids (`gateway.store.pages.observation_ids`).
SELECT id FROM observation WHERE id BETWEEN :low AND :high AND gone = 0 ORDER BY id

-- name: observations_state
SELECT id, handle, version, seq FROM observation WHERE id IN (:list)
