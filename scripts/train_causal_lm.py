"""Train one stage of a small language model: from scratch on text, onward from a model, or adapters on top of one.

A model that writes, from a text with a sample a line:
    uv run -s scripts/train_bpe_tokenizer.py --text book.txt --output-dir tokenizers/book8k
    uv run -s scripts/train_causal_lm.py --student-config student_configs/mini_qwen_tiny.json \\
        --tokenizer-dir tokenizers/book8k --text book.txt --tokens-per-batch 4096 --max-steps 1000 \\
        --learning-rate 2e-3 --output-dir outputs/book

Adapters (LoRA) on it, merged into its weights at the end:
    uv run -s scripts/train_causal_lm.py --student-model outputs/book --lora-rank 8 --text letters.txt \\
        --max-steps 200 --learning-rate 1e-3 --output-dir outputs/letters

A model that translates: the English side is the prompt, the Chinese side is learnt:
    uv run -s scripts/train_causal_lm.py --config recipes/mini_qwen/translate.yaml --text corpus.tsv.gz

Ctrl-C, or SIGTERM, keeps a checkpoint; the same command goes on from the last one, also after a kill or a power cut.
"""

import contextlib
import json
import logging
import sys
from functools import partial
from pathlib import Path

from marian_distill.errors import run_command
from marian_distill.locks import folder_lock
from marian_distill.processor import describe_processor
from marian_distill.signals import stop_request
from marian_distill.training.checkpoints import how_to_go_on
from marian_distill.training.log import TrainingLog
from marian_distill.training.memory import keep_freed_memory, limit_kernel_caches


def main() -> None:
    with TrainingLog() as log:
        if not {"-h", "--help", "--help-all"} & set(sys.argv):
            logging.info("%s; loading PyTorch and Transformers", describe_processor())
        limit_kernel_caches()
        keep_freed_memory()
        from marian_distill.training.language.arguments import CausalModelArguments, TextArguments
        from marian_distill.training.parsing import parse_arguments  # takes seconds: after the first line

        arguments = parse_arguments(description=__doc__, model=CausalModelArguments, data=TextArguments)
        from marian_distill.training.language.train import train
        from marian_distill.training.sharding import leave_process_group

        output_dir = Path(str(arguments[2].output_dir))
        stop_request.how_to_go_on = partial(how_to_go_on, output_dir)
        with folder_lock(output_dir) if arguments[2].process_index == 0 else contextlib.nullcontext():
            metrics = train(arguments, output_dir, log)
        leave_process_group()
    if measures := {key: value for key, value in metrics.items() if key.startswith("eval_")}:
        print(json.dumps(measures, indent=2))


if __name__ == "__main__":
    run_command(main)
