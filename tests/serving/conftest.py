from toy_model import toy_ct2_dir, toy_model_dir  # noqa: F401
from toy_server import address, client  # noqa: F401
