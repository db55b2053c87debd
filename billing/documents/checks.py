"""What must be on the machine before a document can be printed: ``manage.py check`` says it, not the first invoice."""

from typing import Any

from django.core.checks import Error, register

from billing.documents import pdf


@register("documents")
def printing_is_possible(app_configs: Any, **options: Any) -> list[Error]:
    """Name the Debian packages that are missing."""
    packages = " ".join(pdf.missing())
    if not packages:
        return []
    return [
        Error(
            f"Documents cannot be printed here: {packages} missing.", f"apt-get install {packages}", id="documents.E001"
        )
    ]
