"""README.md of a trained language model: what it is, from what, how good, how to use it, how to repeat it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from marian_distill.files import atomic_writer
from marian_distill.languages import TAGS, directions_of, languages_of
from marian_distill.students.kind import kind_of_folder
from marian_distill.training.runs import CARD_FILE, OPTIONS_FILE, RUN_FILE, is_hub_name, public_name

MEASURES = {"eval_loss": "loss, nats a token", "eval_perplexity": "perplexity a token", "eval_bpb": "bits per byte"}
SENTENCES = {"en": "We like tea.", "zh": "我们喜欢茶。"}


def write_card(directory: str | Path, options: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Write the card; its head is what the hub reads, names of local files are their last part alone."""
    directory = Path(directory)
    rows = [f"| {name} | {run['metrics'][key]:.4g} |" for key, name in MEASURES.items() if key in run["metrics"]]
    sources = [f"- `{Path(name).name}`: {size / 1e6:,.1f} MB" for name, size in run["data"]["sources"].items()]
    start = public_name(options["student_model"] or "random weights")
    teacher = f"\n- teacher: {public_name(options['teacher_model'])}" if options["teacher_model"] else ""
    adapters = f"; adapters of rank {options['lora_rank']}, merged" if options["lora_rank"] else ""
    translates = options["direction"] != "none"
    what = f"translates {options['direction']}" if translates else "writes text"
    name = options.get("hub_model_id") or directory.name
    usage = _translate(name, options["direction"]) if translates else kind_of_folder(directory).usage(name, "The")
    exported = f"{directory.name}-ct2-int8"
    command = f"translate_ct2.py --model-dir {exported}"
    if not translates:
        command = f'generate_text.py --model-dir {exported} --prompt "The"'
    text = f"""---
{_card_data(directory.name, options, run).to_yaml()}
---

# {directory.name}

A small language model (Qwen3) that {what}, {run["parameters"]:,} parameters, trained with distill-zh-en.

- start: {start}{adapters}{teacher}
- training steps: {run["steps"]:,}; seed {options["seed"]}; git revision {run["versions"]["git"]}
- text: {run["data"]["bytes"] / 1e6:,.1f} MB in {run["data"]["samples"]:,} samples, {run["data"]["tokens"]:,} tokens
- licence: that of the training text; say here which one this model is given under

## Evaluation

On {run["data"]["eval_samples"]:,} samples that it was not trained on. Bits per byte compare across tokenizers.

| measure | value |
|---|---|
{chr(10).join(rows)}

## Training text

{chr(10).join(sources)}

## Use

```python
{usage}
```

As CTranslate2 int8, without torch (in a clone of distill-zh-en):

```
uv run -s scripts/export_ct2.py {name} --output-dir {exported}
uv run -s scripts/{command}
```

## Repeat

Every option is in {OPTIONS_FILE}; versions, data fingerprints and metrics are in {RUN_FILE}.
"""
    with atomic_writer(directory / CARD_FILE) as stream:
        stream.write(text)


def _translate(name: str, direction: str) -> str:
    """Python for the card: load the model `name` and translate a sentence."""
    source, target = languages_of(directions_of(direction)[0])
    return f"""import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer, model = AutoTokenizer.from_pretrained("{name}"), AutoModelForCausalLM.from_pretrained("{name}")
# The start token, the source, the tag of the language that is wanted.
parts = tokenizer([tokenizer.bos_token, "{SENTENCES[source]}", "{TAGS[target]}"], add_special_tokens=False)
prompt = torch.tensor([sum(parts.input_ids, [])])
longest = model.config.max_position_embeddings
written = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_length=longest)
print(tokenizer.decode(written[0, prompt.shape[1] :], skip_special_tokens=True))"""


def _card_data(name: str, options: Mapping[str, Any], run: Mapping[str, Any]) -> ModelCardData:
    """The card's head: https://huggingface.co/docs/hub/model-cards#model-card-metadata."""
    directions = directions_of(options["direction"]) if options["direction"] != "none" else ()
    task = "translation" if directions else "text-generation"
    evaluated_on = public_name((options["eval_text"] or options["text"])[0])
    results = [
        EvalResult(
            task_type=task,
            dataset_type=evaluated_on,
            dataset_name=evaluated_on,
            metric_type=key.removeprefix("eval_"),
            metric_name=measure,
            metric_value=round(run["metrics"][key], 4),
        )
        for key, measure in MEASURES.items()
        if key in run["metrics"] and key != "eval_loss"
    ]
    bases = [options["student_model"], options["teacher_model"]]
    return ModelCardData(
        language=["en", "zh"] if directions else None,
        license="other",
        license_name="of-training-data",
        library_name="transformers",
        pipeline_tag=task,
        base_model=list(dict.fromkeys(base for base in bases if base and is_hub_name(base))) or None,
        tags=["qwen3", *directions],
        model_name=name,
        eval_results=results or None,
    )
