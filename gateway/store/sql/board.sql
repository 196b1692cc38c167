-- What the dashboard shows at once (gateway.board).

-- name: feeds_on_day
-- Every feed beside what its source did on one day: a look at each, however long the history.
SELECT feed.id AS id, feed.name AS name, feed.county AS county, feed.dataset AS dataset, feed.stream_id AS stream_id, feed.channel AS channel, contact.answers AS answers, contact.failures AS failures, contact.news AS news
FROM feed LEFT JOIN contact ON contact.feed_id = feed.id AND contact.day = :day

-- name: feeds_changed
SELECT * FROM feed WHERE since > :since ORDER BY since DESC, name

-- name: confirmed_since
SELECT batch.stream_id AS stream_id, COUNT(*) AS batches, SUM(batch.last - batch.first + 1) AS statements
FROM delivery JOIN batch ON batch.id = delivery.batch WHERE delivery.confirmed_at > :since GROUP BY batch.stream_id

-- name: quarantine_open
SELECT feed_id, COUNT(*) AS held, SUM(CASE WHEN first_at > :since THEN 1 ELSE 0 END) AS new
FROM quarantine WHERE state = 'open' GROUP BY feed_id

-- name: runs_failed_since
SELECT feed_id, COUNT(*) AS failed FROM run WHERE state = 'failed' AND finished_at > :since GROUP BY feed_id

-- name: config_since
SELECT at, actor FROM config_version WHERE at > :since ORDER BY id DESC
