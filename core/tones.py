"""Which colour a status wears: the whole vocabulary on one screen, so that a word looks the same on every page."""

from collections.abc import Mapping
from typing import Final

QUIET: Final = "quiet"
_WORDS: Final[Mapping[str, str]] = {
    "good": "paid succeeded issued active approved delivered sent done ok healthy fresh complete completed accepted"
    " resolved applied matched settled live reinstated kept posted",
    "bad": "failed past_due uncollectible suspended rejected declined broken conflict dead overdue critical lost"
    " disputed bounced written_off refused silent differs",
    "warn": "held warning stale late partial paused disconnected unknown expiring requires_action review restricted"
    " quarantined waiting degraded on_hold pending_approval",
    "info": "open running processing rating in_progress reviewing promised scheduled claimed retrying charging issuing"
    " requested delivering",
}
_TONES: Final = {word: tone for tone, words in _WORDS.items() for word in (tone, *words.split())}


def tone_of(status: str) -> str:
    """Return good, bad, warn or info for a known status word, else quiet (draft, void, zero, pending …).

    The name of a tone is its own tone, so that a page may overrule the word.
    """
    return _TONES.get(status.strip().lower().replace(" ", "_").replace("-", "_"), QUIET)
