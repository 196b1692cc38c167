-- Consortium chains: transactions of each sink's sender, and the chain that a sink met first.

-- name: chain_tx_add
INSERT INTO chain_tx (sink, sender, nonce, hash, batch_id, raw, state, sent_at)
VALUES (:sink, :sender, :nonce, :hash, :batch_id, :raw, :state, :sent_at)

-- name: chain_tx_mark
UPDATE chain_tx SET state = :state, sent_at = COALESCE(:sent_at, sent_at)
WHERE sink = :sink AND sender = :sender AND nonce = :nonce

-- name: chain_tx_of_batch
SELECT nonce, hash, batch_id, raw, state, sent_at FROM chain_tx
WHERE sink = :sink AND sender = :sender AND batch_id = :batch_id ORDER BY nonce DESC LIMIT 1

-- name: chain_tx_since
SELECT nonce, hash, batch_id, raw, state, sent_at FROM chain_tx
WHERE sink = :sink AND sender = :sender AND nonce >= :nonce ORDER BY nonce

-- name: chain_tx_waiting
-- Transactions that no final block is known to hold.
SELECT COUNT(*) FROM chain_tx WHERE sink = :sink AND state IN ('signed', 'sent') AND batch_id <> ''

-- name: chain_pin_get
SELECT * FROM chain_pin WHERE sink = :sink

-- name: chain_pin_put
INSERT INTO chain_pin (sink, chain_id, genesis, contract, code_hash)
VALUES (:sink, :chain_id, :genesis, :contract, :code_hash)
ON CONFLICT (sink) DO UPDATE SET chain_id = excluded.chain_id, genesis = excluded.genesis,
    contract = excluded.contract, code_hash = excluded.code_hash

-- name: chain_observed
INSERT INTO chain_pin (sink, sender, tip, nonce, balance, seen_at)
VALUES (:sink, :sender, :tip, :nonce, :balance, :seen_at)
ON CONFLICT (sink) DO UPDATE SET sender = excluded.sender, tip = excluded.tip, nonce = excluded.nonce,
    balance = excluded.balance, seen_at = excluded.seen_at
