from toy_model import toy_ct2_dir, toy_model_dir  # noqa: F401
