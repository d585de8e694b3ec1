// `tunebook generate`: continues a prompt, or answers a file of instructions.

import type { Command } from "commander";
import type { DatasetEntry } from "../dataset/mod.ts";
import { writeResponses } from "../eval/mod.ts";
import { type GenerateOptions, generateTokens, type Quantization } from "../model/mod.ts";
import { withResponse } from "../eval/responses.ts";
import { withGenerationDefaults } from "../pipeline/generation_defaults.ts";
import type { AnswerOptions, Model, Question } from "../pipeline/mod.ts";
import { TokenDecoder } from "../text/mod.ts";
import { countWithoutToken } from "../text/tokenizer.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import { deviceOption, modelOption, readCount, readWhole } from "./arguments.ts";
import { configOption } from "./config_file.ts";
import { formatOption, noteOnGuess, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { printable } from "./printable.ts";
import { progress } from "./progress.ts";
import { addFieldOptions, type DataOptions, limitOption, readData } from "./read_data.ts";
import { StopStrings } from "../text/stop_strings.ts";
import {
  assertDiffering,
  noteGeneration,
  readSampling,
  samplesOption,
  type SamplingOptions,
  samplingOptions,
} from "./sampling_options.ts";

interface Options extends DataOptions, SamplingOptions {
  model: string;
  prompt?: string;
  instruction?: string;
  input: string;
  chat?: string;
  system?: string;
  format?: string;
  adapter?: string;
  quantize?: Quantization;
  data?: string;
  limit?: number;
  out?: string;
  samples: number;
  seed: number;
  batchSize: number;
  device?: "auto" | "cpu" | "webgpu";
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("generate")
    .summary("continue a prompt, or answer a file of instructions")
    .description(
      "Continues a prompt unchanged, answers one instruction or one chat message, or answers " +
        'every entry of a file and writes the entries, each with a "model_response". Greedy unless a temperature is given.',
    )
    .addOption(modelOption())
    .option("--prompt <text>", "text to continue")
    .option("--instruction <text>", "an instruction to answer, in the --format")
    .option("--input <text>", "the instruction's input", "")
    .option("--chat <message>", "a message to answer, by the model's chat template")
    .option("--system <text>", "a system message before it")
    .option("--data <file|url>", "instructions or conversations to answer; needs --out")
    .addOption(limitOption())
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(formatOption())
    .option("--out <file>", "the file for the answers");
  for (const option of [...samplingOptions(), samplesOption()]) command.addOption(option);
  command
    .option("--seed <n>", "the seed of the draws", readWhole, 123)
    .option("--batch-size <n>", "the number of prompts computed at a time", readCount, 64)
    .addOption(deviceOption())
    .addOption(configOption())
    .addHelpText(
      "after",
      '\nExample:\n  tunebook generate --model models/nano-sft --instruction "Name a fruit."',
    )
    .action(run);
  addFieldOptions(command);
}

async function run(options: Options): Promise<void> {
  const { prompt, instruction, input, chat, system, data, out } = options;
  if ([prompt, instruction, chat, data].filter((given) => given !== undefined).length !== 1) {
    throw new TypeError("Cannot generate: give one of --prompt, --instruction, --chat and --data");
  }
  if (system !== undefined && chat === undefined) {
    throw new TypeError("Cannot generate: --system needs --chat");
  }
  if ((data === undefined) !== (out === undefined)) {
    throw new TypeError("Cannot answer a file: --data and --out go together");
  }
  if (options.limit !== undefined && data === undefined) {
    throw new TypeError("Cannot generate: --limit needs --data");
  }
  const { samples } = options;
  if (samples > 1 && data !== undefined) {
    throw new TypeError("Cannot answer a file several times: tunebook infer takes --samples");
  }
  const drawing = readSampling(options);
  assertDiffering(samples, drawing);
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const model = await loadForCommand(options.model, { ...options, signal });
  noteGeneration(model, drawing);
  const { seed, batchSize } = options;
  const sampling = { ...drawing, seed, batchSize, signal };
  if (prompt !== undefined) {
    for (let sample = 0; sample < samples; sample++) {
      if (samples > 1) console.error(`Sample ${sample + 1}:`);
      await print(continueText(model, prompt, { ...sampling, seed: seed + sample }));
    }
    return;
  }
  const format = await readFormatOption(options.format);
  if (chat !== undefined) {
    const messages = [{ role: "user", content: chat }];
    if (system !== undefined) messages.unshift({ role: "system", content: system });
    const question = { messages };
    noteOnGuess(model, format ?? "chat", [question]);
    return await answer(model, question, samples, { ...sampling, format: format ?? "chat" });
  }
  if (data !== undefined) {
    const entries = (await readData(data, { ...options, signal })).slice(0, options.limit);
    noteOnGuess(model, format, entries);
    return await answerFile(model, entries, { data, out: out! }, { ...sampling, format });
  }
  const question = { instruction: instruction!, input };
  await answer(model, question, samples, { ...sampling, format });
}

/** Prints the answer to a question while it is generated, or several samples one after the other. */
async function answer(
  model: Model,
  question: Question,
  samples: number,
  options: AnswerOptions,
): Promise<void> {
  if (samples === 1) return await print(model.stream(question, options));
  const answers: string[] = [];
  for await (const { sample, answer } of model.answerEach([question], { ...options, samples })) {
    answers[sample] = answer;
  }
  for (const [sample, text] of answers.entries()) {
    console.error(`Sample ${sample + 1}:`);
    await print([text]);
  }
}

/** Says that a model gave ids without a token, which are in the text as such. */
function warnOfIds(count: number): void {
  if (count === 0) return;
  console.error(
    `warning: ${count} generated ${
      count === 1 ? "id has" : "ids have"
    } no token, shown as ⟨id⟩: the model has more rows than its tokenizer has tokens`,
  );
}

/** Continues a text unchanged. */
async function* continueText(
  { network, tokenizer, generation }: Model,
  text: string,
  { stop = [], ...options }: GenerateOptions & { readonly stop?: readonly string[] },
): AsyncGenerator<string, void, void> {
  const prompt = [...tokenizer.beginIds, ...tokenizer.encode(text)];
  const eosId = tokenizer.endIds;
  const sampling = withGenerationDefaults(options, generation, eosId);
  const generated = generateTokens(network, [prompt], { ...sampling, eosId });
  const decoder = new TokenDecoder(tokenizer);
  const strings = new StopStrings(stop);
  for await (const { token } of generated) {
    if (token !== undefined) yield strings.push(decoder.push(token));
    if (strings.stopped) return;
  }
  yield strings.push(decoder.end()) + strings.end();
}

/** Prints text as it arrives. */
async function print(pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const encoder = new TextEncoder();
  // A file gets the model's answers unchanged.
  const shown = Deno.stdout.isTerminal() ? printable : (text: string) => text;
  let count = 0;
  for await (const piece of pieces) {
    count += countWithoutToken(piece);
    await Deno.stdout.write(encoder.encode(shown(piece)));
  }
  await Deno.stdout.write(encoder.encode("\n"));
  warnOfIds(count);
}

async function answerFile(
  model: Model,
  entries: readonly DatasetEntry[],
  { data, out }: { data: string; out: string },
  options: AnswerOptions & { signal: AbortSignal },
): Promise<void> {
  const bar = progress("Answering", entries.length);
  const onProgress = (done: number) => bar.update(done);
  const failures = new Map<number, string>();
  const onFailure = (i: number, { message }: Error) => void failures.set(i, message);
  const answers = await model.answer(entries, { ...options, onProgress, onFailure });
  await writeResponses(
    out,
    entries.map((entry, i) => {
      const error = failures.get(i);
      const response = withResponse(entry, answers[i]);
      return error === undefined ? response : { ...response, error };
    }),
  );
  bar.finish(`wrote ${out}`);
  warnOfIds(answers.reduce((sum, answer) => sum + countWithoutToken(answer), 0));
  for (const [i, message] of failures) {
    console.error(`warning: entry ${i + 1} of ${entries.length} has no answer: ${message}`);
  }
  if (failures.size === entries.length) {
    throw new TypeError(
      `Cannot answer "${data}": none of its ${entries.length} entries has an answer`,
    );
  }
}
