-- Outbox: versions carry a gapless sequence per stream; a batch is a range of one stream, a delivery is a batch at a sink.

-- name: streams_to_seal
SELECT id, name, kind, next_seq, sealed_seq FROM stream WHERE next_seq > sealed_seq ORDER BY id

-- name: feed_of_stream
SELECT * FROM feed WHERE stream_id = :stream_id

-- name: batch_reserve
-- Membership first: whatever dies after this, the same statements end up in the same batch.
INSERT INTO batch (stream_id, first, last, sealed_at) VALUES (:stream_id, :first, :last, :sealed_at) RETURNING id

-- name: stream_sealed
UPDATE stream SET sealed_seq = :last WHERE id = :id

-- name: batches_unbuilt
SELECT * FROM batch WHERE batch_id IS NULL ORDER BY id

-- name: batch_previous
SELECT batch_id FROM batch WHERE stream_id = :stream_id AND last < :first AND batch_id IS NOT NULL
ORDER BY last DESC LIMIT 1

-- name: batch_built
UPDATE batch SET batch_id = :batch_id, payload_digest = :payload_digest, manifest = :manifest, signature = :signature
WHERE id = :id AND batch_id IS NULL

-- name: batch_of_statement
SELECT * FROM batch WHERE stream_id = :stream_id AND first <= :seq AND last >= :seq

-- name: delivery_add
INSERT INTO delivery (sink, batch) VALUES (:sink, :batch) ON CONFLICT (sink, batch) DO NOTHING

-- name: deliveries_missing
-- Built batches that a sink has no delivery for yet, oldest first.
SELECT batch.id FROM batch WHERE batch.batch_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.batch = batch.id AND delivery.sink = :sink) ORDER BY batch.id

-- name: deliveries_open
SELECT delivery.sink, delivery.state, delivery.attempts, delivery.sentence, batch.* FROM delivery JOIN batch ON batch.id = delivery.batch
WHERE delivery.sink = :sink AND delivery.state <> 'confirmed' ORDER BY batch.id

-- name: delivery_state
UPDATE delivery SET state = :state, attempts = attempts + :tried, block = :block, block_hash = :block_hash,
    confirmed_at = :confirmed_at, sentence = :sentence
WHERE sink = :sink AND batch = :batch

-- name: deliveries_lag
-- What a sink lacks: batches, statements, and since when the oldest of them is sealed.
SELECT COUNT(*) AS batches, COALESCE(SUM(batch.last - batch.first + 1), 0) AS statements, MIN(batch.sealed_at) AS since
FROM batch WHERE NOT EXISTS (SELECT 1 FROM delivery
    WHERE delivery.batch = batch.id AND delivery.sink = :sink AND delivery.state = 'confirmed')

-- name: deliveries_newest
SELECT batch.id, batch.batch_id, delivery.block, delivery.block_hash FROM delivery
JOIN batch ON batch.id = delivery.batch WHERE delivery.sink = :sink AND delivery.state = 'confirmed'
ORDER BY CAST(delivery.block AS BIGINT) DESC, batch.id DESC LIMIT :count OFFSET :skip

-- name: deliveries_confirmed
SELECT batch.id, batch.batch_id, batch.manifest, delivery.block, delivery.block_hash FROM delivery
JOIN batch ON batch.id = delivery.batch WHERE delivery.sink = :sink AND delivery.state = 'confirmed' ORDER BY batch.id

-- name: unsealed_count
SELECT COALESCE(SUM(next_seq - sealed_seq), 0) FROM stream

-- name: observation_found
-- `name` is the handle's first 64 bits (`gateway.names.short`), 1 the kind of handles.
SELECT observation.*, feed.stream_id, feed.name AS feed, feed.dataset AS dataset, feed.county AS county,
    feed.channel AS channel
FROM name JOIN observation ON observation.id = name.observation_id JOIN feed ON feed.id = observation.feed_id
WHERE name.kind = 1 AND name.name = :name AND observation.handle = :handle

-- name: evidence_get
SELECT at, request, page, size, hash FROM evidence WHERE id = :id

-- name: observations_of_subject
SELECT observation.id, observation.handle, SUBSTR(name_kind.kind, 9) AS role, observation.version, observation.gone,
    feed.name AS feed, feed.dataset AS dataset
FROM name JOIN name_kind ON name_kind.id = name.kind JOIN observation ON observation.id = name.observation_id
JOIN feed ON feed.id = observation.feed_id
WHERE name.name = :subject AND name_kind.kind LIKE 'subject/%' ORDER BY feed.name, observation.id

-- name: sealed_versus_versions
-- DESIGN §5.2: statements sealed equal versions in the sealed range, stream by stream.
SELECT stream.name AS stream, stream.sealed_seq AS sealed,
    (SELECT COALESCE(SUM(CASE WHEN segment.last < stream.sealed_seq THEN segment.last ELSE stream.sealed_seq END
            - segment.first + 1), 0)
        FROM segment WHERE segment.stream_id = stream.id AND segment.first <= stream.sealed_seq)
    + (SELECT COUNT(*) FROM statement WHERE statement.stream_id = stream.id AND statement.seq <= stream.sealed_seq)
        AS versions,
    (SELECT COALESCE(SUM(batch.last - batch.first + 1), 0) FROM batch WHERE batch.stream_id = stream.id) AS batched
FROM stream ORDER BY stream.id

-- name: audit_last
SELECT * FROM audit ORDER BY seq DESC LIMIT 1

-- name: audit_add
INSERT INTO audit (seq, at, actor, action, target, detail, previous, hash)
VALUES (:seq, :at, :actor, :action, :target, :detail, :previous, :hash)

-- name: audit_get
SELECT * FROM audit WHERE seq = :seq

-- name: audit_some
SELECT * FROM audit
WHERE seq < :before AND actor LIKE :actor AND (:action = '' OR action = :action) AND at >= :since AND at < :until
ORDER BY seq DESC LIMIT :count

-- name: audit_all
SELECT * FROM audit ORDER BY seq

-- name: observation_well_known
-- A person of this feed about whom the most other feeds know something.
SELECT observation.handle, busy.mentions
FROM (
    SELECT name.name, COUNT(DISTINCT name.observation_id) AS mentions FROM name
    JOIN name_kind ON name_kind.id = name.kind WHERE name_kind.kind LIKE 'subject/%' GROUP BY name.name
) AS busy
JOIN name ON name.name = busy.name JOIN observation ON observation.id = name.observation_id
JOIN feed ON feed.id = observation.feed_id
WHERE feed.name = :feed AND observation.gone = 0
ORDER BY busy.mentions DESC, observation.handle LIMIT 1

-- name: batches_of_dataset
-- Every built batch of a dataset's feeds, oldest first: a member that comes late gets a key file for each.
SELECT batch.*, feed.dataset FROM batch JOIN feed ON feed.stream_id = batch.stream_id
WHERE feed.dataset = :dataset AND batch.batch_id IS NOT NULL ORDER BY batch.id

-- name: reissues
-- Batches whose key files still hold what was erased.
SELECT batch.*, feed.dataset FROM reissue JOIN batch ON batch.id = reissue.batch
JOIN feed ON feed.stream_id = batch.stream_id WHERE batch.batch_id IS NOT NULL ORDER BY batch.id

-- name: reissue_done
DELETE FROM reissue WHERE batch = :batch
