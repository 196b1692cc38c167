"""Signatures of what is pushed to us (china-facts §1.6); the digests are OpenSSL's: `openssl dgst -sm3 -hmac secret-1`."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.kit.auth.inbound import InboundModel, signed_text
from adapters.kit.base import Secrets

MEMBERS = {"opType": b'"I"', "data": '[{"A":"甲"}]'.encode(), "batchNo": b'"TS1"', "remark": b'""', "extra": b"null"}
SIGNS = {
    "hmac_sha256": "bd5cb24518045aab795846e8a22d922acfe36a53efa374800dd1f0272c18670f",
    "hmac_sm3": "10081d6aff9cfd4c76a1ec63671c3c20545ee339faeb8462ce7d54a6b7508b96",
    "md5": "9229b06e979f6e67ce6ea75493ad6a26",
}


class Pocket:
    def get(self, name: str) -> str:
        return {"push_secret": "secret-1", "other": "secret-2"}[name]


def holds(rule: Any, sign: str, members: Any = MEMBERS, secret: str = "push_secret") -> bool:  # its name
    return InboundModel(rule=rule, secret=secret).holds(members, sign, cast("Secrets", Pocket()))


def test_what_is_signed_is_sorted_and_leaves_out_blanks() -> None:
    assert signed_text(MEMBERS).decode() == 'batchNo=TS1&data=[{"A":"甲"}]&opType=I'


@pytest.mark.parametrize("rule", SIGNS)
def test_each_rule_holds_for_its_own_signature_only(rule: str) -> None:
    assert [made for made, sign in SIGNS.items() if holds(rule, sign)] == [rule]
    assert holds(rule, f" {SIGNS[rule].upper()}\n")


@pytest.mark.parametrize("rule", SIGNS)
def test_another_secret_or_another_word_breaks_it(rule: str) -> None:
    assert not holds(rule, SIGNS[rule], secret="other")  # its name
    assert not holds(rule, SIGNS[rule], MEMBERS | {"opType": b'"D"'})
    assert not holds(rule, SIGNS[rule], MEMBERS | {"more": b"1"})
