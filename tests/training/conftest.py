from toy_model import toy_model_dir  # noqa: F401
from toy_students import dataset, examples, new_model, new_trainer, pieces  # noqa: F401
