# The chain of the compact recipes. `DIRECTION` is set by the Snakefile that includes this.
#   teacher → wide (new vocabulary, the teacher's width) → student (narrow, word and sequence level) → student-ft → int8
# and beside it what it is measured against: the same narrow student from random weights, on references alone, as long.
include: "../common.smk"

configfile: "recipes/compact/config.yaml"
include: "../stages.smk"

SIZE = one_of("size", "laptop", "gpu")
STAGES = f"recipes/compact/{SIZE}"
# Nothing is shared with another direction or size, so that they may run side by side.
NAME = f"compact_{DIRECTION.replace('-', '_')}-{SIZE}"
OUT = f"outputs/{NAME}"
DATA = f"data/generated/{NAME}"
TOKENIZER = f"tokenizers/{NAME}"  # and the number of pieces
DOMAINS = ("money", "coffee", "travel")
PIECES = {"laptop": 6000, "gpu": 32000}[SIZE]
TEACHER_PIECES = {"laptop": 8000, "gpu": 32000}[SIZE]
TEACHER = config["teacher"] or f"{OUT}/teacher"
TEACHER_WORD = quoted(TEACHER)
OWN_TEACHER = [] if config["teacher"] else [f"{OUT}/teacher/run.json"]
DIRECTIONS = ["en-zh", "zh-en"] if DIRECTION == "both" else [DIRECTION]
TESTS = by_name(config["tests"])
# Training data is read once for all test files, at the first of them that is scored.
CHECK_WITH = quoted("--check-with", *TESTS.values())
WEIGHTS = [f"{name}={weight}" for name, weight in config["source_weights"].items()]
SOURCE_WEIGHT = quoted("--source-weight", *WEIGHTS) if WEIGHTS else ""
# Shares below 1 thin the rows that the teacher translates; copies above 1 are made of its translations.
FORWARD_WEIGHT = quoted(*(f"forward:{name}={weight}" for name, weight in config["source_weights"].items() if weight > 1))
CORPUS = quoted(config["corpus"])
TEXT = f"--dataset {CORPUS} {SOURCE_WEIGHT}"
CORPUS_FILE = [config["corpus"]] if Path(config["corpus"]).exists() else []  # else a hub name
DEV = quoted(config["dev"])
TRAIN = f"OMP_NUM_THREADS={{threads}} uv run distill_zh_en.py --eval-dataset {DEV} --direction {DIRECTION}"
FORWARD = [f"{OUT}/forward-{direction}" for direction in DIRECTIONS]  # of this recipe's teacher
LANE = workflow.cores if SIZE == "gpu" else max(1, workflow.cores // 2)
# A step that learns from the wide model too takes as long as this many on references alone.
STEP_COST = {"laptop": 1.6, "gpu": 1.9}[SIZE]
STEPS = {"laptop": 5000, "gpu": 100000}[SIZE]
LABELS = ["--alpha-ce", "1.0", "--max-steps", round(STEPS * STEP_COST), "--dataset", config["corpus"]]
# What the chain is held against: a stage with other options, and what it starts from. `published` is the narrow student
# from random weights on references alone, for as long; `shrunk` the same from the wide model; `wide-random` the wide one.
VARIANTS = {
    "published": ("2_student", [*LABELS, "--init-from-teacher", "false", "--init-from-teacher-shrink", "false"], None),
    "shrunk": ("2_student", [*LABELS, "--teacher-model", f"{OUT}/wide"], "wide"),
    "wide-random": (
        "1_wide",
        ["--dataset", config["corpus"], "--init-from-teacher", "false", "--init-from-teacher-pieces", "false"],
        None,
    ),
}
EXTRA = f"--extra-train-csv {DATA}/coffee.csv {DATA}/travel.csv"
PIECES_OPTION = f"--tokenizer-dir {TOKENIZER}_{PIECES}"
# Each stage and the one that it must not fall behind; `published` stands alone.
GATES = {"wide": "teacher", "student": "wide", "student-ft": "student"}
MODELS = ["teacher", "wide", "student", "student-ft", "published", "published-ft"]

# Evaluation loss against training time, runs that differ in how they start.
CURVES = {"wide": ["wide", "wide-random"], "student": ["student", "shrunk", "published"]}
# What a recipe's `rule all` asks for. `OUT/initialisation.md` and `OUT/gates/student-money-only.json` are there to ask.
TARGETS = [f"{OUT}/results.md", *(f"{OUT}/gates/{stage}.json" for stage in GATES)]


wildcard_constraints:
    model="|".join([*MODELS, *VARIANTS, "shrunk-ft", "student-money-only"]),
    test=r"(?!slices\.json)[^/]+",
    variant="|".join(VARIANTS),
    start="student|shrunk|published",
    direction="en-zh|zh-en",


rule domain_data:
    output:
        f"{DATA}/{{domain}}.csv",
    shell:
        "uv run -s scripts/make_extra_{wildcards.domain}_data.py --output-csv {output:q} --num-examples 8000 --repeat 1"


rule tokenizer:
    input:
        CORPUS_FILE,
        expand(f"{DATA}/{{domain}}.csv", domain=DOMAINS),
    output:
        f"{TOKENIZER}_{{pieces}}/vocab.json",
    shell:
        f"uv run -s scripts/build_joint_tokenizer.py --output-dir {TOKENIZER}_{{wildcards.pieces}} {TEXT} "
        f"--extra-csv {' '.join(f'{DATA}/{domain}.csv' for domain in DOMAINS)} --vocab-size {{wildcards.pieces}}"


rule teacher:
    input:
        f"{TOKENIZER}_{TEACHER_PIECES}/vocab.json",
        stage=f"{STAGES}/0_teacher.yaml",
    output:
        f"{OUT}/teacher/run.json",
    threads: workflow.cores
    shell:
        f"{TRAIN} --config {{input.stage:q}} {TEXT} --tokenizer-dir {TOKENIZER}_{TEACHER_PIECES} --output-dir {OUT}/teacher"


rule wide:
    input:
        OWN_TEACHER,
        f"{TOKENIZER}_{PIECES}/vocab.json",
        expand(f"{DATA}/{{domain}}.csv", domain=("coffee", "travel")),
        stage=f"{STAGES}/1_wide.yaml",
    output:
        f"{OUT}/wide/run.json",
    threads: LANE
    shell:
        f"{TRAIN} --config {{input.stage:q}} {TEXT} --teacher-model {TEACHER_WORD} "
        f"{PIECES_OPTION} {EXTRA} --output-dir {OUT}/wide"


rule forward:
    input:
        OWN_TEACHER,
        f"{OUT}/teacher-ct2-int8/model.bin",
    output:
        directory(f"{OUT}/forward-{{direction}}"),
    threads: LANE
    shell:
        f"uv run -s scripts/forward_translate.py --teacher-ct2-dir {OUT}/teacher-ct2-int8 --direction {{wildcards.direction}} "
        f"{TEXT} --max-samples {quoted(config['forward_samples'])} --beam-size 4 --threads {{threads}} --output-dir {{output:q}}"


rule student:
    input:
        f"{OUT}/wide/run.json",
        FORWARD,
        stage=f"{STAGES}/2_student.yaml",
    output:
        f"{OUT}/student/run.json",
    threads: LANE
    shell:
        f"{TRAIN} --config {{input.stage:q}} --dataset {CORPUS} {' '.join(FORWARD)} {SOURCE_WEIGHT} {FORWARD_WEIGHT} "
        f"--extra-train-repeat {1 + len(FORWARD)} "  # the share that they have in the wide model's text, which comes once
        f"{PIECES_OPTION} {EXTRA} --teacher-model {OUT}/wide --output-dir {OUT}/student"


rule variant:
    input:
        lambda wildcards: f"{OUT}/{VARIANTS[wildcards.variant][2]}/run.json" if VARIANTS[wildcards.variant][2] else [],
        f"{TOKENIZER}_{PIECES}/vocab.json",
        expand(f"{DATA}/{{domain}}.csv", domain=("coffee", "travel")),
        stage=lambda wildcards: f"{STAGES}/{VARIANTS[wildcards.variant][0]}.yaml",
    output:
        f"{OUT}/{{variant}}/run.json",
    params:
        options=lambda wildcards: VARIANTS[wildcards.variant][1],
    threads: LANE
    shell:
        f"{TRAIN} --config {{input.stage:q}} {SOURCE_WEIGHT} {PIECES_OPTION} {EXTRA} "
        f"{{params.options:q}} --output-dir {OUT}/{{wildcards.variant}}"


rule finetune:
    input:
        f"{OUT}/{{start}}/run.json",
        expand(f"{DATA}/{{domain}}.csv", domain=DOMAINS),
        stage=f"{STAGES}/3_finetune.yaml",
    output:
        f"{OUT}/{{start}}-ft/run.json",
    threads: LANE
    shell:
        f"{TRAIN} --config {{input.stage:q}} {TEXT} --student-model {OUT}/{{wildcards.start}} "
        f"--extra-train-csv {DATA}/money.csv {DATA}/coffee.csv {DATA}/travel.csv --output-dir {OUT}/{{wildcards.start}}-ft"


# The published stage 6, which forgets: `uv run snakemake … OUT/gates/student-money-only.json` must fail.
rule money_only:
    input:
        f"{OUT}/student/run.json",
        f"{DATA}/money.csv",
        stage=f"{STAGES}/3_finetune.yaml",
    output:
        f"{OUT}/student-money-only/run.json",
    threads: LANE
    shell:
        f"{TRAIN} --config {{input.stage:q}} {TEXT} --student-model {OUT}/student --max-train-samples 20000 "
        f"--extra-train-csv {DATA}/money.csv --extra-train-repeat 10 --output-dir {OUT}/student-money-only"


rule int8:
    input:
        lambda wildcards: OWN_TEACHER if wildcards.model == "teacher" else f"{OUT}/{wildcards.model}/run.json",
    output:
        f"{OUT}/{{model}}-ct2-int8/model.bin",
    params:
        folder=lambda wildcards: TEACHER if wildcards.model == "teacher" else f"{OUT}/{wildcards.model}",
    shell:
        f"OMP_NUM_THREADS={{threads}} uv run -s scripts/export_ct2.py {{params.folder:q}} "
        f"--output-dir {OUT}/{{wildcards.model}}-ct2-int8 --quantization int8 --overwrite"


rule evaluate:
    input:
        f"{OUT}/{{model}}-ct2-int8/model.bin",
        test=lambda wildcards: TESTS[wildcards.test],
    output:
        f"{OUT}/scores/{{model}}.{{direction}}-int8.{{test}}.json",
    shell:
        f"OMP_NUM_THREADS={{threads}} uv run -s scripts/evaluate_model.py --model-dir {OUT}/{{wildcards.model}}-ct2-int8 "
        f"--test-file {{input.test:q}} {CHECK_WITH} --direction {{wildcards.direction}} --beam-size 1 --json {{output:q}}"


rule slices:
    input:
        f"{OUT}/{{model}}-ct2-int8/model.bin",
    output:
        f"{OUT}/scores/{{model}}.{{direction}}-int8.slices.json",
    shell:
        f"OMP_NUM_THREADS={{threads}} uv run -s scripts/evaluate_slices.py --model-dir {OUT}/{{wildcards.model}}-ct2-int8 "
        f"--direction {{wildcards.direction}} --beam-size 1 --json {{output:q}}"


def scores(model):
    return expand(
        f"{OUT}/scores/{model}.{{direction}}-int8.{{test}}.json", direction=DIRECTIONS, test=[*TESTS, "slices"]
    )


rule gate:
    input:
        lambda wildcards: scores(GATES.get(wildcards.model, "student")),
        lambda wildcards: scores(wildcards.model),
    output:
        f"{OUT}/gates/{{model}}.json",
    params:
        before=lambda wildcards: GATES.get(wildcards.model, "student"),
        allow=["--allow-regression", *config["allow_regression"]] if config["allow_regression"] else [],
    shell:
        f"uv run -s scripts/check_regression.py {OUT}/scores --before {{params.before:q}} --after {{wildcards.model}} "
        f"--max-drop {quoted(config['max_drop'])} --max-slice-drop {quoted(config['max_slice_drop'])} {{params.allow:q}} --json {{output:q}}"


rule curves:
    input:
        lambda wildcards: expand(f"{OUT}/{{run}}/run.json", run=CURVES[wildcards.stage]),
    output:
        f"{OUT}/curves-{{stage}}.png",
    params:
        runs=lambda wildcards: [f"{OUT}/{run}" for run in CURVES[wildcards.stage]],
    shell:
        "uv run -s scripts/plot_run.py {params.runs:q} --measures eval_loss --output {output:q}"


rule initialisation:
    input:
        expand(f"{OUT}/curves-{{stage}}.png", stage=CURVES),
        *[scores(model) for model in ["shrunk-ft", *(model for runs in CURVES.values() for model in runs)]],
    output:
        f"{OUT}/initialisation.md",
    shell:
        f"uv run -s scripts/results_table.py {OUT}/scores --output {{output:q}}"


rule results:
    input:
        *[scores(model) for model in MODELS],
    output:
        f"{OUT}/results.md",
    shell:
        f"uv run -s scripts/results_table.py {OUT}/scores --output {{output:q}}"


onsuccess:
    show(f"{OUT}/results.md")
