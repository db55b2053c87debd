"""What we write to people about their access. Pure: words in, subject and text out."""

from typing import TypedDict


class Letter(TypedDict):
    subject: str
    text: str


def invitation(account: str, role: str, by: str, link: str, *, new: bool) -> Letter:
    """Tell somebody that they may see ``account``, and how to get in."""
    first = "Choose a password here (the link works once, for three days)" if new else "Sign in here"
    sees = "see usage and invoices, pay, and manage members and keys" if role == "owner" else "see usage and invoices"
    return {
        "subject": f"You can now see the billing of {account}",
        "text": f"Hello,\n\n{by.removeprefix('user:')} has made you a member of {account}: you can {sees}.\n\n"
        f"{first}:\n{link}\n\nIf you did not expect this, you need not do anything.\n",
    }


def password_link(link: str) -> Letter:
    """Tell somebody how to set a new password."""
    return {
        "subject": "Set a new password",
        "text": f"Hello,\n\nsomebody, probably you, asked for a new password. Set one here (the link works once, for"
        f" three days):\n{link}\n\nIf it was not you, you need not do anything: your password stays as it is.\n",
    }
