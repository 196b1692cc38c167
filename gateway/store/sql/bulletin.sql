-- The monthly bulletin: periods that fell due, what came and how, what was rejected and how soon it came home.

-- name: bulletin_periods
-- Periods due from :low on and before :high; `waived` where somebody excused one.
SELECT duty.county AS county, duty.dataset AS dataset, period, starts, ends, due_at, unverified, state, closed,
    complete_at, channel, obligation.rows AS rows, zero,
    EXISTS (SELECT 1 FROM waiver WHERE waiver.obligation_id = obligation.id AND waiver.revoked_at IS NULL) AS waived
FROM obligation JOIN duty ON duty.id = obligation.duty_id
WHERE obligation.due_at >= :low AND obligation.due_at < :high ORDER BY duty.county, duty.dataset, starts

-- name: bulletin_news
SELECT feed.county AS county, feed.dataset AS dataset, feed.channel AS channel, SUM(contact.news) AS news
FROM contact JOIN feed ON feed.id = contact.feed_id WHERE contact.day >= :low AND contact.day < :high
GROUP BY feed.county, feed.dataset, feed.channel

-- name: bulletin_held
-- Rows first held in these days, and those still held at their end.
SELECT feed.county AS county, feed.dataset AS dataset, SUM(CASE WHEN first_at >= :low THEN 1 ELSE 0 END) AS held,
    SUM(CASE WHEN settled_at IS NULL OR settled_at >= :high THEN 1 ELSE 0 END) AS waiting
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
WHERE first_at < :high AND (first_at >= :low OR settled_at IS NULL OR settled_at >= :high)
GROUP BY feed.county, feed.dataset

-- name: bulletin_cured
SELECT feed.county AS county, feed.dataset AS dataset, first_at, settled_at, COUNT(*) AS rows
FROM quarantine JOIN feed ON feed.id = quarantine.feed_id
WHERE quarantine.state IN ('repaired', 'superseded') AND settled_at >= :low AND settled_at < :high
GROUP BY feed.county, feed.dataset, first_at, settled_at
