-- The worklist of sources that answer only about a named person. A subject is the first 64 bits of its name.

-- name: worklist_due
-- Subjects behind :after of whom living observations of these datasets speak in this county, and whom the feed did not ask
-- about since :since; in the order of their names, which never changes. `datasets` reads `|one|another|`.
SELECT name.name AS subject, MAX(name.observation_id) AS newest
FROM name JOIN name_kind ON name_kind.id = name.kind
JOIN observation ON observation.id = name.observation_id JOIN feed ON feed.id = observation.feed_id
WHERE name.name > :after AND name_kind.kind LIKE 'subject/%' AND observation.gone = 0
    AND observation.wrapped_key IS NOT NULL AND feed.county = :county AND :datasets LIKE '%|' || feed.dataset || '|%'
    AND NOT EXISTS (SELECT 1 FROM asked
        WHERE asked.feed_id = :feed_id AND asked.subject = name.name AND asked.at >= :since)
GROUP BY name.name ORDER BY name.name LIMIT :count

-- name: worklist_due_count
SELECT COUNT(DISTINCT name.name)
FROM name JOIN name_kind ON name_kind.id = name.kind
JOIN observation ON observation.id = name.observation_id JOIN feed ON feed.id = observation.feed_id
WHERE name_kind.kind LIKE 'subject/%' AND observation.gone = 0
    AND observation.wrapped_key IS NOT NULL AND feed.county = :county AND :datasets LIKE '%|' || feed.dataset || '|%'
    AND NOT EXISTS (SELECT 1 FROM asked
        WHERE asked.feed_id = :feed_id AND asked.subject = name.name AND asked.at >= :since)

-- name: observations_to_read
SELECT observation.id, observation.seq, feed.stream_id AS stream_id, feed.dataset AS dataset
FROM observation JOIN feed ON feed.id = observation.feed_id WHERE observation.id IN (:list)

-- name: asked_put
INSERT INTO asked (feed_id, subject, at, found) VALUES (?, ?, ?, ?)
ON CONFLICT (feed_id, subject) DO UPDATE SET at = excluded.at, found = excluded.found

-- name: asked_count
SELECT COUNT(*) AS asked, COALESCE(SUM(1 - found), 0) AS not_found FROM asked WHERE feed_id = :feed_id
