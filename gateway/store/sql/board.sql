-- What the dashboard shows at once (gateway.board).

-- name: feeds_on_day
-- Every feed beside what its source did on one day: a look at each, however long the history.
SELECT feed.id AS id, feed.name AS name, feed.county AS county, feed.dataset AS dataset, feed.stream_id AS stream_id, feed.channel AS channel, contact.answers AS answers, contact.failures AS failures, contact.news AS news
FROM feed LEFT JOIN contact ON contact.feed_id = feed.id AND contact.day = :day

-- name: feeds_changed
SELECT * FROM feed WHERE since > :since ORDER BY since DESC, name

-- name: confirmed_since
-- What sinks confirmed on this day, and since a moment: one look at both.
SELECT batch.stream_id AS stream_id, SUM(CASE WHEN delivery.confirmed_at > :since THEN 1 ELSE 0 END) AS batches,
    SUM(CASE WHEN delivery.confirmed_at > :day THEN batch.last - batch.first + 1 ELSE 0 END) AS statements
FROM delivery JOIN batch ON batch.id = delivery.batch
WHERE delivery.confirmed_at > CASE WHEN :since < :day THEN :since ELSE :day END GROUP BY batch.stream_id

-- name: quarantine_open
SELECT feed_id, COUNT(*) AS held, SUM(CASE WHEN first_at > :since THEN 1 ELSE 0 END) AS new
FROM quarantine WHERE state = 'open' GROUP BY feed_id

-- name: runs_failed_since
SELECT feed_id, COUNT(*) AS failed FROM run WHERE state = 'failed' AND finished_at > :since GROUP BY feed_id

-- name: config_since
SELECT at, actor FROM config_version WHERE at > :since ORDER BY id DESC

-- name: contacts_since
SELECT day, news, answers, failures FROM contact WHERE feed_id = :feed_id AND day >= :day ORDER BY day

-- name: stream_counters
SELECT next_seq, sealed_seq FROM stream WHERE id = :id

-- name: obligations_between
SELECT * FROM obligation WHERE duty_id = :duty_id AND starts >= :low AND starts < :high ORDER BY starts

-- name: obligation_oldest
SELECT MIN(starts) AS starts FROM obligation WHERE duty_id = :duty_id

-- name: evidence_of_run
SELECT page, at, request, status, media, size, hash, CASE WHEN body IS NULL THEN 0 ELSE 1 END AS kept
FROM evidence WHERE run_id = :run_id ORDER BY page, id LIMIT :count

-- name: evidence_of_run_count
SELECT COUNT(*) FROM evidence WHERE run_id = :run_id

-- name: quarantine_of_run
SELECT reason, field, COUNT(*) AS rows FROM quarantine
WHERE feed_id = (SELECT feed_id FROM run WHERE id = :run_id) AND run_id = :run_id AND state = 'open'
GROUP BY reason, field ORDER BY rows DESC

-- name: batches_recent
SELECT batch.id, batch.first, batch.last, batch.sealed_at, batch.batch_id, stream.kind AS kind, feed.name AS feed,
    feed.county AS county, feed.dataset AS dataset
FROM batch JOIN stream ON stream.id = batch.stream_id LEFT JOIN feed ON feed.stream_id = batch.stream_id
WHERE batch.id < :before AND (:feed = '' OR feed.name = :feed) ORDER BY batch.id DESC LIMIT :count

-- name: batch_shown
SELECT batch.*, stream.kind AS kind, feed.name AS feed,
    feed.county AS county, feed.dataset AS dataset
FROM batch JOIN stream ON stream.id = batch.stream_id LEFT JOIN feed ON feed.stream_id = batch.stream_id
WHERE batch.id = :id

-- name: deliveries_of
SELECT * FROM delivery WHERE batch IN (:list)
