"""Liquid students: a Transformer encoder, and a decoder of liquid cells that keeps a state instead of all its past."""
