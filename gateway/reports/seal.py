"""The seal on a report's PDF: a signature that any PDF reader checks by itself (PAdES, pyHanko), beside the one that proofs rest on.

Its certificate and key are the deployment's own: put a chain into `keys/seal.pem` and its key into `keys/seal.key`. Until somebody
does, the gateway makes both, under an authority of its own whose certificate (`keys/seal-ca.pem`) readers may trust. ECDSA in every
suite: PDF readers know no SM2.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from asn1crypto import keys, x509
from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from gateway.keyfiles import write_private

FIELD: Final = "Seal"
YEARS: Final = timedelta(days=3650)
_PEM: Final = serialization.Encoding.PEM


class Seal:
    """One certificate and its key. Safe to share between threads."""

    def __init__(self, data: Path, submitter: str) -> None:
        """Reads the key files under `data`, or makes them. Raises ValueError: they are damaged."""
        folder = data / "keys"
        if not (folder / "seal.key").exists():
            _make(folder, submitter)
        chain = made.load_pem_x509_certificates((folder / "seal.pem").read_bytes())
        loaded = [x509.Certificate.load(cert.public_bytes(serialization.Encoding.DER)) for cert in chain]
        key = serialization.load_pem_private_key((folder / "seal.key").read_bytes(), None)
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call] # its constructor says nothing of types
        store.register_multiple(loaded)
        self._signer = signers.SimpleSigner(loaded[0], keys.PrivateKeyInfo.load(der), store)
        self._name = submitter

    def put(self, pdf: bytes) -> bytes:
        """The same file with the seal appended: nothing of it is changed, so it stays PDF/A-3b."""
        out = io.BytesIO()
        terms = signers.PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, name=self._name
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        signers.PdfSigner(terms, self._signer).sign_pdf(writer, output=out)
        return out.getvalue()


def _make(folder: Path, submitter: str) -> None:
    """An authority and a seal under it. Two processes starting at once end with the same ones."""
    now = datetime.now(UTC)
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Shuqiao report seal CA", submitter, root, root, None, now)
    sealing = _certificate("Shuqiao report seal", submitter, leaf, root, authority, now)
    body = leaf.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    if write_private(folder / "seal.key", body):
        (folder / "seal-ca.pem").write_bytes(authority.public_bytes(_PEM))
        (folder / "seal.pem").write_bytes(sealing.public_bytes(_PEM) + authority.public_bytes(_PEM))


def _certificate(
    title: str,
    owner: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    issuer: made.Certificate | None,
    now: datetime,
) -> made.Certificate:
    oid = made.NameOID
    name = made.Name(
        [made.NameAttribute(oid.ORGANIZATION_NAME, owner[:64]), made.NameAttribute(oid.COMMON_NAME, title)]
    )
    uses = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    uses |= {"key_cert_sign": True} if issuer is None else {"digital_signature": True, "content_commitment": True}
    return (
        made.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(made.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + YEARS)
        .add_extension(made.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(made.KeyUsage(**uses), critical=True)
        .add_extension(made.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(made.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )
