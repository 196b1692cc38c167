-- Runs: one execution of a feed.

-- name: run_add
-- A due slot exists once, whoever notices it.
INSERT INTO run (feed_id, due_at, reason, actor, options) VALUES (:feed_id, :due_at, :reason, :actor, :options)
ON CONFLICT (feed_id, due_at, reason) DO NOTHING

-- name: run_slot
SELECT id FROM run WHERE feed_id = :feed_id AND due_at = :due_at AND reason = :reason

-- name: run_get
SELECT run.*, feed.name AS feed FROM run JOIN feed ON feed.id = run.feed_id WHERE run.id = :id

-- name: runs_recent
SELECT run.*, feed.name AS feed FROM run JOIN feed ON feed.id = run.feed_id ORDER BY run.id DESC LIMIT :count

-- name: runs_of_feed
SELECT run.*, feed.name AS feed FROM run JOIN feed ON feed.id = run.feed_id
WHERE feed.name = :feed ORDER BY run.id DESC LIMIT :count

-- name: runs_queued
SELECT run.id, feed.name AS feed, feed.county, run.reason, run.options FROM run JOIN feed ON feed.id = run.feed_id
WHERE run.state = 'queued' ORDER BY run.id

-- name: runs_waiting
-- Those that have not ended.
SELECT id, state FROM run WHERE state IN ('queued', 'running')

-- name: run_waiting
SELECT id FROM run WHERE feed_id = :feed_id AND reason = :reason AND state = 'queued' ORDER BY id LIMIT 1

-- name: run_scheduled_last
SELECT due_at FROM run WHERE feed_id = :feed_id AND reason = 'scheduled' ORDER BY id DESC LIMIT 1

-- name: runs_orphaned
-- Runs whose lease died with their worker: the reaper queues them again, they resume at their cursor.
SELECT run.id, run.feed_id, feed.name AS feed FROM run JOIN feed ON feed.id = run.feed_id
LEFT JOIN lease ON lease.name = 'feed:' || feed.uid AND lease.token = run.token
WHERE run.state = 'running' AND (lease.until IS NULL OR lease.until < :now)

-- name: run_requeue
UPDATE run SET state = 'queued' WHERE id = :id AND state = 'running'

-- name: run_start
UPDATE run SET state = 'running', started_at = COALESCE(started_at, :at), token = :token, config_id = :config_id
WHERE id = :id AND state IN ('queued', 'running')

-- name: run_reads
-- A reading is one pass over a source, named by the run that began it; one that was cut off goes on in the next run.
UPDATE run SET reading = :reading WHERE id = :id

-- name: reading_so_far
-- Items fetched by its runs.
SELECT COALESCE(SUM(fetched), 0) FROM run WHERE reading = :reading

-- name: run_count
-- Counters move in the transaction of the page they count.
UPDATE run SET pages = pages + 1, fetched = fetched + :fetched, recognised = recognised + :recognised,
    mapped = mapped + :mapped, duplicate = duplicate + :duplicate, quarantined = quarantined + :quarantined,
    ignored = ignored + :ignored, changed = changed + :changed, unchanged = unchanged + :unchanged,
    puts = puts + :puts, declared = COALESCE(:declared, declared)
WHERE id = :id

-- name: run_ignored_add
INSERT INTO run_ignored (run_id, rule, items) VALUES (?, ?, ?)
ON CONFLICT (run_id, rule) DO UPDATE SET items = run_ignored.items + excluded.items

-- name: runs_ignored
-- What the ignored items of these runs are, by rule.
SELECT run_id, rule, items FROM run_ignored WHERE run_id IN (:list)

-- name: run_awaits
-- A run that has not begun will read what is written now: on PostgreSQL it cannot begin before this transaction ends.
UPDATE run SET state = 'queued' WHERE feed_id = :feed_id AND state = 'queued' AND reason = 'pushed'

-- name: run_gone
UPDATE run SET gone = gone + :gone WHERE id = :id

-- name: run_finish
UPDATE run SET state = :state, finished_at = :at, emptiness = :emptiness, code = :code, sentence = :sentence
WHERE id = :id

-- name: totals_by_feed
-- What every run of a feed did, and how much of it is confirmed at a sink.
SELECT feed.name AS feed, feed.dataset AS dataset, feed.county AS county, feed.channel AS channel, feed.state AS state, feed.code AS code,
    feed.sentence AS sentence, feed.owner AS owner, feed.action AS action, feed.since AS since,
    feed.contact_at AS contact_at, feed.as_of AS as_of, feed.stream_id AS stream_id, feed.retired_at AS retired_at,
    (SELECT COALESCE(SUM(fetched), 0) FROM run WHERE feed_id = feed.id) AS fetched,
    (SELECT SUM(declared) FROM run WHERE feed_id = feed.id) AS declared,
    (SELECT COUNT(*) FROM observation
        WHERE id BETWEEN feed.id * 1099511627776 AND feed.id * 1099511627776 + 1099511627775 AND gone = 0) AS accepted,
    (SELECT COUNT(*) FROM quarantine WHERE feed_id = feed.id AND settled_at IS NULL) AS quarantined,
    (SELECT COALESCE(SUM(last - first + 1), 0) FROM segment WHERE stream_id = feed.stream_id) AS versions,
    (SELECT COALESCE(SUM(flagged), 0) FROM segment WHERE stream_id = feed.stream_id) AS repaired
FROM feed ORDER BY feed.name

-- name: confirmed_by_stream
SELECT batch.stream_id AS stream_id, delivery.sink AS sink, SUM(batch.last - batch.first + 1) AS confirmed,
    MAX(delivery.confirmed_at) AS confirmed_at
FROM batch JOIN delivery ON delivery.batch = batch.id
WHERE delivery.state = 'confirmed' GROUP BY batch.stream_id, delivery.sink
