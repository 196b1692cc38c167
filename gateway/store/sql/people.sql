-- Users, their sessions, keys of programs, and what each was granted.

-- name: login_add
INSERT INTO login (name, title, password, provisional, chosen_at, created_at, created_by)
VALUES (:name, :title, :password, :provisional, :now, :at, :by)
ON CONFLICT (name) DO NOTHING

-- name: login_get
SELECT * FROM login WHERE name = :name

-- name: logins
SELECT * FROM login ORDER BY name

-- name: logins_any
SELECT COUNT(*) FROM (SELECT 1 FROM login LIMIT 1) AS found

-- name: login_state
UPDATE login SET state = :state, failures = 0, barred_until = 0 WHERE id = :id

-- name: login_password
UPDATE login SET password = :password, provisional = :provisional, chosen_at = :now, failures = 0, barred_until = 0
WHERE id = :id

-- name: login_totp
UPDATE login SET totp = :totp, totp_step = :step WHERE id = :id

-- name: login_failed
-- Counted before the password is looked at, so that attempts side by side cannot outrun the count.
UPDATE login SET failures = failures + 1,
    barred_until = CASE WHEN failures + 1 >= :most THEN :until ELSE barred_until END
WHERE id = :id AND barred_until <= :now

-- name: login_entered
-- A one-time code opens once: of two that bring the same one, the second finds its step taken.
UPDATE login SET failures = 0, barred_until = 0, totp_step = :step, seen_at = :at
WHERE id = :id AND (totp IS NULL OR totp_step < :step)

-- name: session_add
INSERT INTO session (digest, login_id, began, seen) VALUES (:digest, :login_id, :now, :now)

-- name: session_get
SELECT session.*, login.name AS name FROM session JOIN login ON login.id = session.login_id
WHERE session.digest = :digest AND login.state = 'active'

-- name: session_touch
UPDATE session SET seen = :now WHERE digest = :digest

-- name: session_end
DELETE FROM session WHERE digest = :digest

-- name: sessions_end
-- All of a user's, but one: a new password shuts out whoever had the old one.
DELETE FROM session WHERE login_id = :login_id AND digest <> :kept

-- name: sessions_expire
DELETE FROM session WHERE seen < :idle OR began < :oldest

-- name: api_key_add
INSERT INTO api_key (name, prefix, digest, created_at, created_by, expires)
VALUES (:name, :prefix, :digest, :at, :by, :expires)
ON CONFLICT (name) DO NOTHING

-- name: api_keys
SELECT * FROM api_key ORDER BY name

-- name: api_key_by_digest
SELECT * FROM api_key WHERE digest = :digest AND revoked_at IS NULL AND expires > :now

-- name: api_key_used
UPDATE api_key SET used_at = :at WHERE id = :id

-- name: api_key_revoke
UPDATE api_key SET revoked_at = :at WHERE name = :name AND revoked_at IS NULL

-- name: grants_of
SELECT role, place FROM role_grant WHERE holder = :holder ORDER BY role, place

-- name: grants
SELECT * FROM role_grant ORDER BY holder, role, place

-- name: grant_add
INSERT INTO role_grant (holder, role, place) VALUES (:holder, :role, :place)

-- name: grants_clear
DELETE FROM role_grant WHERE holder = :holder
