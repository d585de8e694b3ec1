/**
 * The model card of Hugging Face's layout: what is on record of a model, as YAML for programs and Markdown for people. Facts
 * that are not on record are "not recorded".
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { stringify } from "@std/yaml/stringify";
import config from "../../../deno.json" with { type: "json" };
import type { DataFile } from "../../dataset/origin.ts";
import type { EvaluationFacts, RecordedScore, TaughtRecord, TrainingFacts } from "../record.ts";
import type { Program } from "../program.ts";
import type { ModelLineage } from "./lineage.ts";
import { code, table } from "./markdown.ts";

/** What a card is about. */
export interface CardFacts {
  /** The folder's name. */
  readonly name: string;
  /** What the folder holds: whole weights, an adapter beside its base, or an ONNX graph. */
  readonly holds: "weights" | "adapter" | "onnx";
  /** The network's architecture, as GGUF files name it. */
  readonly architecture: string;
  /** The number of weights of the whole network. */
  readonly parameters: number;
  /** Whether a chat template is among the files. */
  readonly hasTemplate: boolean;
  /** Its record. */
  readonly record: TaughtRecord;
  /** Where it comes from. */
  readonly lineage: ModelLineage;
}

const MISSING = "not recorded";

/**
 * Writes a model card.
 *
 * @param facts What is on record.
 * @returns The text: YAML front matter, then Markdown.
 */
export function modelCard(facts: CardFacts): string {
  const front = toYaml(metadataOf(facts));
  const lines = [
    `# ${code(nameOf(facts))}`,
    "",
    introduction(facts),
    "",
    ...baseSection(facts),
    ...trainingSection(facts),
    ...evaluationSection(facts),
    ...promptSection(facts),
    ...useSection(facts),
    ...licenseSection(facts),
    ...makerSection(facts),
  ];
  return `---\n${front}---\n\n${lines.join("\n")}\n`;
}

/** Text on one line, without control characters. */
const plain = (text: string) => text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();

const nameOf = ({ name }: CardFacts) => plain(name) || "model";

/** Front matter that readers of YAML 1.1 and 1.2 understand alike. */
function toYaml(metadata: Record<string, unknown>): string {
  const values = JSON.parse(
    JSON.stringify(metadata),
    (_, value) => typeof value === "string" ? plain(value) : value,
  );
  const text = stringify(values, { lineWidth: -1, useAnchors: false });
  // YAML 1.1 gives "=" a type of its own, which PyYAML refuses; the library does not quote it.
  return text.replace(/(?<=: |- )=$/gm, '"="');
}

const isTrained = ({ record }: CardFacts) => record.trainings.length > 0;

/** The front matter, by the hub's names of its keys. */
function metadataOf(facts: CardFacts): Record<string, unknown> {
  const { holds, record, lineage: { base, isOnHub, isFromFolder, license, languages } } = facts;
  // An adapter is loaded beside the weights that it was trained with, which only a folder has.
  const isNamed = isOnHub && !(holds === "adapter" && isFromFolder);
  const datasets = new Set(
    record.trainings.flatMap(({ files = [] }) => files.flatMap(({ name }) => datasetOf(name))),
  );
  const results = resultsOf(facts);
  const relation = holds === "adapter" ? "adapter" : "finetune";
  return {
    ...(isNamed && { base_model: base }),
    ...(isNamed && isTrained(facts) && { base_model_relation: relation }),
    ...(license !== undefined && { license }),
    ...(languages !== undefined && { language: [...languages] }),
    ...(holds !== "onnx" && { library_name: holds === "adapter" ? "peft" : "transformers" }),
    pipeline_tag: "text-generation",
    tags: [
      "tunebook",
      ...new Set(record.trainings.map(({ settings }) => settings.method === "dpo" ? "dpo" : "sft")),
      ...(record.trainings.at(-1)?.adapter ? ["lora"] : []),
      ...(holds === "onnx" ? ["onnx"] : []),
    ],
    ...(datasets.size > 0 && { datasets: [...datasets] }),
    ...(results.length > 0 && { "model-index": [{ name: nameOf(facts), results }] }),
  };
}

