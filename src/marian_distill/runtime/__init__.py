"""Translating with an exported model: neither torch nor transformers is imported here."""
