"""What workers call on the ground floor: news, and what is forgotten. Each is one call and safe to run twice."""

from django.conf import settings
from django.utils.module_loading import import_string

from core import answers, outbox


def deliver_outbox() -> int:
    """Deliver waiting news to the subscribers of SUBSCRIPTIONS; a repeat finds nothing left."""
    return outbox.drain(import_string(settings.SUBSCRIPTIONS))


def forget_answers() -> int:
    """Forget answers that no program asks for any more; a repeat finds none left."""
    return answers.forget_old()
