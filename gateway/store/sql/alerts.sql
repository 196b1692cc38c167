-- Alerts, what was told of them through which channel, and windows in which nobody is told.

-- name: alerts_open
SELECT * FROM alert WHERE closed_at IS NULL ORDER BY id

-- name: alerts_recent
-- Open ones first.
SELECT * FROM alert WHERE closed_at IS NULL OR :everything = 1 ORDER BY closed_at IS NOT NULL, id DESC LIMIT :count

-- name: alert_get
SELECT * FROM alert WHERE id = :id

-- name: alert_add
INSERT INTO alert (kind, target, code, owner, sentence, action, since, opened_at, stood_at)
VALUES (:kind, :target, :code, :owner, :sentence, :action, :since, :at, :at)

-- name: alert_seen
-- As it stands now; `stood_at` is when its code became this one.
UPDATE alert SET code = :code, owner = :owner, sentence = :sentence, action = :action, since = :since,
    stood_at = :stood_at, gone_at = NULL
WHERE id = :id

-- name: alert_told
UPDATE alert SET told_code = :code, told_at = COALESCE(told_at, :at) WHERE id = :id

-- name: alert_gone
UPDATE alert SET gone_at = :at WHERE id = :id AND gone_at IS NULL

-- name: alert_closed
UPDATE alert SET closed_at = :at WHERE id = :id

-- name: alert_taken
UPDATE alert SET taken_by = :actor, taken_at = :at WHERE id = :id AND closed_at IS NULL AND taken_by IS NULL

-- name: alert_notice_add
-- Whatever an alert says, it says once through a channel.
INSERT INTO alert_notice (alert_id, channel, occasion, code, line, due_at)
VALUES (:alert_id, :channel, :occasion, :code, :line, :due_at)
ON CONFLICT (alert_id, channel, occasion, code) DO NOTHING

-- name: alert_notices_of
SELECT id, channel, occasion, state FROM alert_notice WHERE alert_id = :alert_id ORDER BY id

-- name: alert_notices_due
SELECT id, channel, occasion, line, attempts FROM alert_notice
WHERE state = 'pending' AND due_at <= :now AND next_at <= :clock ORDER BY id

-- name: alert_notice_sent
UPDATE alert_notice SET state = 'sent', sent_at = ?, sentence = NULL WHERE id = ?

-- name: alert_notice_failed
UPDATE alert_notice SET attempts = attempts + 1, next_at = ?, sentence = ? WHERE id = ?

-- name: alert_notice_dropped
UPDATE alert_notice SET state = 'dropped', sentence = ? WHERE id = ? AND state = 'pending'

-- name: alert_notices_stuck
-- By channel: what was tried several times in vain.
SELECT channel, COUNT(*) AS waiting, MAX(sentence) AS sentence, MIN(due_at) AS since FROM alert_notice
WHERE state = 'pending' AND attempts >= :attempts GROUP BY channel ORDER BY channel

-- name: alert_windows
SELECT * FROM alert_window WHERE ends > :after ORDER BY starts, id

-- name: alert_window_add
INSERT INTO alert_window (pattern, starts, ends, reason, actor, at) VALUES (:pattern, :starts, :ends, :reason, :actor, :at)
RETURNING id

-- name: alert_window_end
UPDATE alert_window SET ends = :at WHERE id = :id AND ends > :at
