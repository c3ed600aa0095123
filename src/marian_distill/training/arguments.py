"""Every option of a training stage as a dataclass field; `parsing` fills them from YAML and command line."""

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import Seq2SeqTrainingArguments
from transformers.integrations.integration_utils import (
    INTEGRATION_TO_CALLBACK,
    get_available_reporting_integrations,
)

from marian_distill.errors import UserError
from marian_distill.text.corpus import MAX_WEIGHT
from marian_distill.training.checkpoints import STATE, damage
from marian_distill.training.options import check_at_least, check_finite, flag, nearest, option
from marian_distill.training.sharding import check_deepspeed, check_deepspeed_is_here
from marian_distill.training.teaching import TeachingArguments, check_teaching


def _many(help: str) -> dict[str, str]:
    # "extend": an option given several times adds up, as in --extra-train-csv A --extra-train-csv B.
    return {"help": help, "action": "extend"}


POSITIONS = 512  # of the students' position tables
TRACKERS_EXTRA = ("tensorboard", "trackio")  # of pyproject.toml; Hugging Face's trainer knows more of them:
TRACKER_PACKAGES = {"azure_ml": "azureml-core", "comet_ml": "comet-ml", "flyte": "flytekit"}  # else as the tracker


@dataclass
class ModelArguments:
    """Student, teacher, tokenizer."""

    student_config: str | None = option("Config of a new student: a JSON file, see student_configs/.")
    student_model: str | None = option("Go on from this model: a folder or a hub name.")
    teacher_model: str | None = option("Teacher: a folder or a hub name such as Helsinki-NLP/opus-mt-en-zh.")
    teacher_dtype: Literal["auto", "float32", "bfloat16", "float16"] = option(
        "Type of the teacher's weights; auto: with --precision auto the faster one, else the student's.", "auto"
    )
    tokenizer_dir: str | None = option(
        "Folder with source.spm, target.spm, vocab.json; default: the student's model's."
    )
    init_from_teacher: bool = option("Start a new student from the teacher's tensors where they fit.", False)
    init_from_teacher_encoder_layer_map: str | None = option("Teacher layer of each encoder layer, such as 0,2,5.")
    init_from_teacher_decoder_layer_map: str | None = option("Teacher layer of each decoder layer, such as 0,5.")
    init_from_teacher_shrink: bool = option(
        "Let a narrower student (Marian) take some of the teacher's dimensions.", False
    )
    init_from_teacher_pieces: bool = option(
        "With another vocabulary, start each piece (Marian) as the mean of the teacher's rows for its text.", False
    )

    def __post_init__(self) -> None:
        """Check what can be checked without reading a file."""
        if (self.student_config is None) == (self.student_model is None):
            raise UserError("give either --student-config (a new student) or --student-model (go on from a model)")
        if self.init_from_teacher and self.teacher_model is None:
            raise UserError("--init-from-teacher needs --teacher-model")
        if self.init_from_teacher and self.student_model is not None:
            raise UserError("--init-from-teacher starts a new student: give --student-config, not --student-model")
        for detail in ("encoder_layer_map", "decoder_layer_map", "shrink", "pieces"):
            if getattr(self, f"init_from_teacher_{detail}") and not self.init_from_teacher:
                raise UserError(f"--init-from-teacher-{detail.replace('_', '-')} needs --init-from-teacher")


