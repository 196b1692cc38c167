"""What can go wrong between us and a source, named by what the gateway does next.

    SourceError
    ├── SourceUnavailable   come back later, with back-off
    ├── SourceDenied        stop this account and tell a person
    └── SourceMalformed     stop this run and keep the evidence
    RecordRejected          quarantine one item and carry on

A message is one Chinese sentence with named facts, so that the gateway can show it in another language; it never holds
a value of a person or a key. What caused it is `__cause__`. The kit classifies, it never retries (DESIGN §4).
"""

from __future__ import annotations


class SourceError(Exception):
    """A source did not give what was asked. `code` is one of china-facts §6."""

    def __init__(self, code: str, sentence: str, *, evidence: bytes | None = None, **facts: object) -> None:
        super().__init__(code, sentence, facts)
        self.code = code
        self.sentence = sentence
        self.facts = facts
        self.evidence = evidence
        """The offending answer as received, capped; the gateway encrypts it before it is kept."""

    def __str__(self) -> str:
        return self.sentence.format(**self.facts)


class SourceUnavailable(SourceError):
    """Come back later: network, 5xx, throttling, a spent budget, a closed call window, an open breaker."""

    retry_after: float | None = None
    """Seconds the source asked us to wait, where it said so."""


class SourceDenied(SourceError):
    """The account is refused. Trying again makes it worse: a person has to act."""

    challenge: str = ""
    """What the source wants answered (`WWW-Authenticate`), where it said so."""


class SourceMalformed(SourceError):
    """The answer is not what was agreed: not the envelope, not well-formed, too large, the same page again."""


class RecordRejected(Exception):
    """One item cannot become a record: `reason` is a quarantine code, `field` a canonical path or None."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason, field)
        self.reason = reason
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason
