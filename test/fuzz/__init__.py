"""Input for the trigger's readers: what they understand, and the same damaged."""

from . import bundles, events, secrets

# Each has seeds(), WORDS (what came of each of these), and made(chance), one that may be damaged.
INPUTS = {'event': events, 'secret': secrets, 'bundle': bundles}