@dataclass
class DataArguments:
    """Parallel text for training and evaluation."""

    direction: Literal["en-zh", "zh-en", "both"] = option("What the student translates.", "en-zh")
    dataset: list[str] = field(
        default_factory=list,
        metadata=_many("Training data: hub names, Parquet folders, .csv, .tsv(.gz|.xz), .jsonl; default: opus-100."),
    )
    dataset_config: str | None = option("Config of the hub dataset.", "en-zh")
    eval_dataset: str | None = option("Evaluation data: a file; default: the hub dataset's validation split.")
    extra_train_csv: list[str] = field(
        default_factory=list, metadata=_many("More training pairs; may be given many times.")
    )
    extra_train_repeat: list[float] = field(
        default_factory=list,
        metadata=_many("Copies of each row of the extra files: one number for all, or one for each; default: 1."),
    )
    source_weight: list[str] = field(
        default_factory=list, metadata=_many("Expected copies of a row by its source label, such as cc_cedict=0.2.")
    )
    max_train_samples: int | None = option("At most this many rows of --dataset (a seeded sample).")
    max_eval_samples: int | None = option("At most this many evaluation rows (the first ones).", 2000)
    max_source_length: int = option("Longer examples are left out and counted.", 128)
    max_target_length: int = option("Longer examples are left out and counted.", 128)
    tag_share: float | None = option(
        "Share of sources with the target's language tag, drawn anew in each epoch; default: 0.5 for en-zh, 0 for "
        "zh-en, 1 for both."
    )
    final_stop_share: float = option(
        "Share of pairs that drop or gain their final full stop, anew in each epoch.", 0.1
    )
    source_noise: float = option(
        "Share of sources made untidy, anew in each epoch: typos, another case, no final mark, the other script's "
        "punctuation.",
        0.0,
    )
    subword_sampling: float = option(
        "Share of pairs cut into other pieces than the likeliest, drawn anew in each epoch (subword regularisation, "
        "Kudo 2018); the text stays.",
        0.0,
    )
    subword_alpha: float = option(
        "How far --subword-sampling keeps to likely pieces: near 0 every way to cut is as likely, 1 as the "
        "tokenizer's model has it. Of a BPE tokenizer the share of merges left out.",
        0.2,
    )
    clean: bool = option("Drop empty, untranslated, lopsided, overlong, duplicate rows; each is counted.", True)
    preprocess_num_proc: int | None = option("Processes for cleaning and tokenising.")

    def __post_init__(self) -> None:
        """Check counts and shares."""
        self.dataset = self.dataset or ["Helsinki-NLP/opus-100"]
        self.extra_train_repeat = self.extra_train_repeat or [1.0]
        if len(self.extra_train_repeat) not in (1, len(self.extra_train_csv)):
            raise UserError(
                f"--extra-train-repeat has {len(self.extra_train_repeat)} numbers for {len(self.extra_train_csv)} "
                "--extra-train-csv files: give one for all, or one for each"
            )
        check_at_least(self, 1, "max_train_samples", "max_eval_samples", "max_source_length", "max_target_length")
        check_at_least(self, 1, "preprocess_num_proc")
        check_finite(self)
        for name in ("max_source_length", "max_target_length"):
            if getattr(self, name) > POSITIONS:
                raise UserError(f"{flag(name)} {getattr(self, name)}: a model has {POSITIONS} positions")
        for repeat in self.extra_train_repeat:
            if not 0.0 <= repeat <= MAX_WEIGHT:
                raise UserError(f"--extra-train-repeat {repeat:g}: expected a number from 0 to {MAX_WEIGHT}")
        for name in ("tag_share", "final_stop_share", "source_noise", "subword_sampling"):
            if not 0.0 <= (getattr(self, name) or 0.0) <= 1.0:
                raise UserError(f"{flag(name)} {getattr(self, name)}: expected a share from 0 to 1")
        if not 0.0 < self.subword_alpha <= 1.0:
            raise UserError(f"--subword-alpha {self.subword_alpha}: expected a number above 0, at most 1")

    def extra_sources(self) -> list[tuple[str, float]]:
        """Each extra file with its number of copies."""
        repeats = self.extra_train_repeat * (len(self.extra_train_csv) if len(self.extra_train_repeat) == 1 else 1)
        return list(zip(self.extra_train_csv, repeats, strict=True))


