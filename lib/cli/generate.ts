// `tunebook generate`: text from a prompt, or answers to a file of instructions.

import { type Command, InvalidArgumentError } from "commander";
import { closingTokensOf } from "../dataset/encode.ts";
import { type DatasetEntry, encodePrompt, type EntryFormat, loadDataset } from "../dataset/mod.ts";
import { isChatEntry } from "../dataset/chat_entry.ts";
import { cleanResponse, type ResponseEntry, writeResponses } from "../eval/mod.ts";
import { generateTokens, type Quantization } from "../model/mod.ts";
import { encodeChatPrompt } from "../text/chat.ts";
import { TokenDecoder } from "../text/mod.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import { deviceOption, modelOption, readCount, readRate, readWhole } from "./arguments.ts";
import { chooseFormat, chooseTemplate, formatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand, type ReadyModel } from "./load.ts";
import { progress } from "./progress.ts";

interface Options {
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
      "Continues a prompt as it stands, answers one instruction or one message of a chat, or answers " +
        "every entry of a file " +
        'and writes the entries with a "model_response" each. Greedy unless a temperature is given.',
    )
    .addOption(modelOption())
    .option("--prompt <text>", "text to continue")
    .option("--instruction <text>", "an instruction to answer, in the --format")
    .option("--input <text>", "the instruction's input", "")
    .option("--chat <message>", "a message to answer, by the model's chat template")
    .option("--system <text>", "a system message before it")
    .option("--data <file|url>", "instructions or conversations to answer; needs --out")
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(formatOption())
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
  const { prompt, instruction, chat, system, data, out } = options;
  if ([prompt, instruction, chat, data].filter((given) => given !== undefined).length !== 1) {
    throw new TypeError("Cannot generate: give one of --prompt, --instruction, --chat and --data");
  }
  if (system !== undefined && chat === undefined) {
    throw new TypeError("Cannot generate: --system goes with --chat");
  }
  if ((data === undefined) !== (out === undefined)) {
    throw new TypeError("Cannot answer a file: --data and --out go together");
  }
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const ready = await loadForCommand(options.model, { ...options, signal: interrupt.signal });
  const { tokenizer } = ready;
  const settings = { ...options, eosId: tokenizer.endIds, signal: interrupt.signal };
  if (prompt !== undefined) {
    return await answer(ready, [...tokenizer.beginIds, ...tokenizer.encode(prompt)], settings);
  }
  if (chat !== undefined) {
    const template = await chooseTemplate(options.format ?? "chat", ready);
    const messages = [{ role: "user", content: chat }];
    if (system !== undefined) messages.unshift({ role: "system", content: system });
    const eosId = closingTokensOf(template, tokenizer);
    const ids = encodeChatPrompt(messages, tokenizer, template);
    return await answer(ready, ids, { ...settings, eosId });
  }
  const entries = data === undefined
    ? [{ instruction: instruction!, input: options.input, output: "" }]
    : await loadDataset(data, { signal: interrupt.signal });
  const format = await chooseFormat(options.format, ready, entries);
  const closing = { ...settings, eosId: closingTokensOf(format, tokenizer) };
  if (data !== undefined) return await answerFile(ready, entries, format, closing);
  await answer(ready, encodePrompt(entries[0], tokenizer, format), closing);
}

type Settings = Options & { eosId: readonly number[]; signal: AbortSignal };

/** Prints tokens as they come. */
async function answer(ready: ReadyModel, prompt: number[], settings: Settings): Promise<void> {
  const { model, tokenizer } = ready;
  const decoder = new TokenDecoder(tokenizer);
  const print = (piece: string) => Deno.stdout.write(new TextEncoder().encode(piece));
  for await (const { token } of generateTokens(model, [prompt], settings)) {
    if (token !== undefined) await print(decoder.push(token));
  }
  await print(`${decoder.end()}\n`);
}

async function answerFile(
  { model, tokenizer }: ReadyModel,
  entries: readonly DatasetEntry[],
  format: EntryFormat,
  settings: Settings,
): Promise<void> {
  const out = settings.out!;
  const prompts = entries.map((entry) => encodePrompt(entry, tokenizer, format));
  const bar = progress("Answering", entries.length);
  const answers: number[][] = prompts.map(() => []);
  let done = 0;
  for await (const { sequence, token, finish } of generateTokens(model, prompts, settings)) {
    if (token !== undefined) answers[sequence].push(token);
    if (finish) bar.update(++done);
  }
  await writeResponses(
    out,
    entries.map((entry, i) => withResponse(entry, cleanResponse(tokenizer.decode(answers[i])))),
  );
  bar.finish(`wrote ${out}`);
}

/** An entry with its answer; a conversation also as the question and answer that it ends with. */
function withResponse(entry: DatasetEntry, response: string): ResponseEntry {
  if (!isChatEntry(entry)) return { ...entry, model_response: response };
  const last = (role: string) => entry.messages.findLast((one) => one.role === role)?.content ?? "";
  return {
    instruction: last("user"),
    input: "",
    output: last("assistant"),
    ...entry,
    model_response: response,
  };
}
