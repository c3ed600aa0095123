"""What a student is: one folder a kind, behind the small interface of `kind.py`; `model_type` in a config chooses."""
