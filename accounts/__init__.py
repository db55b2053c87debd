"""Whom we bill and who may act: accounts, members, roles and API keys."""
