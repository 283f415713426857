"""Signed manifests (C2PA 2.x) in PNG and JPEG and beside DICOM: made with a key of our own, read from any file.

The root certificate is what others must trust to see our manifests as trusted; without it they are valid and no more.
Nothing is fetched from the network: no time stamp, no remote manifest, no revocation list.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import c2pa

from synth import __version__
from synth.errors import RequestError
from synth.imaging import png_bytes
from synth.provenance import certificates
from synth.provenance.certificates import Pem
from synth.types import Base, GeneratedImage

DICOM = "application/dicom"
MIMES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff", "PDF": "application/pdf"}
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"  # IPTC NewsCodes
TRAINED = "trainedAlgorithmicMedia"
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
BY_MODELS = (TRAINED, COMPOSITE, "compositeSynthetic", "trainedAlgorithmicData")
MINING = (
    "ai_inference",
    "ai_training",
    "ai_generative_training",
    "data_mining",
)  # of CAWG training and data mining 1.1
DIGEST_CHARS = 16  # of the request: the payload of the invisible mark
_BUILDER = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
_READER = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}


class Standing(StrEnum):
    """What a manifest is worth."""

    TRUSTED = "Trusted"  # signed under one of our roots, and the file is as it was signed
    VALID = "Valid"  # as it was signed, by somebody whom we do not know
    INVALID = "Invalid"  # the file or the manifest was changed after the signature, or the signature is none


@dataclass(frozen=True, slots=True)
class Credential:
    """What the manifest of a file says: texts are those of its maker."""

    standing: Standing
    issuer: str  # organisation of the signing certificate
    generator: str  # the software that made the claim
    known: bool  # one of our roots stands over the signature, also where the file was changed after it
    by_model: bool  # an action says that a trained model made the picture, or a part of it
    request: str  # the first 16 hex of the digest of our request, empty in manifests of others
    problems: tuple[str, ...] = ()  # codes of the C2PA specification, 15.2


def source_type(image: GeneratedImage) -> str:
    """The IPTC digital source type (URI) of an image."""
    return SOURCE_TYPE + (TRAINED if image.request.mark == "SYNTHETIC" else COMPOSITE)


def signed(data: bytes, mime: str, image: GeneratedImage, base: Base | None, leaf: Pem) -> bytes:
    """The file with a manifest in it; `mime` is PNG or JPEG. The pixels stay as they are. RequestError if refused."""
    out = io.BytesIO()
    try:
        _builder(image, base).sign(_signer(leaf), mime, io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise RequestError(f"The file could not be signed: {error}.") from error
    return out.getvalue()


def detached(data: bytes, image: GeneratedImage, base: Base | None, leaf: Pem) -> bytes:
    """The manifest of a DICOM file, to be kept beside it: C2PA has no place for one inside."""
    builder = _builder(image, base)
    builder.set_no_embed()
    try:
        manifest: bytes = builder.sign(_signer(leaf), DICOM, io.BytesIO(data), io.BytesIO())
    except c2pa.C2paError as error:
        raise RequestError(f"The manifest could not be signed: {error}.") from error
    return manifest


def read(data: bytes, mime: str, roots: bytes, manifest: bytes | None = None) -> Credential | None:
    """What the manifest in a file says, or the one that lies beside it; None where there is none that can be read.

    `roots` are the certificates (PEM, one after the other) that are trusted.
    """
    settings: dict[str, Any] = {"verify": _READER}
    if roots:
        settings["trust"] = {"user_anchors": roots.decode()}
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
        beside = () if manifest is None else (manifest,)
        with c2pa.Reader(mime, io.BytesIO(data), *beside, context=context) as reader:
            store, standing = json.loads(reader.json()), Standing(reader.get_validation_state())
    except (c2pa.C2paError, ValueError):
        return None
    return _credential(store, standing)


def _credential(store: dict[str, Any], standing: Standing) -> Credential:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    actions = [
        action
        for assertion in manifest.get("assertions", ())
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion.get("data", {}).get("actions", ())
    ]
    types = {str(action.get("digitalSourceType", "")).rpartition("/")[2] for action in actions}
    agents = [agent for action in actions if isinstance(agent := action.get("softwareAgent"), dict)]
    makers = manifest.get("claim_generator_info") or [{"name": manifest.get("claim_generator", "")}]
    results = (store.get("validation_results") or {}).get("activeManifest") or {}
    return Credential(
        standing=standing,
        known=any(one.get("code") == "signingCredential.trusted" for one in results.get("success") or ()),
        issuer=str((manifest.get("signature_info") or {}).get("issuer", "")),
        generator=" ".join(str(makers[0].get(key, "")) for key in ("name", "version")).strip(),
        by_model=not types.isdisjoint(BY_MODELS),
        request=next((str(agent["org.synthread.request"]) for agent in agents if "org.synthread.request" in agent), ""),
        problems=tuple(dict.fromkeys(str(one.get("code", "")) for one in store.get("validation_status") or ())),
    )


def _builder(image: GeneratedImage, base: Base | None) -> c2pa.Builder:
    builder = c2pa.Builder(
        json.dumps(_manifest(image, base)), context=c2pa.Context(settings=c2pa.Settings.from_dict(_BUILDER))
    )
    if base is not None and image.request.mark != "SYNTHETIC":
        assert image.request.edit is not None
        about = {"title": "Base picture", "relationship": "parentOf", "label": "base"}
        about["instance_id"] = f"org.synthread:{image.request.edit.origin}"
        builder.add_ingredient(json.dumps(about), MIMES["PNG"], io.BytesIO(png_bytes(base.pixels, {})))
    return builder


def _manifest(image: GeneratedImage, base: Base | None) -> dict[str, Any]:
    """Who made the image with what; no word of the prompt, of a person or of a file."""
    made = image.provenance
    agent = {
        "name": f"SynthRead model {made.model_id}",
        "version": made.model_revision,
        "org.synthread.request": made.request_digest[:DIGEST_CHARS],
    }
    action: dict[str, Any] = {"action": "c2pa.created", "digitalSourceType": source_type(image), "softwareAgent": agent}
    action["when"] = made.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    actions = [action]
    if base is not None and image.request.mark != "SYNTHETIC":
        actions = [
            {"action": "c2pa.opened", "parameters": {"ingredientIds": ["base"]}},
            action | {"action": "c2pa.edited"},
        ]
    mining = {f"cawg.{use}": {"use": "notAllowed"} for use in MINING}
    return {
        "claim_generator_info": [{"name": "SynthRead", "version": __version__}],
        "title": f"{image.request.mark} {image.id}",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "cawg.training-mining", "data": {"entries": mining}},
        ],
    }


def _signer(leaf: Pem) -> c2pa.Signer:
    key, chain = certificates.parts(leaf)
    # Without a time stamp authority: `b""` in place of None would be refused.
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None))
