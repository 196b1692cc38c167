-- Feeds, their streams, leases, accounts, secrets and descriptions of services.

-- name: meta_get
SELECT value FROM meta WHERE key = :key

-- name: meta_put
INSERT INTO meta (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: rules_add
INSERT INTO rules (digest) VALUES (:digest) ON CONFLICT (digest) DO NOTHING

-- name: rules_id
SELECT id FROM rules WHERE digest = :digest

-- name: rules_digest
SELECT digest FROM rules WHERE id = :id

-- name: stream_add
INSERT INTO stream (name, kind) VALUES (:name, :kind) ON CONFLICT (name) DO NOTHING

-- name: stream_by_name
SELECT id, name, kind, next_seq, sealed_seq FROM stream WHERE name = :name

-- name: stream_by_id
SELECT id, name, kind FROM stream WHERE id = :id

-- name: stream_advance
-- Numbers are given under the feed's lease, inside the transaction that writes what they number: no gap survives.
UPDATE stream SET next_seq = next_seq + :count WHERE id = :id RETURNING next_seq

-- name: feed_add
INSERT INTO feed (uid, name, dataset, county, channel, stream_id)
VALUES (:uid, :name, :dataset, :county, :channel, :stream_id)

-- name: feed_by_name
SELECT * FROM feed WHERE name = :name

-- name: feed_by_id
SELECT * FROM feed WHERE id = :id

-- name: feeds
SELECT * FROM feed ORDER BY name

-- name: feed_rename
UPDATE feed SET name = :name WHERE id = :id

-- name: feed_alias_add
INSERT INTO feed_alias (name, feed_id) VALUES (:name, :feed_id) ON CONFLICT (name) DO UPDATE SET feed_id = excluded.feed_id

-- name: feed_once_called
-- The feed that had this name before it was renamed.
SELECT feed.* FROM feed_alias JOIN feed ON feed.id = feed_alias.feed_id WHERE feed_alias.name = :name

-- name: feed_cursor
UPDATE feed SET cursor = :cursor WHERE id = :id

-- name: feed_reading
-- The reading that goes on behind the cursor; null where the page before it was the last.
UPDATE feed SET reading = :reading WHERE id = :id

-- name: feed_pause
UPDATE feed SET paused_at = :at, paused_by = :actor, paused_for = :reason WHERE id = :id AND paused_at IS NULL

-- name: feed_resume
UPDATE feed SET paused_at = NULL, paused_by = NULL, paused_for = NULL WHERE id = :id AND paused_at IS NOT NULL

-- name: feed_retire
UPDATE feed SET retired_at = :at, retired_by = :actor, retired_for = :reason WHERE id = :id AND retired_at IS NULL

-- name: feed_reopen
UPDATE feed SET retired_at = NULL, retired_by = NULL, retired_for = NULL WHERE id = :id AND retired_at IS NOT NULL

-- name: comparison_get
SELECT agreed_since FROM comparison WHERE county = :county AND dataset = :dataset

-- name: comparisons
SELECT * FROM comparison

-- name: comparison_put
INSERT INTO comparison (county, dataset, at, agreed_since, rows_manual, rows_system, same, only_manual, only_system, differing)
VALUES (:county, :dataset, :at, :agreed_since, :rows_manual, :rows_system, :same, :only_manual, :only_system, :differing)
ON CONFLICT (county, dataset) DO UPDATE SET at = excluded.at, agreed_since = excluded.agreed_since,
    rows_manual = excluded.rows_manual, rows_system = excluded.rows_system, same = excluded.same,
    only_manual = excluded.only_manual, only_system = excluded.only_system, differing = excluded.differing

-- name: source_fields
SELECT name, shape, rows, steady, kind, other, since FROM source_field WHERE feed_id = :feed_id ORDER BY name

-- name: source_fields_changed
SELECT feed.name AS name, feed.retired_at AS retired_at, COUNT(*) AS changes, MIN(source_field.since) AS since
FROM source_field JOIN feed ON feed.id = source_field.feed_id WHERE source_field.kind IS NOT NULL
GROUP BY feed.name, feed.retired_at ORDER BY feed.name

-- name: source_field_put
INSERT INTO source_field (feed_id, name, shape, rows, steady, kind, other, since)
VALUES (:feed_id, :name, :shape, :rows, :steady, :kind, :other, :since)
ON CONFLICT (feed_id, name) DO UPDATE SET shape = excluded.shape, rows = excluded.rows, steady = excluded.steady,
    kind = excluded.kind, other = excluded.other, since = excluded.since

-- name: source_field_forget
DELETE FROM source_field WHERE feed_id = :feed_id AND name = :name

-- name: feed_contact
-- The three clocks are never merged: a contact says nothing about new data.
UPDATE feed SET contact_at = :at WHERE id = :id

-- name: feed_as_of
UPDATE feed SET as_of = :as_of WHERE id = :id AND (as_of IS NULL OR as_of < :as_of)

-- name: feed_state
UPDATE feed SET state = :state, code = :code, sentence = :sentence, owner = :owner, action = :action,
    since = CASE WHEN state = :state AND since IS NOT NULL THEN since ELSE :at END
WHERE id = :id

-- name: lease_take
-- The same statement on both databases; the token fences off whoever held the lease before.
INSERT INTO lease (name, owner, until, token) VALUES (:name, :owner, :until, 1)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, token = lease.token + 1
WHERE lease.until < :now OR lease.owner = :owner
RETURNING token

-- name: lease_renew
UPDATE lease SET until = :until WHERE name = :name AND owner = :owner AND token = :token

-- name: lease_release
UPDATE lease SET until = 0 WHERE name = :name AND owner = :owner AND token = :token

-- name: lease_holds
-- The fence, checked inside the transaction that writes.
UPDATE lease SET until = :until WHERE name = :name AND token = :token AND until > 0

-- name: leases_held
SELECT name, owner, until, token FROM lease WHERE until > :now

-- name: account_get
SELECT state, revision FROM account WHERE name = :name

-- name: account_add
INSERT INTO account (name, state, revision) VALUES (:name, :state, 1) ON CONFLICT (name) DO NOTHING

-- name: account_swap
UPDATE account SET state = :state, revision = revision + 1 WHERE name = :name AND revision = :revision

-- name: accounts
SELECT name, state FROM account ORDER BY name

-- name: secret_get
SELECT expires_at, sealed FROM secret WHERE account = :account AND name = :name

-- name: secret_put
INSERT INTO secret (account, name, expires_at, sealed) VALUES (:account, :name, :expires_at, :sealed)
ON CONFLICT (account, name) DO UPDATE SET expires_at = excluded.expires_at, sealed = excluded.sealed

-- name: document_get
SELECT at, digest, body FROM document WHERE name = :name

-- name: document_add
-- Whoever is first: what is kept is followed until a person says otherwise.
INSERT INTO document (name, at, digest, body) VALUES (:name, :at, :digest, :body) ON CONFLICT (name) DO NOTHING

-- name: document_put
INSERT INTO document (name, at, digest, body) VALUES (:name, :at, :digest, :body)
ON CONFLICT (name) DO UPDATE SET at = excluded.at, digest = excluded.digest, body = excluded.body

-- name: config_add
INSERT INTO config_version (at, actor, digest, body, note) VALUES (:at, :actor, :digest, :body, :note)

-- name: config_newest
-- Whether somebody published meanwhile.
SELECT MAX(id) FROM config_version

-- name: config_history
SELECT id, at, actor, digest, note FROM config_version ORDER BY id DESC LIMIT :count

-- name: config_version_get
SELECT id, body FROM config_version WHERE id = :id

-- name: config_latest
SELECT id, at, actor, digest, body FROM config_version ORDER BY id DESC LIMIT 1
