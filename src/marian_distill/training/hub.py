"""A finished run on the hub: its model, its card and its papers, in one commit.

The Hugging Face trainer would push as it goes, its pickled arguments (token included) among the files; here a run is
pushed when it is whole: https://huggingface.co/docs/huggingface_hub/guides/upload
"""

import sys
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HFValidationError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage] (of the client it uses: no network, no answer, "no")
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
)

from marian_distill.errors import UserError
from marian_distill.training.arguments import DistillTrainingArguments

# What a run's folder may hold that is worth sharing: no checkpoints, no optimizer state, no pickles.
PUBLISHED = ["model.safetensors", "*.json", "*.spm", "README.md"]
UNREACHABLE = (HTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled, ConnectionError)


def create_repository(training: DistillTrainingArguments) -> str | None:
    """Create the run's repository unless it exists, before hours of training go by; its id where `--push-to-hub` says.

    It is `--hub-model-id`, or the output folder's name in the account that the token belongs to. The option is taken
    off: the Hugging Face trainer must not push what is half done.

    Raises:
        UserError: the hub cannot be reached, or does not let this token write there.
    """
    wanted, training.push_to_hub = training.push_to_hub, False
    if not wanted or training.process_index != 0:
        return None
    name = training.hub_model_id or Path(str(training.output_dir)).absolute().name
    try:
        repository = HfApi(token=training.hub_token).create_repo(
            name, private=training.hub_private_repo, exist_ok=True
        )
    except UNREACHABLE as error:
        raise UserError(f"--push-to-hub: cannot create {name} ({error}); check name, token and network") from error
    return repository.repo_id


def push_run(training: DistillTrainingArguments, repository: str | None) -> None:
    """Upload a finished run's folder in one commit, and tell its address; None: nobody asked for it.

    Raises:
        UserError: the hub did not take it. The folder is whole: the same command pushes it again.
    """
    if repository is None:
        return
    directory = str(training.output_dir)
    try:
        commit = HfApi(token=training.hub_token).upload_folder(
            repo_id=repository,
            folder_path=directory,
            allow_patterns=PUBLISHED,
            ignore_patterns=["*/*"],
            revision=training.hub_revision,
            commit_message=f"Trained with distill-zh-en: {Path(directory).name}",
        )
    except UNREACHABLE as error:
        raise UserError(
            f"{directory} is finished, but {repository} did not take it ({error}); the same command pushes it again"
        ) from error
    print(f"pushed: {commit.commit_url}", file=sys.stderr)
