// `tunebook generate`: text from a prompt, or answers to a file of instructions.

import { type Command, InvalidArgumentError } from "commander";
import { loadEntries } from "../dataset/mod.ts";
import { cleanResponse, writeResponses } from "../eval/mod.ts";
import { generateTokens } from "../model/mod.ts";
import { formatAlpaca, TokenDecoder } from "../text/mod.ts";
import { deviceOption, readCount, readRate, readWhole } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand, type ReadyModel } from "./load.ts";
import { progress } from "./progress.ts";

interface Options {
  model: string;
  prompt?: string;
  instruction?: string;
  input: string;
  data?: string;
  out?: string;
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
  program.command("generate")
    .summary("continue a prompt, or answer a file of instructions")
    .description(
      "Continues a prompt as it stands, answers one instruction, or answers every entry of a file " +
        'and writes the entries with a "model_response" each. Greedy unless a temperature is given.',
    )
    .requiredOption("--model <name|dir>", "nano, gpt2, gpt2-medium, hf:owner/name, or a directory")
    .option("--prompt <text>", "text to continue")
    .option("--instruction <text>", "an instruction to answer, put into the Alpaca format")
    .option("--input <text>", "the instruction's input", "")
    .option("--data <file|url>", "instructions to answer; needs --out")
    .option("--out <file>", "where the answers go")
    .option("--max-new-tokens <n>", "the most tokens of an answer", readCount, 256)
    .option(
      "--temperature <t>",
      "0 takes the likeliest token; 1 draws as the model says",
      readRate,
      0,
    )
    .option("--top-k <k>", "draw from the k likeliest tokens only", readCount)
    .option("--top-p <p>", "draw from the likeliest tokens that make up p", readShare)
    .option("--seed <n>", "decides the draws", readWhole, 123)
    .option("--batch-size <n>", "prompts answered at a time", readCount, 64)
    .addOption(deviceOption())
    .addHelpText(
      "after",
      '\nExample:\n  tunebook generate --model models/nano-sft --instruction "Name a fruit."',
    )
    .action(run);
}

function readShare(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) {
    throw new InvalidArgumentError("Expected a number above 0 and up to 1.");
  }
  return value;
}

async function run(options: Options): Promise<void> {
  const { prompt, instruction, data, out } = options;
  if ([prompt, instruction, data].filter((given) => given !== undefined).length !== 1) {
    throw new TypeError("Cannot generate: give one of --prompt, --instruction and --data");
  }
  if ((data === undefined) !== (out === undefined)) {
    throw new TypeError("Cannot answer a file: --data and --out go together");
  }
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const ready = await loadForCommand(options.model, { ...options, signal: interrupt.signal });
  const settings = { ...options, eosId: ready.tokenizer.eosId, signal: interrupt.signal };
  if (data !== undefined) return await answerFile(ready, data, out!, settings);
  const text = prompt ?? formatAlpaca({ instruction: instruction!, input: options.input });
  await continueText(ready, text, settings);
}

type Settings = Options & { eosId: number; signal: AbortSignal };

/** Prints tokens as they come. */
async function continueText(ready: ReadyModel, text: string, settings: Settings): Promise<void> {
  const { model, tokenizer } = ready;
  const decoder = new TokenDecoder(tokenizer);
  const print = (piece: string) => Deno.stdout.write(new TextEncoder().encode(piece));
  for await (const { token } of generateTokens(model, [tokenizer.encode(text)], settings)) {
    if (token !== undefined) await print(decoder.push(token));
  }
  await print(`${decoder.end()}\n`);
}

async function answerFile(
  { model, tokenizer }: ReadyModel,
  data: string,
  out: string,
  settings: Settings,
): Promise<void> {
  const entries = await loadEntries(data, { signal: settings.signal });
  const prompts = entries.map((entry) => tokenizer.encode(formatAlpaca(entry)));
  const bar = progress("Answering", entries.length);
  const answers: number[][] = prompts.map(() => []);
  let done = 0;
  for await (const { sequence, token, finish } of generateTokens(model, prompts, settings)) {
    if (token !== undefined) answers[sequence].push(token);
    if (finish) bar.update(++done);
  }
  await writeResponses(
    out,
    entries.map((entry, i) => ({
      ...entry,
      model_response: cleanResponse(tokenizer.decode(answers[i])),
    })),
  );
  bar.finish(`wrote ${out}`);
}
