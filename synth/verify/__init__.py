"""Whether a file is synthetic, and whether it is ours."""

from synth.verify.examine import Answer as Answer
from synth.verify.examine import Proofs as Proofs
from synth.verify.examine import Verdict as Verdict
from synth.verify.examine import examine as examine
