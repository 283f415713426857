"""What strangers learn of a file: yes or no, a score, which layers spoke. Light enough for a process of its own."""

from __future__ import annotations

from synth.verify.examine import Answer, Proofs, Verdict, examine

NAME = "The file"  # names of uploads are never repeated
Found = dict[str, object] | str  # what strangers learn, or one sentence on why there is nothing to learn


def examined(task: tuple[bytes, Proofs]) -> Found:
    """What strangers learn of a file, or why it cannot be read."""
    data, proofs = task
    verdict = examine(data, NAME, proofs, lambda payload: ())
    return verdict.sentence if verdict.answer is Answer.UNREADABLE else told(verdict)


def told(verdict: Verdict) -> dict[str, object]:
    """Nothing of who made it, nor which image it is."""
    score = verdict.detection.score if verdict.detection else 0.0
    layers = [layer.name for layer in verdict.layers if layer.found]
    return {"synthetic_by_us": verdict.ours, "score": round(score, 2), "layers": layers}
