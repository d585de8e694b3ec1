// `tunebook infer`: answers a file, and writes each answer to a log as soon as it is finished.

import type { Command } from "commander";
import { loadDataset } from "../dataset/mod.ts";
import { JsonLines } from "../json_lines.ts";
import type { Quantization } from "../model/mod.ts";
import { withResponse } from "../pipeline/evaluation.ts";
import { writeFileBeside } from "../write_beside.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import {
  deviceOption,
  modelOption,
  readCount,
  readRate,
  readShare,
  readWhole,
} from "./arguments.ts";
import { formatOption, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { progress } from "./progress.ts";

interface Options {
  model: string;
  data: string;
  log: string;
  overwrite: boolean;
  format?: string;
  adapter?: string;
  quantize?: Quantization;
  maxNewTokens: number;
  temperature: number;
  topK?: number;
  topP?: number;
  seed: number;
  batchSize: number;
  device?: "auto" | "cpu" | "webgpu";
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("infer")
    .summary("answer a file, with a JSON line per answer as it is finished")
    .description(
      "Answers every entry of a file and adds each answer to a JSONL log as soon as it is finished: the entry with its " +
        "index and model_response, tokens, why it ended, the model and the settings. A run that was interrupted " +
        "continues: entries that the log has are not answered again. A log of another model, of other settings or " +
        "of other entries is refused.",
    )
    .addOption(modelOption())
    .requiredOption("--data <file|url>", "instructions or conversations to answer")
    .option("--log <file>", "the log", "log/answers.jsonl")
    .option("--overwrite", "replace the log instead of continuing it", false)
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(formatOption())
    .option("--max-new-tokens <n>", "the most tokens of an answer", readCount, 256)
    .option(
      "--temperature <t>",
      "0 takes the most likely token; 1 draws from the model's probabilities",
      readRate,
      0,
    )
    .option("--top-k <k>", "draw only from the k most likely tokens", readCount)
    .option(
      "--top-p <p>",
      "draw only from the most likely tokens with total probability p",
      readShare,
    )
    .option("--seed <n>", "the seed of the draws; each entry has its own stream", readWhole, 123)
    .option("--batch-size <n>", "the number of entries answered at a time", readCount, 64)
    .addOption(deviceOption())
    .addHelpText(
      "after",
      "\nExample:\n  tunebook infer --model models/nano-sft --data models/nano-sft/test.json",
    )
    .action(infer);
}

async function infer(options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const { maxNewTokens, temperature, topK, topP, seed, batchSize, log: path } = options;
  const entries = await loadDataset(options.data, { signal });
  const model = await loadForCommand(options.model, { ...options, signal });
  const format = await readFormatOption(options.format);
  if (format !== undefined) model.format = format;
  const settings = { maxNewTokens, temperature, topK, topP, seed, format: model.format.name };
  const lineOf = (index: number) => ({ index, model: options.model, settings });
  if (options.overwrite) await writeFileBeside(path, "");
  const skip = await answeredBefore(path, (index) => {
    const entry = entries[index];
    return entry && { ...lineOf(index), ...withResponse(entry, "") };
  });
  await using log = await JsonLines.open(path);
  const bar = progress("Answering", entries.length);
  const sampling = { maxNewTokens, temperature, topK, topP, seed, batchSize, signal };
  let done = skip.size;
  const answers = model.answerEach(entries, { ...sampling, skip });
  for await (const { index, answer, tokens, finish } of answers) {
    const { model, settings } = lineOf(index);
    await log.write({
      index,
      ...withResponse(entries[index], answer),
      tokens,
      finish,
      model,
      settings,
    });
    bar.update(++done);
  }
  bar.finish(`wrote ${path}`);
  model.device.close();
}

/** The indexes of entries that a log has; half a line, which a kill may leave, is taken for none. */
async function answeredBefore(
  path: string,
  expected: (index: number) => object | undefined,
): Promise<Set<number>> {
  const answered = new Set<number>();
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  for (const [i, line] of text.split("\n").entries()) {
    const found = parseLine(line);
    if (found === undefined) continue;
    const { tokens: _, finish: __, ...rest } = found;
    const comparable = { ...rest, model_response: "" };
    const wanted = expected(Number(found.index));
    if (wanted === undefined || !isSame(comparable, wanted)) {
      throw new TypeError(
        `Cannot continue "${path}": line ${
          i + 1
        } is the answer of another model, or to another entry, or with other ` +
          "settings; give another --log, or --overwrite",
      );
    }
    answered.add(Number(found.index));
  }
  return answered;
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Whether two values are written alike, whatever the order of their keys. */
function isSame(a: object, b: object): boolean {
  const sorted = (value: object) =>
    JSON.stringify(
      value,
      (_, part) =>
        part !== null && typeof part === "object" && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
          : part,
    );
  return sorted(a) === sorted(b);
}
