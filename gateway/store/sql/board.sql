-- What the dashboard shows at once (gateway.board).

-- name: feeds_on_day
-- Every feed beside what its source did on one day: a look at each, however long the history.
SELECT feed.name AS name, feed.channel AS channel, contact.answers AS answers, contact.failures AS failures, contact.news AS news
FROM feed LEFT JOIN contact ON contact.feed_id = feed.id AND contact.day = :day

-- name: feeds_changed
SELECT * FROM feed WHERE since > :since ORDER BY since DESC, name

-- name: statements_confirmed_since
SELECT COALESCE(SUM(batch.last - batch.first + 1), 0) FROM delivery JOIN batch ON batch.id = delivery.batch
WHERE delivery.confirmed_at > :since

-- name: batches_confirmed_since
SELECT COUNT(*) FROM delivery WHERE confirmed_at > :since

-- name: quarantine_open
SELECT COUNT(*) FROM quarantine WHERE state = 'open'

-- name: quarantine_since
SELECT COUNT(*) FROM quarantine WHERE state = 'open' AND first_at > :since

-- name: runs_failed_since
SELECT COUNT(*) FROM run WHERE state = 'failed' AND finished_at > :since

-- name: config_since
SELECT at, actor FROM config_version WHERE at > :since ORDER BY id DESC