@dataclass
class DistillTrainingArguments(TeachingArguments, Seq2SeqTrainingArguments):
    """Hugging Face's training options, and what distillation adds."""

    alpha_ce: float = option("Share of the labels in the loss; the rest is the teacher's.", 1.0)
    temperature: float = option("Softens student and teacher in the teacher's share of the loss.", 2.0)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = option(
        "Type that training computes in; auto: the fastest on this machine, by timing some of the stage's own steps.",
        "auto",
    )
    bf16: bool | None = option("The same as --precision bf16; `false` rules it out.", None)
    fp16: bool | None = option("The same as --precision fp16; `false` rules it out.", None)
    attention: Literal["auto", "eager", "sdpa"] = option(
        "Two plain matrix products, or torch's fused kernel; auto: the faster one here, by trial.", "auto"
    )
    tokens_per_batch: int = option(
        "Padded tokens a batch, source + target, per device; 0: use --per-device-train-batch-size.", 0
    )
    num_beams: int = option("Beams of the translations made at evaluation.", 1)
    sample_translations: int = option("Evaluation sentences that the log shows the translations of; 0: none.", 3)
    early_stopping_patience: int = option("Stop after this many evaluations without a better one; 0: never.", 0)
    push_to_hub: bool = option(
        "Upload the finished run to the hub: model, tokenizer, card, options and metrics, in one commit.", False
    )
    expected_minutes: float | None = option(
        "Minutes that this stage is meant to take; a warning tells when the machine needs thrice as many."
    )
    overwrite_output_dir: bool = option("Start anew in a folder that holds another run.", False)
    report_to: list[str] = field(  # transformers takes but one name on the command line
        default_factory=lambda: ["none"], metadata={"help": "Where the log goes as well, such as tensorboard trackio."}
    )

    def __post_init__(self) -> None:
        """Check the numbers; hand `num_beams` to generation; keep the columns that the batches need."""
        check_finite(self)
        check_at_least(self, 0, "tokens_per_batch", "early_stopping_patience", "learning_rate", "weight_decay")
        check_at_least(self, 0, "sample_translations")
        check_at_least(self, 0, "max_grad_norm", "warmup_steps", "num_train_epochs", "adam_epsilon", "eval_delay")
        check_at_least(self, 0, "logging_steps", "eval_steps", "save_steps", "seed", "expected_minutes")
        if not (0.0 <= self.adam_beta1 < 1.0 and 0.0 <= self.adam_beta2 < 1.0):
            raise UserError(
                f"--adam-beta1 {self.adam_beta1} --adam-beta2 {self.adam_beta2}: expected shares in [0, 1)"
            )
        check_teaching(self)
        _check_trackers(self.report_to)
        check_at_least(self, 1, "per_device_train_batch_size", "per_device_eval_batch_size", "num_beams")
        check_at_least(self, 1, "gradient_accumulation_steps")
        if not 0.0 <= self.label_smoothing_factor < 1.0:
            raise UserError(f"--label-smoothing-factor {self.label_smoothing_factor}: expected a share in [0, 1)")
        if not 0.0 <= self.alpha_ce <= 1.0:
            raise UserError(f"--alpha-ce {self.alpha_ce}: expected a share from 0 to 1")
        if self.temperature <= 0.0:
            raise UserError(f"--temperature {self.temperature}: expected a number above 0")
        if not self.output_dir:
            raise UserError(
                "--output-dir is missing: name the folder for the trained model, such as outputs/my-student"
            )
        if self.max_steps <= 0 and self.num_train_epochs == 0:
            raise UserError("--num-train-epochs 0: nothing would be trained; give a number above 0, or --max-steps")
        if self.save_only_model:
            raise UserError("--save-only-model: a run could not go on from such a checkpoint; leave the option out")
        self.logging_nan_inf_filter = False  # it would wait for the GPU at each step, and log something else than NaN
        self.generation_num_beams = self.num_beams
        self.remove_unused_columns = False
        if self.disable_tqdm is None:
            self.disable_tqdm = not sys.stderr.isatty()  # a bar in a log file is noise
        self.use_cpu = self.use_cpu or not torch.accelerator.is_available()  # bf16 on a CPU must be asked for as such
        for name in ("bf16", "fp16"):
            if getattr(self, name):
                if self.precision not in ("auto", name):
                    raise UserError(f"--{name} and --precision {self.precision} contradict each other; give one")
                self.precision = name
        if self.precision in ("bf16", "fp16"):
            setattr(self, self.precision, True)  # Hugging Face checks that the GPU has it
        if self.precision == "fp16" and self.use_cpu:
            raise UserError("--precision fp16 needs a GPU; leave it out: auto takes what is fastest on a CPU")
        if self.resume_from_checkpoint and not Path(self.resume_from_checkpoint, STATE).is_file():
            raise UserError(
                f"--resume-from-checkpoint {self.resume_from_checkpoint}: no checkpoint there; leave it out to go on "
                "from the last checkpoint in --output-dir"
            )
        if self.resume_from_checkpoint and (problem := damage(Path(self.resume_from_checkpoint))):
            raise UserError(f"--resume-from-checkpoint {self.resume_from_checkpoint}: is {problem}; give another one")
        for name, value in _BATCHING.items():
            if getattr(self, name) != value:
                raise UserError(
                    f"{flag(name)} has no effect: batches are of like length, shuffled, none dropped; "
                    "leave the option out"
                )
        if self.deepspeed:
            raise UserError(
                "--deepspeed: start it by accelerate launch --config_file recipes/accelerate/zero3_offload.yaml"
            )
        check_deepspeed_is_here()
        if self.hub_strategy not in ("every_save", "end"):
            raise UserError(f"--hub-strategy {self.hub_strategy}: only a finished run is pushed; leave the option out")
        if self.early_stopping_patience:
            if self.eval_strategy == "no":
                raise UserError("--early-stopping-patience needs --eval-strategy steps or epoch")
            self.metric_for_best_model = self.metric_for_best_model or "loss"
        super().__post_init__()
        check_deepspeed(self)
        if self.n_gpu > 1:  # torch.nn.DataParallel would cut the teacher's states in other places than the batch
            raise UserError(
                f"one process sees {self.n_gpu} GPUs; give it one (CUDA_VISIBLE_DEVICES=0), or start a process for "
                f"each: uv run torchrun --nproc-per-node {self.n_gpu} distill_zh_en.py …"
            )


