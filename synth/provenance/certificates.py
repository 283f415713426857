"""The certificates under which manifests are signed: a root of our own, and leaves of it (RFC 5280, C2PA 2.x 14.5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from synth.errors import StoreError

ROOT_LIFE = timedelta(days=30 * 365)
LEAF_LIFE = timedelta(days=10 * 365)  # without time stamps a signature is worth something as long as its leaf
SLACK = timedelta(days=1)  # clocks differ
SERIAL_BITS = 159  # at most 20 octets and positive: RFC 5280, 4.1.2.2

Pem = bytes  # a private key (PKCS 8) and the certificates from its own up to the root, one after the other

_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def new_root(at: datetime, serial: int) -> Pem:
    """A root of this installation, from `at` on, under a new key on P-256. The serial is also in its name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"SynthRead root {serial:x}"[:64])
    made = _begun(name, name, key, serial, (at - SLACK, at + ROOT_LIFE))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return _pem(key) + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def new_leaf(root: Pem, at: datetime, serial: int) -> Pem:
    """A signing certificate under the root, for ES256. Raises StoreError where the root cannot be read."""
    signer, issuer = _opened(root)
    key = ec.generate_private_key(ec.SECP256R1())
    ends = min(at + LEAF_LIFE, issuer.not_valid_after_utc)
    made = _begun(_name("SynthRead"), issuer.subject, key, serial, (at - SLACK, ends))
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage("digital_signature"), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    leaf = made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return _pem(key) + leaf + parts(root)[1]


def parts(pem: Pem) -> tuple[bytes, bytes]:
    """Private key and certificates, as PEM."""
    before, mark, after = pem.partition(b"-----BEGIN CERTIFICATE-----")
    return before, mark + after


def _opened(pem: Pem) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_pem, chain = parts(pem)
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
        certificate = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise StoreError("The certificates of this installation cannot be read; restore them from a copy.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StoreError("The key of this installation's certificate is not on P-256; restore it from a copy.")
    return key, certificate


def _begun(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, serial: int, life: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(life[0])
        .not_valid_after(life[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})


def _name(common: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SynthRead")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
