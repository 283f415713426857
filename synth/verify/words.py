"""What the layers say, in sentences that a reader understands."""

from __future__ import annotations

from collections.abc import Sequence

from synth.provenance.credentials import Credential, Standing
from synth.provenance.watermark import Detection, State
from synth.types import GeneratedImage
from synth.verify.changes import Change

VISIBLE, HEADER, MANIFEST, INVISIBLE = "Visible mark", "Header and text", "Signed manifest (C2PA)", "Invisible mark"
NOTHING = "No mark was found. That proves nothing: marks can be removed, and other makers may set none."
BROKEN = "It was signed here, but the file was changed after that: the signed manifest does not fit it any more."


def visible(found: bool) -> str:
    """Of the burnt-in letters."""
    return "SYNTHETIC or ALTERED stands at the lower left." if found else "Not found at the lower left."


def header(said: str | None) -> str:
    """Of DICOM attributes, PNG text, EXIF and XMP."""
    return "Says nothing of being synthetic." if said is None else f"Synthetic by its own words: {said}."


def manifest(credential: Credential | None) -> str:
    """Of the manifest in the file or beside it."""
    if credential is None:
        return "None."
    who = f"{credential.generator or 'unknown software'}, signed by {credential.issuer or 'nobody'}"
    model = "; it says that a model made the picture or a part of it" if credential.by_model else ""
    if credential.standing is Standing.TRUSTED:
        return f"Trusted, signed here: {who}{model}."
    if credential.standing is Standing.VALID:
        return f"Unchanged since it was signed, by a signer unknown here: {who}{model}."
    return f"Invalid ({', '.join(credential.problems[:3]) or 'unknown reason'}): {who}{model}."


def invisible(detection: Detection | None) -> str:
    """Of the keyed mark in the pixels."""
    if detection is None:
        return "The picture is too small to be searched."
    figures = f"score {detection.score:.1f}, by chance in at most 1 of {chance(detection.log10_p)} pictures"
    if detection.state is State.NOT_DETECTED:
        return f"Not found (score {detection.score:.1f})."
    if detection.state is State.INCONCLUSIVE:
        return f"A trace that is too weak to count ({figures})."
    named = "its payload cannot be read" if detection.payload is None else f"payload {detection.payload:016x}"
    return f"Found: {named}, {figures}{_moved(detection)}."


def chance(log10_p: float) -> str:
    """The reciprocal of a probability, as "10" or "10^24"."""
    power = round(-log10_p)
    return f"{10**power:,}" if power <= 6 else f"10^{power}"


def ours(images: Sequence[GeneratedImage], compared: Change | None) -> str:
    """Of a file that was made here."""
    if not images:
        return "It was made by this installation; the image itself is not kept here any more."
    what = "drawn" if images[0].request.mark == "SYNTHETIC" else "made out of another picture"
    if compared is None:
        return f"It was {what} by this installation, and cropped, turned or framed since: not compared pixel by pixel."
    return f"It was {what} by this installation, and shows what left it."


def altered(compared: Change) -> str:
    """Where a picture that was made here differs from what left."""
    return (
        f"It was made by this installation and altered since: {compared.x:.0%} from the left and {compared.y:.0%} from "
        f"the top it differs by {compared.levels:.0f} grey levels from what left."
    )


def others(by_model: bool) -> str:
    """Of a file that only says that it is synthetic."""
    how = "A signed manifest says that a model made it" if by_model else "It says of itself that it is synthetic"
    return f"{how}, but it carries no proof of this installation: another maker, another SynthRead, or an imitation."


def _moved(detection: Detection) -> str:
    at = detection.transform
    if at is None:
        return ""
    done = [
        word
        for word, true in (("mirrored", at.mirrored), ("upside down", at.upside_down), ("inverted", at.inverted))
        if true
    ]
    if abs(at.scale - 1) >= 0.01:
        done.append(f"at {at.scale:.0%} of its place in the frame")
    if abs(at.turn_deg) >= 0.5:
        done.append(f"turned by {at.turn_deg:.1f} degrees")
    return f"; {', '.join(done)}" if done else ""
