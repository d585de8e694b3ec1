// `tunebook infer`: answers a file, and writes each answer to a log as soon as it is finished.

import type { Command } from "commander";
import { checkEntry, hasUnreadParts } from "../eval/filters/check_messages.ts";
import { checkText } from "../eval/mod.ts";
import { JsonLines } from "../json_lines.ts";
import type { Quantization } from "../model/mod.ts";
import { withResponse } from "../eval/responses.ts";
import { writeFileBeside } from "../write_beside.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import { deviceOption, modelOption, readCount, readWhole } from "./arguments.ts";
import { configOption } from "./config_file.ts";
import { type FilterOptions, filterOptions, readFilters } from "./filter_options.ts";
import { formatOption, noteOnGuess, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { progress } from "./progress.ts";
import { addFieldOptions, type DataOptions, limitOption, readData } from "./read_data.ts";
import {
  assertDiffering,
  noteGeneration,
  readSampling,
  samplesOption,
  type SamplingOptions,
  samplingOptions,
} from "./sampling_options.ts";

interface Options extends DataOptions, FilterOptions, SamplingOptions {
  model: string;
  data: string;
  limit?: number;
  log: string;
  overwrite: boolean;
  format?: string;
  adapter?: string;
  quantize?: Quantization;
  samples: number;
  seed: number;
  batchSize: number;
  device?: "auto" | "cpu" | "webgpu";
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("infer")
    .summary("answer a file, with a JSON line per answer as it is finished")
    .description(
      "Answers every entry of a file and adds each answer to a JSONL log as soon as it is finished: the entry with its " +
        "index and model_response, tokens, why it ended, the model and the settings. A run that was interrupted " +
        "continues: entries that the log has are not answered again. A log of another model, of other settings or " +
        "of other entries is refused. Filters may mask or refuse questions and answers; the log has what they found.",
    )
    .addOption(modelOption())
    .requiredOption("--data <file|url>", "instructions or conversations to answer")
    .addOption(limitOption())
    .option("--log <file>", "the log", "log/answers.jsonl")
    .option("--overwrite", "replace the log instead of continuing it", false)
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(formatOption());
  for (const option of [...samplingOptions(), samplesOption()]) command.addOption(option);
  command
    .option("--seed <n>", "the seed of the draws; each entry has its own stream", readWhole, 123)
    .option("--batch-size <n>", "the number of entries answered at a time", readCount, 64)
    .addOption(deviceOption())
    .addOption(configOption())
    .addHelpText(
      "after",
      "\nExample:\n  tunebook infer --model models/nano-sft --data models/nano-sft/test.json",
    )
    .action(infer);
  for (const option of filterOptions()) command.addOption(option);
  addFieldOptions(command);
}

async function infer(options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const { seed, batchSize, samples, log: path } = options;
  const drawing = readSampling(options);
  assertDiffering(samples, drawing);
  const filters = await readFilters(options);
  const checked = (await readData(options.data, { ...options, signal }))
    .map((entry) => checkEntry(entry, filters));
  const entries = checked.map(({ entry }) => entry);
  const unread = filters.length === 0 ? 0 : entries.filter(hasUnreadParts).length;
  if (unread > 0) {
    console.error(
      `Note: ${unread} entries have tools, calls of tools or thinking, which no filter reads`,
    );
  }
  const model = await loadForCommand(options.model, { ...options, signal });
  noteGeneration(model, drawing);
  const format = await readFormatOption(options.format);
  noteOnGuess(model, format, entries);
  if (format !== undefined) model.format = format;
  const settings = {
    ...{ ...drawing, seed, format: model.format.name },
    ...(samples > 1 && { samples }),
    ...(filters.length > 0 && {
      filters: filters.map(({ filter, action }) => `${action}|${filter.signature}`),
    }),
  };
  const lineOf = (index: number, sample: number) => ({
    index,
    ...(samples > 1 && { sample }),
    model: options.model,
    settings,
  });
  if (options.overwrite) await writeFileBeside(path, "");
  const answered = await answeredBefore(path, (index, sample) => {
    const entry = entries[index];
    return entry && sample < samples && { ...lineOf(index, sample), ...withResponse(entry, "") };
  });
  // Answers after the first of them stay in a log that has more.
  const limit = Math.min(options.limit ?? Infinity, entries.length);
  const before = [...answered].reduce((sum, [at, drawn]) => sum + (at < limit ? drawn.size : 0), 0);
  const isDone = (at: number) => at >= limit || (answered.get(at)?.size ?? 0) >= samples;
  const skip = new Set(entries.keys().filter(isDone));
  await using log = await JsonLines.open(path);
  const bar = progress("Answering", limit * samples);
  const sampling = { ...drawing, seed, batchSize, samples, signal };
  let done = before;
  const write = async (index: number, sample: number, answer: Answered) => {
    if (answered.get(index)?.has(sample)) return;
    const { refusal, ...checkedAnswer } = checkText(answer.text, "answer", filters);
    const found = [
      ...checked[index].found.map((finding) => ({ of: "prompt", ...finding })),
      ...checkedAnswer.findings.map((finding) => ({ of: "answer", ...finding })),
    ];
    const refused = answer.refusal ?? refusal;
    const { model, settings, ...place } = lineOf(index, sample);
    await log.write({
      ...place,
      ...withResponse(entries[index], refused === undefined ? checkedAnswer.text : ""),
      tokens: answer.tokens,
      finish: refused === undefined ? answer.finish : "refused",
      ...(refused !== undefined && { refusal: refused }),
      ...(found.length > 0 && { filtered: found }),
      model,
      settings,
    });
    bar.update(++done);
  };
  for (const [index, { refusal }] of checked.entries()) {
    if (refusal === undefined || skip.has(index)) continue;
    for (let sample = 0; sample < samples; sample++) {
      await write(index, sample, { text: "", tokens: 0, refusal });
    }
    skip.add(index);
  }
  for await (
    const { index, sample, answer, tokens, finish } of model.answerEach(entries, {
      ...sampling,
      skip,
    })
  ) {
    await write(index, sample, { text: answer, tokens, finish });
  }
  bar.finish(`wrote ${path}`);
  model.device.close();
}

/** What is written of an answer, or of a question that is not answered. */
interface Answered {
  text: string;
  tokens: number;
  finish?: string;
  refusal?: string;
}

/** The samples of entries that a log has, by the entries' indexes; half a line, which a kill may leave, is taken for none. */
async function answeredBefore(
  path: string,
  expected: (index: number, sample: number) => object | false | undefined,
): Promise<Map<number, Set<number>>> {
  const answered = new Map<number, Set<number>>();
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  for (const [i, line] of text.split("\n").entries()) {
    const found = parseLine(line);
    if (found === undefined) continue;
    const { tokens: _, finish: __, refusal: ___, filtered: ____, ...rest } = found;
    const comparable = { ...rest, model_response: "" };
    const [index, sample] = [Number(found.index), Number(found.sample ?? 0)];
    const wanted = expected(index, sample);
    if (!wanted || !isSame(comparable, wanted)) {
      throw new TypeError(
        `Cannot continue "${path}": line ${
          i + 1
        } is the answer of another model, or to another entry, or with other ` +
          "settings; give another --log, or --overwrite",
      );
    }
    answered.set(index, (answered.get(index) ?? new Set()).add(sample));
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
