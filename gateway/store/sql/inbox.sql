-- The inbox of feeds that are pushed: what was acknowledged and is on no committed page yet (ADR 0011).

-- name: inbox_known
SELECT position FROM inbox WHERE feed_id = :feed_id AND batch = :batch

-- name: inbox_state
SELECT last, taken, waiting_rows, waiting_bytes FROM inbox_state WHERE feed_id = :feed_id

-- name: inbox_advance
-- The next position of a feed; the row is its lock, so positions are gapless and committed in their order.
INSERT INTO inbox_state (feed_id, last, waiting_rows, waiting_bytes) VALUES (:feed_id, 1, :rows, :bytes)
ON CONFLICT (feed_id) DO UPDATE SET last = inbox_state.last + 1,
    waiting_rows = inbox_state.waiting_rows + excluded.waiting_rows,
    waiting_bytes = inbox_state.waiting_bytes + excluded.waiting_bytes
RETURNING last

-- name: inbox_add
INSERT INTO inbox (feed_id, position, batch, received_at, rows, size, body)
VALUES (:feed_id, :position, :batch, :received_at, :rows, :bytes, :body)

-- name: inbox_after
SELECT position, received_at, body FROM inbox
WHERE feed_id = :feed_id AND position > :position AND body IS NOT NULL ORDER BY position LIMIT :count

-- name: inbox_release
-- In the transaction of the page that holds them: bodies go, marks stay, so that a late repetition is known.
UPDATE inbox SET body = NULL WHERE feed_id = :feed_id AND position <= :upto
AND position > (SELECT taken FROM inbox_state WHERE feed_id = :feed_id)

-- name: inbox_taken
UPDATE inbox_state SET
    waiting_rows = waiting_rows - (SELECT COALESCE(SUM(inbox.rows), 0) FROM inbox
        WHERE inbox.feed_id = :feed_id AND inbox.position > inbox_state.taken AND inbox.position <= :upto),
    waiting_bytes = waiting_bytes - (SELECT COALESCE(SUM(inbox.size), 0) FROM inbox
        WHERE inbox.feed_id = :feed_id AND inbox.position > inbox_state.taken AND inbox.position <= :upto),
    taken = :upto
WHERE feed_id = :feed_id AND taken < :upto

-- name: inbox_forget
-- Marks of what is on committed pages; positions come from inbox_state and are never given twice.
DELETE FROM inbox WHERE body IS NULL AND received_at < :before

-- name: inboxes
-- Every inbox, with how often its sender was refused or repeated itself.
SELECT feed.name AS feed, inbox_state.last AS accepted, inbox_state.taken AS taken, inbox_state.waiting_rows,
    inbox_state.waiting_bytes,
    (SELECT MIN(received_at) FROM inbox WHERE inbox.feed_id = feed.id AND inbox.position > inbox_state.taken) AS oldest
FROM inbox_state JOIN feed ON feed.id = inbox_state.feed_id ORDER BY feed.name

-- name: inbox_count
INSERT INTO inbox_answer (feed_id, answer, times, last_at) VALUES (:feed_id, :answer, 1, :at)
ON CONFLICT (feed_id, answer) DO UPDATE SET times = inbox_answer.times + 1, last_at = excluded.last_at

-- name: inbox_answers
SELECT feed.name AS feed, inbox_answer.answer, inbox_answer.times, inbox_answer.last_at
FROM inbox_answer JOIN feed ON feed.id = inbox_answer.feed_id ORDER BY feed.name, inbox_answer.answer
