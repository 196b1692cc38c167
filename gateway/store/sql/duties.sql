-- The ledger of obligations (ADR 0012): what arrived for which period, contacts by day, duties with their periods, waivers.

-- name: stream_counted
-- What was counted before is not counted again, whoever counts: the cursor moves in the transaction that adds.
UPDATE stream SET counted_seq = :last WHERE id = :id AND counted_seq = :was

-- name: stream_counter
SELECT counted_seq FROM stream WHERE id = :id

-- name: arrival_add
INSERT INTO arrival (feed_id, period, rows, first_at, last_at, lags)
VALUES (:feed_id, :period, :rows, :first_at, :last_at, :lags)
ON CONFLICT (feed_id, period) DO UPDATE SET rows = arrival.rows + excluded.rows, lags = excluded.lags,
    first_at = CASE WHEN excluded.first_at < arrival.first_at THEN excluded.first_at ELSE arrival.first_at END,
    last_at = CASE WHEN excluded.last_at > arrival.last_at THEN excluded.last_at ELSE arrival.last_at END

-- name: arrival_get
SELECT * FROM arrival WHERE feed_id = :feed_id AND period = :period

-- name: arrivals_complete
-- A run that ended well makes what came so far complete; half a delivery is none.
UPDATE arrival SET complete_at = :at WHERE feed_id = :feed_id AND complete_at IS NULL

-- name: arrivals_between
SELECT COALESCE(SUM(rows), 0) AS rows, MIN(first_at) AS first_at, MIN(complete_at) AS complete_at
FROM arrival WHERE feed_id = :feed_id AND period >= :low AND period < :high

-- name: contact_add
INSERT INTO contact (feed_id, day, answers, failures, news, gap_s, last_at, done_at, whole_at, zero_at, doubt)
VALUES (:feed_id, :day, :answers, :failures, :news, :gap_s, :last_at, :done_at, :whole_at, :zero_at, :doubt)
ON CONFLICT (feed_id, day) DO UPDATE SET answers = contact.answers + excluded.answers,
    failures = contact.failures + excluded.failures, news = contact.news + excluded.news,
    gap_s = CASE WHEN excluded.gap_s > contact.gap_s THEN excluded.gap_s ELSE contact.gap_s END,
    last_at = COALESCE(excluded.last_at, contact.last_at), done_at = COALESCE(contact.done_at, excluded.done_at),
    whole_at = COALESCE(contact.whole_at, excluded.whole_at), zero_at = COALESCE(contact.zero_at, excluded.zero_at),
    doubt = excluded.doubt

-- name: contact_before
-- The last day before this one, or this one, on which the source answered.
SELECT * FROM contact WHERE feed_id = :feed_id AND day <= :day AND last_at IS NOT NULL ORDER BY day DESC LIMIT 1

-- name: contact_done_before
SELECT MAX(day) AS day FROM contact WHERE feed_id = :feed_id AND done_at IS NOT NULL

-- name: contact_of
SELECT * FROM contact WHERE feed_id = :feed_id AND day = :day

-- name: contact_first
-- First moments on which runs ended well, read everything, and were told that there is nothing.
SELECT MIN(done_at) AS done_at, MIN(whole_at) AS whole_at, MIN(zero_at) AS zero_at
FROM contact WHERE feed_id = :feed_id AND day >= :low AND day < :high

-- name: contacts_with_news
SELECT day FROM contact WHERE feed_id = :feed_id AND news > 0 ORDER BY day DESC LIMIT :count

-- name: duty_add
INSERT INTO duty (county, dataset, since, frequency, next_at) VALUES (:county, :dataset, :since, :frequency, :since)
ON CONFLICT (county, dataset) DO NOTHING

-- name: duty_get
SELECT * FROM duty WHERE county = :county AND dataset = :dataset

-- name: duties
SELECT * FROM duty ORDER BY county, dataset

-- name: duty_kept
UPDATE duty SET frequency = :frequency, next_at = :next_at, cadence_d = :cadence_d, on_time = :on_time, late = :late,
    missed = :missed, touched_low = NULL, touched_high = NULL WHERE id = :id

-- name: duty_touched
-- For which days something came since the duty was judged; it waits here until somebody judges it.
UPDATE duty SET touched_low = CASE WHEN touched_low < :low THEN touched_low ELSE :low END,
    touched_high = CASE WHEN touched_high > :high THEN touched_high ELSE :high END
WHERE county = :county AND dataset = :dataset

-- name: feeds_of_duty
SELECT * FROM feed WHERE county = :county AND dataset = :dataset ORDER BY name

-- name: feeds_of_duties
-- What a standing tells of its feeds: whole rows hold cursors.
SELECT name, county, dataset, stream_id, contact_at, as_of, state, sentence, owner, action, retired_at FROM feed ORDER BY name

-- name: feeds_ailing
-- Feeds that stand otherwise than they should, or that somebody paused.
SELECT name, state, sentence, owner, action, since, paused_at, paused_by, paused_for,
    state IN ('ok', 'waiting', 'deferred') AS settled
FROM feed
WHERE retired_at IS NULL AND (state NOT IN ('ok', 'waiting', 'deferred') OR paused_at IS NOT NULL) ORDER BY name

-- name: duty_counts
SELECT state, COUNT(*) AS count FROM obligation WHERE duty_id = :duty_id GROUP BY state

-- name: obligation_add
INSERT INTO obligation (duty_id, period, starts, ends, due_at, promise, unverified)
VALUES (:duty_id, :period, :starts, :ends, :due_at, :promise, :unverified) ON CONFLICT (duty_id, period) DO NOTHING

