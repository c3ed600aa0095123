from toy_model import toy_bundle_dir, toy_ct2_dir, toy_model_dir  # noqa: F401
from toy_training import run_script  # noqa: F401
