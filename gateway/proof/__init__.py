"""Commitments, Merkle trees, sealed batches, key files and proofs. Pure: bytes in, bytes out (`docs/proof-format.md`)."""

from gateway.proof import libcrypto
from gateway.proof.batch import (
    ENVELOPE_FIELDS,
    BatchOf,
    SealedBatch,
    SealedGroup,
    SealedVersion,
    Statement,
    build,
    commit,
    open_group,
    read_payload,
    version_root,
)
from gateway.proof.document import Anchor, Anchors, OpenBatch, Trust, Verified, verify_document
from gateway.proof.errors import (
    KeyMalformed,
    KeysUnreadable,
    PayloadAltered,
    PayloadMissing,
    ProofError,
    ProofInvalid,
    SuiteUnavailable,
)
from gateway.proof.keyfile import KeyFile, MemberKey, MemberPublic, issue_keys, keys_folder, open_keys
from gateway.proof.keys import expand
from gateway.proof.manifest import Manifest, verify_manifest
from gateway.proof.payloads import DirectoryPayloadStore, PayloadStore, payload_name
from gateway.proof.reports import Checked, verify_report
from gateway.proof.signing import PublicKey, Signer
from gateway.proof.suite import GM, INTL, SUITES, Suite, Values, canonical, framed, suite_named

__all__ = [
    "ENVELOPE_FIELDS",
    "GM",
    "INTL",
    "SUITES",
    "Anchor",
    "Anchors",
    "BatchOf",
    "Checked",
    "DirectoryPayloadStore",
    "KeyFile",
    "KeyMalformed",
    "KeysUnreadable",
    "Manifest",
    "MemberKey",
    "MemberPublic",
    "OpenBatch",
    "PayloadAltered",
    "PayloadMissing",
    "PayloadStore",
    "ProofError",
    "ProofInvalid",
    "PublicKey",
    "SealedBatch",
    "SealedGroup",
    "SealedVersion",
    "Signer",
    "Statement",
    "Suite",
    "SuiteUnavailable",
    "Trust",
    "Values",
    "Verified",
    "build",
    "canonical",
    "commit",
    "expand",
    "framed",
    "issue_keys",
    "keys_folder",
    "libcrypto",
    "open_group",
    "open_keys",
    "payload_name",
    "read_payload",
    "suite_named",
    "verify_document",
    "verify_manifest",
    "verify_report",
    "version_root",
]