-- name: obligation_get
SELECT * FROM obligation WHERE duty_id = :duty_id AND period = :period

-- name: obligation_newest
SELECT * FROM obligation WHERE duty_id = :duty_id ORDER BY starts DESC LIMIT 1

-- name: obligations_to_judge
-- Those still open, and closed ones for whose days something came.
SELECT * FROM obligation WHERE duty_id = :duty_id AND (closed = 0 OR (ends > :low AND starts < :high)) ORDER BY starts

-- name: obligations_unstarted
-- Periods of a frequency that is no longer promised, which are not over.
DELETE FROM obligation WHERE duty_id = :duty_id AND state = 'open' AND ends > :today
AND NOT EXISTS (SELECT 1 FROM waiver WHERE waiver.obligation_id = obligation.id)

-- name: obligation_due
UPDATE obligation SET due_at = :due_at, promise = :promise, unverified = :unverified WHERE id = :id

-- name: obligation_judged
UPDATE obligation SET state = :state, closed = :closed, first_at = :first_at, complete_at = :complete_at,
    channel = :channel, feed_id = :feed_id, rows = :rows, zero = :zero, gap_s = :gap_s, lag_s = :lag_s, odd = :odd
WHERE id = :id

-- name: obligations_recent
SELECT * FROM obligation WHERE duty_id = :duty_id ORDER BY starts DESC LIMIT :count

-- name: obligations_rows
-- Volumes of what was received, newest first.
SELECT starts, rows FROM obligation WHERE duty_id = :duty_id AND state IN ('on_time', 'late') AND starts < :before
ORDER BY starts DESC LIMIT :count

-- name: obligations_open
SELECT * FROM obligation WHERE closed = 0

-- name: obligations_last_closed
-- Of each duty, the newest period that is judged for good.
SELECT obligation.* FROM duty JOIN obligation ON obligation.id = (
    SELECT judged.id FROM obligation AS judged WHERE judged.duty_id = duty.id AND judged.closed = 1
    ORDER BY judged.starts DESC LIMIT 1)

-- name: waiver_add
INSERT INTO waiver (obligation_id, reason, actor, at) VALUES (:obligation_id, :reason, :actor, :at)

-- name: waiver_revoke
UPDATE waiver SET revoked_at = :at, revoked_by = :actor WHERE obligation_id = :obligation_id AND revoked_at IS NULL

-- name: waivers_of
SELECT * FROM waiver WHERE obligation_id = :obligation_id ORDER BY id

-- name: waivers_in_force
SELECT obligation_id, reason, actor, at, obligation.duty_id AS duty_id, obligation.state AS state,
    obligation.closed AS closed FROM waiver
JOIN obligation ON obligation.id = waiver.obligation_id WHERE waiver.revoked_at IS NULL

-- name: expiry_put
INSERT INTO expiry (kind, name, expires_at, noted_at) VALUES (:kind, :name, :expires_at, :noted_at)
ON CONFLICT (kind, name) DO UPDATE SET expires_at = excluded.expires_at, noted_at = excluded.noted_at

-- name: expiries
SELECT * FROM expiry ORDER BY kind, name

-- name: secrets_expiring
SELECT account, name, expires_at FROM secret ORDER BY account, name

-- name: runs_under_way
SELECT run.id, run.feed_id, run.state, run.started_at, feed.name AS feed FROM run JOIN feed ON feed.id = run.feed_id
WHERE run.state = 'running' ORDER BY run.id

-- name: run_times
SELECT started_at, finished_at FROM run WHERE feed_id = :feed_id AND state = 'done' AND started_at IS NOT NULL
ORDER BY id DESC LIMIT :count

-- name: unconfirmed_at
-- How long what is sealed has waited for a sink, whether or not it took the batch up, and what it said last. Batches are offered
-- to a sink in their order: none but those under way, those not built, and those behind the newest it was offered can wait.
SELECT COUNT(*) AS waiting, MIN(sealed_at) AS since, MAX(sentence) AS sentence FROM (
    SELECT batch.sealed_at AS sealed_at, delivery.sentence AS sentence FROM delivery
    JOIN batch ON batch.id = delivery.batch WHERE delivery.sink = :sink AND delivery.state <> 'confirmed'
    UNION ALL SELECT sealed_at, NULL FROM batch WHERE batch_id IS NULL
    UNION ALL SELECT sealed_at, NULL FROM batch WHERE batch_id IS NOT NULL
        AND id > COALESCE((SELECT MAX(batch) FROM delivery WHERE sink = :sink), 0)) AS waits

-- name: streams_unconfirmed
-- As above, for whichever sink, by stream.
SELECT stream_id, MIN(sealed_at) AS since FROM (
    SELECT batch.stream_id AS stream_id, batch.sealed_at AS sealed_at FROM delivery
    JOIN batch ON batch.id = delivery.batch WHERE delivery.state <> 'confirmed'
    UNION ALL SELECT stream_id, sealed_at FROM batch WHERE batch_id IS NULL
    UNION ALL SELECT stream_id, sealed_at FROM batch WHERE id > COALESCE((SELECT MAX(batch) FROM delivery), 0)) AS waits
GROUP BY stream_id

-- name: streams_confirmed
SELECT batch.stream_id AS stream_id, MAX(delivery.confirmed_at) AS confirmed_at FROM batch
JOIN delivery ON delivery.batch = batch.id WHERE delivery.state = 'confirmed' AND batch.stream_id = :stream_id
GROUP BY batch.stream_id
