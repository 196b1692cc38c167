-- What is known about a person, and who asked.

-- name: facts_of_subject
-- Living observations that the index proposes for a person's name (64 bits of it).
SELECT DISTINCT observation.id, observation.seq, feed.stream_id, feed.name AS feed, feed.dataset, feed.county, feed.channel
FROM name JOIN name_kind ON name_kind.id = name.kind JOIN observation ON observation.id = name.observation_id
JOIN feed ON feed.id = observation.feed_id
WHERE name.name = :name AND name_kind.kind LIKE 'subject/%' AND observation.gone = 0

-- name: facts_of_index
SELECT DISTINCT observation.id, observation.seq, feed.stream_id, feed.name AS feed, feed.dataset, feed.county, feed.channel
FROM name JOIN name_kind ON name_kind.id = name.kind JOIN observation ON observation.id = name.observation_id
JOIN feed ON feed.id = observation.feed_id
WHERE name.name = :name AND name_kind.kind = :kind AND observation.gone = 0
