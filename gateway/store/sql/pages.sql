-- Committing a page: everything below runs in one transaction under the feed's fence.

-- name: evidence_add
INSERT INTO evidence (run_id, page, at, request, status, media, size, hash, body)
VALUES (:run_id, :page, :at, :request, :status, :media, :size, :hash, :body) RETURNING id

-- name: observations_recognised
-- Rows whose bytes we hold already, made by the same rules: they are not decoded again.
SELECT raw_digest, id FROM observation WHERE feed_id = ? AND rules_id = ? AND gone = 0 AND raw_digest IN (:list)

-- name: quarantine_recognised
-- Rows rejected before: under the same rules they stay where they are, under mended ones they are mapped again.
SELECT raw_digest, rules_id FROM quarantine WHERE feed_id = ? AND raw_digest IN (:list)

-- name: observations_by_handle
SELECT handle, id, version, content_digest, source_time, gone, wrapped_key FROM observation WHERE handle IN (:list)

-- name: counter_take
-- A block of ids, taken inside the transaction that uses them.
INSERT INTO counter (name, value) VALUES (:name, :count)
ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value

-- name: observation_insert
INSERT INTO observation (id, feed_id, handle, raw_digest, content_digest, rules_id, version, source_time, wrapped_key)
VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)

-- name: observation_change
UPDATE observation SET raw_digest = ?, content_digest = ?, rules_id = ?, version = ?, source_time = ?, gone = 0
WHERE id = ?

-- name: observation_touch
-- Reformatted at the source, same content: known under its new bytes, no new version.
UPDATE observation SET raw_digest = ?, rules_id = ?, source_time = COALESCE(?, source_time) WHERE id = ?

-- name: observation_gone
UPDATE observation SET gone = 1, version = ?, raw_digest = ?, content_digest = ? WHERE id = ?

-- name: version_insert
INSERT INTO version (stream_id, seq, observation_id, number, op, run_id, evidence_id, rules_id, source_time, as_of, flags, sealed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: subject_insert
INSERT INTO observation_subject (subject, role, observation_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING

-- name: index_insert
INSERT INTO observation_index (name, kind, observation_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING

-- name: subject_delete
DELETE FROM observation_subject WHERE subject = ? AND role = ? AND observation_id = ?

-- name: index_delete
DELETE FROM observation_index WHERE name = ? AND kind = ? AND observation_id = ?

-- name: observations_named_subject
SELECT observation_id FROM observation_subject WHERE subject IN (:list)

-- name: observations_named_index
SELECT observation_id FROM observation_index WHERE name IN (:list)

-- name: versions_latest
SELECT version.observation_id, version.number, version.sealed, observation.handle, observation.wrapped_key
FROM version JOIN observation ON observation.id = version.observation_id
WHERE version.number = observation.version AND version.observation_id IN (:list)

-- name: quarantine_insert
INSERT INTO quarantine (handle, feed_id, raw_digest, rules_id, reason, field, run_id, evidence_id, first_at, last_at, item, about)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (feed_id, raw_digest) DO UPDATE SET last_at = excluded.last_at, rules_id = excluded.rules_id,
    reason = excluded.reason, field = excluded.field

-- name: quarantine_settled
-- A row that maps after its rules were mended leaves quarantine by itself; who mended the rules is in the audit log.
UPDATE quarantine SET state = 'repaired', last_at = ?, actor = ? WHERE feed_id = ? AND raw_digest = ? AND state = 'open'

-- name: quarantine_open
SELECT COUNT(*) FROM quarantine WHERE feed_id = :feed_id AND state = 'open' AND about IS NOT NULL

-- name: quarantine_about
-- Open items whose record key could be read, by that key's handle.
SELECT id FROM quarantine WHERE feed_id = ? AND state = 'open' AND about IN (:list)

-- name: quarantine_superseded
-- The agency sent the row again, readable: what was wrong with it is history.
UPDATE quarantine SET state = 'superseded', last_at = ?, actor = ? WHERE id = ? AND state = 'open'

-- name: quarantine_list
SELECT quarantine.*, feed.name AS feed FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
WHERE quarantine.state = :state AND (:feed = '' OR feed.name = :feed) ORDER BY quarantine.id LIMIT :count

-- name: quarantine_causes
SELECT feed.name AS feed, reason, field, COUNT(*) AS rows FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
WHERE quarantine.state = 'open' GROUP BY feed.name, reason, field ORDER BY rows DESC

-- name: quarantine_get
SELECT quarantine.*, feed.name AS feed FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
WHERE quarantine.handle = :handle

-- name: quarantine_close
UPDATE quarantine SET state = :state, note = :note, actor = :actor, last_at = :at WHERE id = :id AND state = 'open'

-- name: seen_put
INSERT INTO seen (feed_id, run_id, page, ids) VALUES (:feed_id, :run_id, :page, :ids)
ON CONFLICT (feed_id, run_id, page) DO UPDATE SET ids = excluded.ids

-- name: seen_of_run
SELECT ids FROM seen WHERE feed_id = :feed_id AND run_id = :run_id ORDER BY page

-- name: seen_forget
DELETE FROM seen WHERE feed_id = :feed_id

-- name: observations_known
SELECT id FROM observation WHERE feed_id = :feed_id AND gone = 0 ORDER BY id

-- name: observations_state
SELECT id, handle, version FROM observation WHERE id IN (:list)
