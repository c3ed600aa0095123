"""README.md of a trained language model: what it is, from what, how good, how to use it, how to repeat it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marian_distill.files import atomic_writer
from marian_distill.languages import TAGS, directions_of, languages_of
from marian_distill.training.runs import CARD_FILE, OPTIONS_FILE, RUN_FILE

SENTENCES = {"en": "Good morning.", "zh": "早上好。"}
MEASURES = {"eval_loss": "loss, nats a token", "eval_perplexity": "perplexity a token", "eval_bpb": "bits per byte"}


def write_card(directory: str | Path, options: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Write the card; names of local files are their last part alone."""
    directory = Path(directory)
    rows = [f"| {name} | {run['metrics'][key]:.4g} |" for key, name in MEASURES.items() if key in run["metrics"]]
    sources = [f"- `{Path(name).name}`: {size / 1e6:,.1f} MB" for name, size in run["data"]["sources"].items()]
    start = Path(options["student_model"]).name if options["student_model"] else "random weights"
    adapters = f"; adapters of rank {options['lora_rank']}, merged" if options["lora_rank"] else ""
    translates = options["direction"] != "none"
    task = "translation" if translates else "text-generation"
    what = f"translates {options['direction']}" if translates else "writes text"
    prompt, drawn, script, words = "The", "do_sample=True, ", "generate_text", '--prompt "The"'
    if translates:
        source, target = languages_of(directions_of(options["direction"])[0])
        sentence, drawn = SENTENCES[source], ""
        prompt, script, words = f"{sentence}{TAGS[target]}", "translate_ct2", f'--text "{sentence}"'
    text = f"""---
license: other
license_name: of-training-data
library_name: transformers
pipeline_tag: {task}
tags:
- qwen3
model_name: {directory.name}
---

# {directory.name}

A small language model (Qwen3) that {what}, {run["parameters"]:,} parameters, trained with distill-zh-en.

- start: {start}{adapters}
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
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{directory.name}")
model = AutoModelForCausalLM.from_pretrained("{directory.name}")
inputs = tokenizer(tokenizer.bos_token + "{prompt}", return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs, {drawn}max_new_tokens=50)[0], skip_special_tokens=True))
```

As CTranslate2 int8, without torch (in a clone of distill-zh-en):

```
uv run -s scripts/export_ct2.py {directory.name} --output-dir {directory.name}-ct2-int8
uv run -s scripts/{script}.py --model-dir {directory.name}-ct2-int8 {words}
```

## Repeat

Every option is in {OPTIONS_FILE}; versions, data fingerprints and metrics are in {RUN_FILE}.
"""
    with atomic_writer(directory / CARD_FILE) as stream:
        stream.write(text)
