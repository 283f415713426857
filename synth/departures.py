"""What leaves: an image as PNG, JPEG or DICOM with its own mark in the pixels, its words and its signed manifest.

Whoever exports an image takes it from here, and what was exported by whom is in the audit trail.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, PngImagePlugin

from synth import imaging, keys, prompts
from synth.dicom.encode import encode, shown
from synth.errors import PolicyError
from synth.origins import AuditEvent
from synth.provenance import certificates, credentials, remark, watermark
from synth.provenance.certificates import Pem
from synth.store import Store
from synth.types import GeneratedImage

EXPORT = "export"
DISCLAIMER = "Education and research, never diagnosis."
ROOT, LEAF = "c2pa-root.pem", "c2pa-leaf-{}.pem"  # one leaf a calendar year
JPEG_QUALITY = 95
_DESCRIPTION, _SOFTWARE = 270, 305  # EXIF 2.32, table 4
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="{}"/></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="r"?>'
)  # IPTC Photo Metadata 2023.1, Digital Source Type


class Departures:
    """The door of one installation. Methods raise StoreError where a key, a base or the audit trail cannot be had."""

    def __init__(self, store: Store, home: Path) -> None:
        self._store, self._home = store, home

    def leaving(self, image: GeneratedImage) -> GeneratedImage:
        """The image with the pixels that leave: those of an edit get their own invisible mark here."""
        key = keys.secret(self._home, keys.WATERMARK)
        return replace(image, pixels=remark.departing(image, self._store.base(image.request), key))

    def proven(self, image: GeneratedImage) -> GeneratedImage:
        """As `leaving`; raises PolicyError where the invisible mark is not found in what would leave."""
        left, key = self.leaving(image), keys.secret(self._home, keys.WATERMARK)
        if not remark.carries(left.pixels):
            long, short = watermark.LONG_PX, watermark.SHORT_PX
            raise PolicyError(f"Image {image.id} is too small for the invisible mark; {long} x {short} px are needed.")
        if watermark.detect_aligned(shown(left), key).payload != remark.payload_of(image.request):
            raise PolicyError(f"The invisible mark of image {image.id} is not found in its pixels; make it anew.")
        return left

    def png(self, image: GeneratedImage, who: str) -> bytes:
        """A signed PNG with the mark burnt in and its provenance in text chunks; the prompt as typed is not in it."""
        pixels = imaging.mark(self.leaving(image).pixels, image.request.mark)
        xmp = PngImagePlugin.iTXt(_xmp(image), "", "")
        words = _words(image) | {"XML:com.adobe.xmp": xmp}
        data = self._signed(imaging.png_bytes(pixels, words), "PNG", image)
        return self._noted(data, image, who, "PNG")

    def jpeg(self, image: GeneratedImage, who: str) -> bytes:
        """A signed JPEG of 8 bit, the mark burnt in."""
        words, exif, buffer = _words(image), Image.Exif(), io.BytesIO()
        exif[_DESCRIPTION] = f"{words['Title']}. {words['Disclaimer']} {words['Comment']}"
        exif[_SOFTWARE] = words["Software"]
        picture = Image.fromarray(shown(self.leaving(image)))
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, exif=exif, xmp=_xmp(image).encode())
        data = self._signed(buffer.getvalue(), "JPEG", image)
        return self._noted(data, image, who, "JPEG")

    def dicom(self, image: GeneratedImage, who: str) -> bytes:
        """The DICOM Secondary Capture. Raises DicomError where `encode` does."""
        return self._noted(self._dicom(image), image, who, "DICOM")

    def manifest(self, image: GeneratedImage, who: str) -> bytes:
        """The signed C2PA manifest to be kept beside the file of `dicom`, whose bytes it is for."""
        base = self._store.base(image.request)
        data = credentials.detached(self._dicom(image), image, base, self._leaf(datetime.now(UTC)))
        return self._noted(data, image, who, "C2PA manifest")

    def note(self, image: GeneratedImage, who: str, detail: Mapping[str, str]) -> None:
        """Write into the audit trail that somebody exported the image."""
        self._store.add_event(AuditEvent(datetime.now(UTC), who, EXPORT, image.id, "", dict(detail)))

    def marks(self) -> tuple[bytes, ...]:
        """The keys of the invisible mark: the one in use, then those that were."""
        return (keys.secret(self._home, keys.WATERMARK), *keys.retired(self._home, keys.WATERMARK))

    def roots(self) -> bytes:
        """The root certificates (PEM) under which manifests are signed here, and those that were."""
        pems = (self._root(datetime.now(UTC)), *keys.retired(self._home, ROOT))
        return b"".join(certificates.parts(pem)[1] for pem in pems)

    def with_payload(self, payload: int) -> list[GeneratedImage]:
        """The images that an invisible mark names, as they left: none, one, or the replays of one request."""
        found = self._store.images_of_digest(f"{payload:016x}")
        return [self.leaving(self._store.image(one.id)) for one in found]

    def _dicom(self, image: GeneratedImage) -> bytes:
        return encode(self.leaving(image), prompts.describe(image.request))

    def _signed(self, data: bytes, kind: str, image: GeneratedImage) -> bytes:
        base, leaf = self._store.base(image.request), self._leaf(datetime.now(UTC))
        return credentials.signed(data, credentials.MIMES[kind], image, base, leaf)

    def _noted(self, data: bytes, image: GeneratedImage, who: str, kind: str) -> bytes:
        self.note(image, who, {"format": kind})
        return data

    def _root(self, now: datetime) -> Pem:
        return keys.kept(self._home, ROOT, lambda: certificates.new_root(now, _serial()))

    def _leaf(self, now: datetime) -> Pem:
        root = self._root(now)
        return keys.kept(self._home, LEAF.format(now.year), lambda: certificates.new_leaf(root, now, _serial()))


def _serial() -> int:
    return secrets.randbits(certificates.SERIAL_BITS) | 1


def _words(image: GeneratedImage) -> dict[str, str]:
    made = image.provenance
    return {
        "Title": image.request.mark,
        "Description": prompts.describe(image.request),
        "Disclaimer": DISCLAIMER,
        "Software": f"SynthRead, model {made.model_id} {made.model_revision}",
        "Creation Time": made.created_at.isoformat(),
        "Comment": f"Request {made.request_digest}, seed {made.seed}, sampler {made.sampler}",
        "Source": f"Weights {made.weights_hash}",
    }


def _xmp(image: GeneratedImage) -> str:
    return _XMP.format(credentials.source_type(image))
