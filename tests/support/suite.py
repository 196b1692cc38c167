"""The suite under which the tests run: `SHUQIAO_TEST_SUITE=gm-1 make test`, or `make testgm` for the short form."""

from __future__ import annotations

import os
from typing import Final

from gateway.proof import MemberKey, Signer, Suite, suite_named

SUITE: Final[Suite] = suite_named(os.environ.get("SHUQIAO_TEST_SUITE", "intl-1"))


def signer(seed: bytes = bytes(range(32))) -> Signer:
    return Signer(seed, SUITE.signing)


def member_key(raw: bytes = bytes(range(1, 33))) -> MemberKey:
    return MemberKey(raw, SUITE.agreement)
