"""One key, one lane of nonces, one writer: signing, keeping and sending transactions (reference: "What every sink must do").

Signed bytes are in the journal before they are sent, so whatever dies, the same bytes are sent again and never others
under the same nonce. What is sent and unanswered is unknown, not failed.
"""

from __future__ import annotations

import time
from typing import Any, Final

import structlog
from eth_account import Account
from eth_account.signers.local import LocalAccount

from gateway.chain.base import ChainRefused
from gateway.chain.evm.contract import gas_for
from gateway.chain.evm.journal import Journal, Signed, TxState
from gateway.chain.evm.node import Known, Node

log = structlog.get_logger(__name__)

TICK: Final = 0.2
"""Seconds for which what the node said of its tip and our nonce is believed."""
BALANCE_SECONDS: Final = 15.0
FILL_GAS: Final = 100_000


class Lane:
    """The sender. Whoever uses it holds the lane's lease."""

    def __init__(self, node: Node, journal: Journal, key: str, gas_price: int) -> None:
        self._node, self._journal, self._gas_price = node, journal, gas_price
        self._account = account_of(key)
        self.address = str(self._account.address)
        self.tip, self.nonce, self.balance = -1, 0, 0
        self._asked = self._weighed = float("-inf")

    def look(self) -> None:
        """Learns the tip and how far the chain took our nonces, and sends again what has waited too long."""
        now = time.monotonic()
        if now - self._asked < TICK:
            return
        self.tip, self.nonce = self._node.tip(), self._node.nonce(self.address)
        if now - self._weighed > BALANCE_SECONDS:
            self.balance, self._weighed = self._node.balance(self.address), now
        self._journal.observed(self.tip, self.balance, self.nonce)
        self._asked = time.monotonic()
        self._send_again()

    @property
    def in_flight(self) -> list[Signed]:
        """Signed, and not in a block as far as we know."""
        return list(self._journal.since(self.nonce))

    def sign(self, to: str | None, data: bytes, batch_id: str, *, gas: int | None = None) -> Signed:
        """Takes the first nonce that is free, signs and keeps the bytes. Nothing is sent.

        Raises:
            ChainRefused: more input than the engine takes.
        """
        limit = self._node.profile.calldata
        if len(data) > limit:
            raise ChainRefused("清单有 {size} 字节，超过这条链允许的 {limit} 字节", size=len(data), limit=limit)
        taken = {signed.nonce for signed in self._journal.since(self.nonce)}
        nonce = self.nonce
        while nonce in taken:
            nonce += 1
        return self._sign(nonce, to, data, batch_id, gas_for(data) if gas is None else gas)

    def send(self, signed: Signed) -> None:
        """Sends; whatever comes back, the chain is asked later.

        Raises:
            ChainUnavailable: the outcome is unknown; the same bytes are sent again.
        """
        try:
            self._node.send(signed.raw)
        except Known as known:
            log.debug("transaction_known", nonce=signed.nonce, said=str(known))
        # a transaction that was mined and vanished with its block is on its way again
        self._journal.mark(signed.nonce, TxState.SENT, time.time())

    def _sign(self, nonce: int, to: str | None, data: bytes, batch_id: str, gas: int) -> Signed:
        fields: dict[str, Any] = {
            "nonce": nonce,
            "gasPrice": self._gas_price,
            "gas": gas,
            "to": to or b"",
            "value": 0,
            "data": data,
            "chainId": self._node.endpoint.chain_id,
        }
        made = self._account.sign_transaction(fields)
        signed = Signed(nonce, made.hash.hex(), batch_id, bytes(made.raw_transaction), TxState.SIGNED, 0.0)
        self._journal.add(signed)
        return signed

    def _send_again(self) -> None:
        """In the order of nonces: what was never sent, and what nobody mined for a while. A gap is filled first."""
        waiting = self._journal.since(self.nonce)
        if waiting and waiting[0].nonce > self.nonce:
            log.warning("nonce_gap", sender=self.address, nonce=self.nonce, next=waiting[0].nonce)
            self.send(self._sign(self.nonce, self.address, b"", "", FILL_GAS))
        now = time.time()
        for signed in waiting:
            if signed.state is TxState.SIGNED or now - signed.sent_at > self._node.profile.resend:
                self.send(signed)


def account_of(key: str) -> LocalAccount:
    """Raises ChainRefused, which never repeats the key."""
    try:
        made: LocalAccount = Account.from_key(key)
    except (ValueError, TypeError):
        raise ChainRefused("链上账户的私钥不合规，应为 32 字节的十六进制") from None
    return made
