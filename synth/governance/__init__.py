"""Who may do what: pure rules over frozen values. A refusal is a PolicyError of one sentence."""

from synth.governance.policy import may_push as may_push
from synth.governance.roles import LOCAL_USER as LOCAL_USER
from synth.governance.roles import Permission as Permission
from synth.governance.roles import Role as Role
from synth.governance.roles import User as User
from synth.governance.roles import require as require