/** The data set of the hub that a file belongs to, if it does. */
function datasetOf(name: string): string[] {
  const [, dataset] =
    /^hf:(?:datasets\/)?([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:[/@:]|$)/.exec(name) ?? [];
  return dataset === undefined ? [] : [dataset];
}

/** Kinds of metrics, as the hub names them; others have their own names. */
const METRIC_TYPES: Readonly<Record<string, string>> = {
  rouge1: "rouge",
  rouge2: "rouge",
  rougeL: "rouge",
  rougeLsum: "rouge",
  exactMatch: "exact_match",
};

/** Scores for the hub's `model-index`. */
function resultsOf({ record: { evaluations = [] } }: CardFacts): Record<string, unknown>[] {
  return evaluations.flatMap((evaluation) => {
    const { metrics, loss, examples, data, files = [] } = evaluation;
    const scores = Object.entries(metrics).map(([name, score]) => ({
      type: METRIC_TYPES[name] ?? name.split(":")[0],
      name,
      value: rounded(score.corpus),
      ...argumentsOf(score),
    }));
    const losses = loss === undefined
      ? []
      : [{ type: "loss", name: "loss of the references, in nats per token", value: rounded(loss) }];
    if (scores.length + losses.length === 0) return [];
    const [dataset] = files.flatMap(({ name }) => datasetOf(name));
    const title = files.length > 0
      ? files.map(({ name }) => name).join(", ")
      : `${examples} entries`;
    return {
      task: { type: "text-generation" },
      dataset: { name: title, type: dataset ?? "custom", args: { examples, sha256: data } },
      metrics: [...scores, ...losses],
    };
  });
}

function argumentsOf({ interval, signature }: RecordedScore): { args?: Record<string, unknown> } {
  if (interval === undefined && signature === undefined) return {};
  return {
    args: {
      ...(interval && { confidence: 0.95, interval: interval.map(rounded) }),
      ...(signature !== undefined && { signature }),
    },
  };
}

/** Six digits after the point, and no exponent, which YAML 1.1 does not always read as a number. */
const rounded = (value: number) => Number(value.toFixed(6));

function introduction(facts: CardFacts): string {
  const { architecture, parameters, holds, lineage: { base }, record } = facts;
  const size = `${(parameters / 1e6).toFixed(1)} million weights`;
  const network = `a language model (${code(architecture)}, ${size})`;
  const { adapter } = record.trainings.at(-1) ?? {};
  if (holds === "adapter") {
    const rank = adapter ? ` of rank ${adapter.rank}` : "";
    return `A LoRA adapter${rank} for ${code(base)}, ${network}.`;
  }
  const form = holds === "onnx" ? ", as an ONNX graph" : "";
  if (!isTrained(facts)) return `${code(base)}, ${network}${form}, written by Tunebook.`;
  const how = adapter ? "with LoRA, merged into the weights, " : "";
  return `${code(base)}, ${network}, fine-tuned ${how}by Tunebook${form}.`;
}

function baseSection({ record, lineage: { base, isOnHub, isFromFolder } }: CardFacts): string[] {
  const link = isOnHub ? `[${code(base)}](https://huggingface.co/${base})` : code(base);
  return [
    "## Base model",
    "",
    ...table(["", ""], [
      ["Name", link],
      ...(isFromFolder && record.base !== base
        ? [["Through the folder", code(basename(record.base))]]
        : []),
      ["Revision", record.revision === undefined ? MISSING : code(record.revision)],
      ["Commit", record.commit === undefined ? MISSING : code(record.commit)],
    ]),
  ];
}

function trainingSection({ record: { trainings } }: CardFacts): string[] {
  if (trainings.length === 0) return ["## Training", "", "None on record.", ""];
  return trainings.flatMap((training, i) => [
    trainings.length === 1 ? "## Training" : `## Training ${i + 1}`,
    "",
    ...table(["", ""], trainingRows(training)),
  ]);
}

function trainingRows(training: TrainingFacts): [string, string][] {
  const { examples, data, files, steps, totalSteps, loss, evaluation, adapter, settings } =
    training;
  const { mask, maxLength, seed, device } = training;
  const others = Object.entries(settings).filter(([, value]) => value !== undefined);
  return [
    ["Data", describeFiles(files, examples)],
    ["Examples", String(examples)],
    ["SHA-256 of the examples' tokens", code(data)],
    ["Steps", `${steps} of ${totalSteps}`],
    [
      `Loss of the last step, ${settings.method === "dpo" ? "per pair" : "in nats per token"}`,
      describeNumber(loss),
    ],
    ["Last training loss", describeNumber(evaluation?.trainLoss)],
    ["Last validation loss", describeNumber(evaluation?.validationLoss)],
    ["Mask", code(mask)],
    ["Longest example, in tokens", String(maxLength)],
    ["Seed", String(seed)],
    ["Adapter", adapter ? code(JSON.stringify(adapter)) : "none: the weights were trained"],
    ["Device", code(device)],
    ...others.map(([name, value]) => [code(name), code(describeValue(value))] as [string, string]),
  ];
}

function describeFiles(files: readonly DataFile[] | undefined, examples: number): string {
  if (files === undefined) return MISSING;
  const known = files.reduce((sum, { entries }) => sum + entries, 0);
  const rest = examples - known;
  return [
    ...files.map(({ name, sha256, entries }) =>
      `${code(name)} (${entries} entries, SHA-256 ${code(sha256)})`
    ),
    ...(rest > 0 ? [`${rest} others: ${MISSING}`] : []),
  ].join(", ");
}

const describeNumber = (value: number | undefined) =>
  value === undefined ? MISSING : String(rounded(value));

function describeValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
}

