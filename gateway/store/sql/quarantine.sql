-- Quarantine: what was rejected, and what became of it (ADR 0004, 0017). An item is settled when `settled_at` is set; until
-- then its state is `open`, or `returned` while it is the agency's move.

-- name: quarantine_kept
-- Rows rejected before: under the same rules they stay where they are, under mended ones they are mapped again. A row that
-- was held back for the company it was in (-1) is judged anew in every company.
SELECT raw_digest, CASE WHEN reason IN ('DICT_MISMATCH', 'SCHEMA_DRIFT') THEN -1 ELSE rules_id END,
    CASE WHEN settled_at IS NULL THEN about END, state
FROM quarantine WHERE feed_id = :feed_id

-- name: quarantine_doubted
-- The field whose code list an agency's rows contradict under these rules, while any of them is still held back for it.
SELECT MAX(field) FROM quarantine
WHERE feed_id = :feed_id AND rules_id = :rules_id AND reason = 'DICT_MISMATCH' AND settled_at IS NULL

-- name: quarantine_insert
-- A row that mapped meanwhile and no longer does is open again; what a person or the source settled stays settled.
INSERT INTO quarantine (handle, feed_id, raw_digest, rules_id, reason, field, run_id, evidence_id, first_at, last_at, item, about,
    place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (feed_id, raw_digest) DO UPDATE SET last_at = excluded.last_at, rules_id = excluded.rules_id,
    reason = excluded.reason, field = excluded.field, place = COALESCE(excluded.place, quarantine.place),
    state = CASE WHEN quarantine.actor = 'mapping' THEN 'open' ELSE quarantine.state END,
    settled_at = CASE WHEN quarantine.actor = 'mapping' THEN NULL ELSE quarantine.settled_at END,
    actor = CASE WHEN quarantine.actor = 'mapping' THEN NULL ELSE quarantine.actor END

-- name: quarantine_mapped
-- A row that maps after its rules were mended leaves quarantine by itself; who mended the rules is in the audit log.
UPDATE quarantine SET state = 'repaired', last_at = ?, settled_at = ?, actor = 'mapping'
WHERE feed_id = ? AND raw_digest = ? AND settled_at IS NULL

-- name: quarantine_mapped_event
INSERT INTO quarantine_event (quarantine_id, at, actor, event) SELECT id, ?, 'mapping', 'repaired' FROM quarantine
WHERE feed_id = ? AND raw_digest = ? AND settled_at IS NULL

-- name: quarantine_about
-- Unsettled items whose record key could be read, by that key's handle.
SELECT id FROM quarantine WHERE feed_id = ? AND settled_at IS NULL AND about IN (:list)

-- name: quarantine_settle
-- Once: who comes second finds it settled.
UPDATE quarantine SET state = :state, last_at = :at, settled_at = :at, actor = :actor, note = :note
WHERE id = :id AND settled_at IS NULL

-- name: quarantine_event_add
INSERT INTO quarantine_event (quarantine_id, at, actor, event, note, notice_id)
VALUES (:id, :at, :actor, :event, :note, :notice_id)

-- name: quarantine_return
UPDATE quarantine SET state = 'returned', returned_at = :at WHERE id = :id AND settled_at IS NULL

-- name: notice_add
INSERT INTO notice (at, actor, agency, county, items, text) VALUES (:at, :actor, :agency, :county, :items, :text) RETURNING id

-- name: notices
-- What was returned, newest first, and how much of it is not settled yet.
SELECT notice.id, notice.at, notice.actor, notice.agency, notice.county, notice.items, notice.text,
    (SELECT MIN(feed.name) FROM quarantine_event JOIN quarantine ON quarantine.id = quarantine_event.quarantine_id
        JOIN feed ON feed.id = quarantine.feed_id WHERE quarantine_event.notice_id = notice.id) AS feed,
    (SELECT COUNT(*) FROM quarantine_event JOIN quarantine ON quarantine.id = quarantine_event.quarantine_id
        WHERE quarantine_event.notice_id = notice.id AND quarantine.settled_at IS NULL) AS waiting
FROM notice ORDER BY notice.id DESC LIMIT :count

-- name: quarantine_names
-- From now on it is known which observation the item is about.
UPDATE quarantine SET about = :handle WHERE id = :id

-- name: override_add
INSERT INTO override (quarantine_id, feed_id, raw_digest, handle, at, actor, changes)
VALUES (:id, :feed_id, :raw_digest, :handle, :at, :actor, :changes)

-- name: overrides_standing
-- Rows that a person put right: as the source sends them, and the observation that was made of each instead.
SELECT raw_digest, handle FROM override WHERE feed_id = :feed_id

-- name: override_of
SELECT at, actor, changes FROM override WHERE quarantine_id = :id

-- name: quarantine_events
SELECT quarantine_event.at, quarantine_event.actor, quarantine_event.event, quarantine_event.note, notice.text AS notice
FROM quarantine_event LEFT JOIN notice ON notice.id = quarantine_event.notice_id
WHERE quarantine_id = :id ORDER BY quarantine_event.id

-- name: quarantine_list
SELECT quarantine.*, feed.name AS feed, evidence.page AS page
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id LEFT JOIN evidence ON evidence.id = quarantine.evidence_id
WHERE quarantine.state = :state AND (:feed = '' OR feed.name = :feed) ORDER BY quarantine.id LIMIT :count

-- name: quarantine_unsettled
-- Open and returned items of one feed, as they came.
SELECT quarantine.*, feed.name AS feed, evidence.page AS page
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id LEFT JOIN evidence ON evidence.id = quarantine.evidence_id
WHERE feed.name = :feed AND settled_at IS NULL ORDER BY quarantine.id

-- name: quarantine_causes
SELECT feed.name AS feed, feed.dataset AS dataset, feed.county AS county, reason, field, COUNT(*) AS rows,
    COUNT(CASE WHEN quarantine.state = 'returned' THEN 1 END) AS returned, MIN(first_at) AS oldest
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
WHERE settled_at IS NULL GROUP BY feed.name, feed.dataset, feed.county, reason, field
ORDER BY rows DESC, feed, reason, field

-- name: quarantine_cures
-- How long items stood, by feed; items that came and went together are one row.
SELECT feed.name AS feed, feed.dataset AS dataset, feed.county AS county, quarantine.state AS state, first_at, settled_at,
    COUNT(*) AS rows
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
GROUP BY feed.name, feed.dataset, feed.county, quarantine.state, first_at, settled_at

-- name: quarantine_get
SELECT quarantine.*, feed.name AS feed, evidence.page AS page
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id LEFT JOIN evidence ON evidence.id = quarantine.evidence_id
WHERE quarantine.handle = :handle
