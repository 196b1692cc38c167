"""What a proof, a payload or a key file can fail at. The first thing that is not proven is the one that is named.

    ProofError
    ├── ProofInvalid      `code` names what is not proven: FORMAT, SUITE, MANIFEST, SIGNATURE, PAYLOAD, ENVELOPE, GROUP,
    │                     ROOT, PATH, ANCHOR, RECEIPT
    ├── PayloadMissing    the payload store has no such file
    ├── PayloadAltered    a file is not what its name promises
    ├── KeysUnreadable    a key file is for somebody else, or was altered
    ├── SuiteUnavailable  this machine's libcrypto lacks what a suite needs
    └── KeyMalformed      a text or file that should hold a key (signer, member) holds none, or would be overwritten

Sentences are Chinese with named facts; none holds a value of a person or a key.
"""

from __future__ import annotations

from gateway.errors import Told


class ProofError(Told):
    """What is not proven, or cannot be; `code` is stable."""

    code = "PROOF"


class ProofInvalid(ProofError):
    """Something claimed is not proven."""

    def __init__(self, code: str, sentence: str, **facts: object) -> None:
        super().__init__(sentence, **facts)
        self.code = code


class PayloadMissing(ProofError):
    """The payload store has no such file."""

    code = "PAYLOAD_MISSING"


class PayloadAltered(ProofError):
    """A file is not what its name promises."""

    code = "PAYLOAD_ALTERED"


class KeysUnreadable(ProofError):
    """A key file is for somebody else, or was altered."""

    code = "KEYS_UNREADABLE"


class KeyMalformed(ProofError):
    """A text or file that should hold a key holds none, or would be overwritten."""

    code = "KEY_MALFORMED"


class SuiteUnavailable(ProofError):
    """This machine's libcrypto, or its Python, lacks what a suite needs."""

    code = "SUITE_UNAVAILABLE"
