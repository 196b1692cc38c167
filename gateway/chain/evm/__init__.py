"""A consortium chain that speaks Ethereum JSON-RPC, behind the protocol of every sink (DESIGN §8, ADR 0014).

Importing this package is cheap; `contract`, `node`, `ledger`, `lane` and `sink` need web3 (the extra `shuqiao[evm]`) and are
imported by whoever builds a sink or reads an endpoint.
"""

from gateway.chain.evm.journal import Journal, Pin, Signed, TxState
from gateway.chain.evm.profiles import NARROWEST, PROFILES, Endpoint, Profile

__all__ = ["NARROWEST", "PROFILES", "Endpoint", "Journal", "Pin", "Profile", "Signed", "TxState"]