function evaluationSection({ record: { evaluations = [] } }: CardFacts): string[] {
  if (evaluations.length === 0) return ["## Evaluation", "", `Scores: ${MISSING}.`, ""];
  return ["## Evaluation", "", ...evaluations.flatMap(describeEvaluation)];
}

function describeEvaluation(
  { examples, data, files, loss, metrics, settings }: EvaluationFacts,
): string[] {
  return [
    `On ${examples} entries: ${describeFiles(files, examples)}; SHA-256 of the entries ${
      code(data)
    }. ` +
    `Settings: ${code(JSON.stringify(settings))}.`,
    "",
    ...table(["Metric", "Score", "Interval of 95 %", "Signature"], [
      ["loss of the references, in nats per token", describeNumber(loss), MISSING, "–"],
      ...Object.entries(metrics).map(([name, { corpus, interval, signature }]) => [
        code(name),
        describeNumber(corpus),
        interval ? interval.map(rounded).join(" to ") : MISSING,
        signature === undefined ? MISSING : code(signature),
      ]),
    ]),
  ];
}

function promptSection({ record: { format }, hasTemplate }: CardFacts): string[] {
  const taught = format === undefined ? MISSING : code(format.name);
  const file = hasTemplate ? " `chat_template.jinja` and the tokenizer write it." : "";
  return ["## Prompt format", "", `Format of the training: ${taught}.${file}`, ""];
}

function useSection(facts: CardFacts): string[] {
  const python = { weights: transformersCode, adapter: peftCode, onnx: onnxCode }[facts.holds](
    facts,
  );
  const answer = facts.hasTemplate
    ? [
      'messages = [{"role": "user", "content": "Name a colour."}]',
      "inputs = tokenizer.apply_chat_template(",
      '    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"',
      ")",
    ]
    : ['inputs = tokenizer("Once upon a time", return_tensors="pt")'];
  return [
    "## Use",
    "",
    `${code(nameOf(facts))} stands for the path of this folder.`,
    "",
    "```python",
    ...python,
    ...answer,
    "output = model.generate(**inputs, max_new_tokens=64, do_sample=False)",
    'print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))',
    "```",
    "",
    ...(facts.holds === "onnx" ? [] : [
      "```ts",
      'import { loadModel } from "tunebook";',
      "",
      `const model = await loadModel(${JSON.stringify(nameOf(facts))});`,
      'console.log(await model.answer("Name a colour."));',
      "```",
      "",
    ]),
  ];
}

function transformersCode(facts: CardFacts): string[] {
  return [
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    ...loading("AutoModelForCausalLM", facts),
  ];
}

function onnxCode(facts: CardFacts): string[] {
  return [
    "from optimum.onnxruntime import ORTModelForCausalLM",
    "from transformers import AutoTokenizer",
    "",
    ...loading("ORTModelForCausalLM", facts),
  ];
}

function loading(className: string, facts: CardFacts): string[] {
  const name = JSON.stringify(nameOf(facts));
  return [
    `tokenizer = AutoTokenizer.from_pretrained(${name})`,
    `model = ${className}.from_pretrained(${name})`,
  ];
}

function peftCode(facts: CardFacts): string[] {
  const { record, lineage: { isOnHub, isFromFolder } } = facts;
  const base = isFromFolder ? `${nameOf(facts)}/${record.base}` : record.base;
  const where = isFromFolder || isOnHub ? [] : ["# the base, as a folder in Hugging Face's layout"];
  return [
    "from peft import PeftModel",
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    ...where,
    `base = AutoModelForCausalLM.from_pretrained(${JSON.stringify(base)})`,
    `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(nameOf(facts))})`,
    `model = PeftModel.from_pretrained(base, ${JSON.stringify(nameOf(facts))})`,
  ];
}

function licenseSection({ lineage: { base, license } }: CardFacts): string[] {
  const text = license === undefined
    ? `The licence of ${code(base)}: ${MISSING}. Read the terms of ${
      code(base)
    } before you publish this model.`
    : `${code(license)}, the licence of ${code(base)}.`;
  return ["## Licence", "", text, ""];
}

/** A program's name without folders, and without what a command was given, which may have some. */
function publicName({ kind, name }: Program): string {
  return kind === "command" ? name.split(" ", 2).join(" ") : basename(name.replaceAll("\\", "/"));
}

function makerSection({ record: { program, sha256 } }: CardFacts): string[] {
  return [
    "## How it was made",
    "",
    ...table(["", ""], [
      ["Program", program === undefined ? MISSING : `${program.kind} ${code(publicName(program))}`],
      ["Tunebook", code(config.version)],
      ["Deno", code(Deno.version.deno)],
      ["SHA-256 of the weights", sha256 === undefined ? MISSING : code(sha256)],
    ]),
  ];
}
