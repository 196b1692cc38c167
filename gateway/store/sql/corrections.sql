-- Spot checks, and what agencies are asked to put right.

-- name: spot_check_add
INSERT INTO spot_check (county, seed, each, at, actor) VALUES (:county, :seed, :each, :at, :actor) RETURNING id

-- name: spot_check_get
SELECT * FROM spot_check WHERE id = :id

-- name: spot_checks
SELECT spot_check.*, (SELECT COUNT(*) FROM spot_item WHERE spot_check_id = spot_check.id) AS items,
    (SELECT COUNT(DISTINCT spot_item.id) FROM spot_item JOIN spot_result ON spot_result.spot_item_id = spot_item.id
     WHERE spot_check_id = spot_check.id) AS answered
FROM spot_check ORDER BY id DESC LIMIT :count

-- name: spot_item_add
INSERT INTO spot_item (spot_check_id, feed_id, observation_id, seq, agency) VALUES (:check, :feed, :observation, :seq, :agency)

-- name: spot_items
-- What was drawn, as `FactFinder` opens it.
SELECT spot_item.id AS item, spot_item.agency, spot_item.observation_id AS id, spot_item.seq, feed.stream_id, feed.name AS feed,
    feed.dataset, feed.county, feed.channel
FROM spot_item JOIN feed ON feed.id = spot_item.feed_id WHERE spot_item.spot_check_id = :check ORDER BY spot_item.id

-- name: spot_result_put
INSERT INTO spot_result (spot_item_id, path, field, verdict, at, actor) VALUES (:item, :path, :field, :verdict, :at, :actor)
ON CONFLICT (spot_item_id, path) DO UPDATE SET verdict = excluded.verdict, at = excluded.at, actor = excluded.actor

-- name: spot_results
SELECT spot_result.spot_item_id AS item, spot_result.path, spot_result.verdict
FROM spot_result JOIN spot_item ON spot_item.id = spot_result.spot_item_id WHERE spot_item.spot_check_id = :check

-- name: accuracies
-- By agency, channel and field; what could not be told counts nowhere.
SELECT feed.county, feed.dataset, spot_item.agency, feed.channel, spot_result.field,
    SUM(CASE WHEN spot_result.verdict = 'right' THEN 1 ELSE 0 END) AS right_ones, COUNT(*) AS checked, MAX(spot_result.at) AS until
FROM spot_result JOIN spot_item ON spot_item.id = spot_result.spot_item_id JOIN feed ON feed.id = spot_item.feed_id
WHERE spot_result.verdict IN ('right', 'wrong') AND spot_result.at >= :since
GROUP BY feed.county, feed.dataset, spot_item.agency, feed.channel, spot_result.field
ORDER BY feed.county, feed.dataset, spot_item.agency, feed.channel, spot_result.field

-- name: correction_add
INSERT INTO correction (handle, origin, county, dataset, agency, observation, version, path, run_id, evidence, institution,
    opened_at, opened_by, due_on, sealed)
VALUES (:handle, :origin, :county, :dataset, :agency, :observation, :version, :path, :run, :evidence, :institution,
    :at, :actor, :due, :sealed)

-- name: correction_get
SELECT * FROM correction WHERE handle = :handle

-- name: corrections
SELECT * FROM correction WHERE (:state = '' OR state = :state) ORDER BY due_on, id LIMIT :count

-- name: corrections_of
-- Open ones about one observation.
SELECT * FROM correction WHERE observation = :observation AND state = 'open' ORDER BY id

-- name: correction_close
UPDATE correction SET state = :state, note = :note, closed_at = :at, closed_by = :actor WHERE handle = :handle AND state = 'open'

-- name: correction_erase
-- That something was asked and answered stays; what was said of the person does not.
UPDATE correction SET sealed = NULL, note = NULL, state = CASE WHEN state = 'open' THEN 'withdrawn' ELSE state END,
    closed_at = COALESCE(closed_at, :at)
WHERE observation = :observation