# Hugging Face's options of how batches are drawn, with the values that leave it to `LengthBatchSampler`.
_BATCHING = {"dataloader_drop_last": False, "train_sampling_strategy": "random", "sortish_sampler": False}

Arguments = tuple[ModelArguments, DataArguments, DistillTrainingArguments]


def _check_trackers(names: list[str]) -> None:
    """Refuse trackers that Hugging Face's trainer does not know, or whose packages are not here."""
    if len(names) > 1 and (alone := {"none", "all"}.intersection(names)):
        raise UserError(f"--report-to {' '.join(names)}: {min(alone)} stands alone; leave it out, or the others")
    for name in names:
        if name in {"none", "all", *get_available_reporting_integrations()}:
            continue
        if name not in INTEGRATION_TO_CALLBACK:
            known = ", ".join(sorted(INTEGRATION_TO_CALLBACK))
            near = nearest(name, set(INTEGRATION_TO_CALLBACK), "")
            raise UserError(f"--report-to {name}: no such tracker; expected none, all or one of {known}{near}")
        package = TRACKER_PACKAGES.get(name, name)
        remedy = "uv sync --extra trackers" if name in TRACKERS_EXTRA else f"uv run --with {package} …"
        raise UserError(f"--report-to {name}: its package is not installed; {remedy} brings it")


def resolved_options(arguments: Any) -> dict[str, Any]:
    """Every option with its value, for options.json: enough to repeat the run."""
    model, data, training = arguments
    return {**dataclasses.asdict(model), **dataclasses.asdict(data), **training.to_dict()}
