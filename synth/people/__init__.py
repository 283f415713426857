"""Those who use the app: their accounts, and how they sign in."""

from synth.people.register import Register as Register
from synth.people.register import opened as opened
