// `tunebook chat`: a conversation in the terminal, by the model's chat template.

import { TextLineStream } from "@std/streams/text-line-stream";
import type { Command } from "commander";
import type { Quantization } from "../model/mod.ts";
import type { AnswerOptions, Model } from "../pipeline/mod.ts";
import { type ChatMessage, ChatTemplate } from "../text/mod.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import { deviceOption, modelOption, readWhole } from "./arguments.ts";
import { configOption } from "./config_file.ts";
import { formatOption, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { printable } from "./printable.ts";
import {
  noteGeneration,
  readSampling,
  type SamplingOptions,
  samplingOptions,
} from "./sampling_options.ts";

interface Options extends SamplingOptions {
  model: string;
  system?: string;
  adapter?: string;
  quantize?: Quantization;
  format?: string;
  seed: number;
  device?: "auto" | "cpu" | "webgpu";
}

const HELP = "/new begins a new conversation, /exit or Ctrl-D ends; Ctrl-C stops an answer";

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("chat")
    .summary("talk with a model")
    .description(
      "Answers messages line by line, with the model's chat template and the conversation so far. Messages that no " +
        "longer fit the model's context are left out, oldest first, with a note. Messages may also come from a pipe, " +
        "one per line. " + HELP,
    )
    .addOption(modelOption())
    .option("--system <text>", "a system message before the conversation")
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(formatOption());
  for (const option of samplingOptions()) command.addOption(option);
  command
    .option("--seed <n>", "the seed of the draws", readWhole, 123)
    .addOption(deviceOption())
    .addOption(configOption())
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook chat --model smollm2-135m-instruct\n" +
        "  tunebook chat --model models/nano-sft --format chatml --temperature 0.7 --min-p 0.05",
    )
    .action(chat);
}

async function chat(options: Options): Promise<void> {
  const sampling = readSampling(options);
  const format = await readFormatOption(options.format);
  const model = await loadForCommand(options.model, options);
  noteGeneration(model, sampling);
  const named = format ?? (model.format instanceof ChatTemplate ? undefined : "chat");
  if (named !== undefined) model.format = named;
  const terminal = Deno.stdin.isTerminal();
  if (terminal) console.error(`${model.format.name}; ${HELP}`);
  const lines: AsyncIterable<string> = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const encoder = new TextEncoder();
  // A file gets the model's answers unchanged.
  const shown = Deno.stdout.isTerminal() ? printable : (text: string) => text;
  await converse(model, lines, {
    ...sampling,
    seed: options.seed,
    system: options.system,
    write: async (text) => void await Deno.stdout.write(encoder.encode(shown(text))),
    note: (text) => console.error(text),
    ask: () => void (terminal && Deno.stderr.writeSync(encoder.encode("> "))),
  });
  model.device.close();
}

/** How a conversation is held. */
interface Conversing extends AnswerOptions {
  /** A system message before it. */
  readonly system?: string;
  /** Shows more of an answer. */
  readonly write: (text: string) => void | Promise<void>;
  /** Shows a message about the conversation. */
  readonly note: (text: string) => void;
  /** Called before each line is read. */
  readonly ask?: () => void;
}

/**
 * Answers messages in turn, with the conversation so far.
 *
 * @param model The model.
 * @param lines The messages, and commands that begin with "/".
 * @param options How to answer, and where to write.
 */
export async function converse(
  model: Model,
  lines: AsyncIterable<string> | Iterable<string>,
  { system, write, note, ask, seed = 123, ...options }: Conversing,
): Promise<void> {
  const beginning: ChatMessage[] = system === undefined
    ? []
    : [{ role: "system", content: system }];
  let messages = beginning;
  let turn = 0;
  ask?.();
  for await (const line of lines) {
    const message = line.trim();
    if (message === "/exit") return;
    if (message === "/new") {
      messages = beginning;
      note("A new conversation");
    } else if (/^\/\w+$/.test(message)) {
      note(`There is no command "${message}": ${HELP}`);
    } else if (message !== "") {
      const asked = [...messages, { role: "user", content: message }];
      const kept = fitting(model, asked, beginning.length, options.maxNewTokens);
      const left = asked.length - kept.length;
      if (left > 0) {
        note(`Note: the first ${left} messages no longer fit the context, and are left out`);
      }
      const answer = await answerTurn(model, kept, { ...options, seed: seed + turn++ }, write);
      messages = [...kept, { role: "assistant", content: answer }];
    }
    ask?.();
  }
}

/** Writes an answer while it is generated. Ctrl-C ends it where it is. */
async function answerTurn(
  model: Model,
  messages: readonly ChatMessage[],
  options: AnswerOptions,
  write: Conversing["write"],
): Promise<string> {
  using interrupt = onInterrupt(() => {});
  const { signal } = interrupt;
  let answer = "";
  try {
    for await (const piece of model.stream({ messages }, { ...options, signal })) {
      answer += piece;
      await write(piece);
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
  await write("\n");
  return answer.trim();
}

/** The messages that leave room for an answer: the oldest exchanges are left out, the system message is not. */
function fitting(
  model: Model,
  messages: readonly ChatMessage[],
  pinned: number,
  maxNewTokens = 256,
): ChatMessage[] {
  const { contextLength } = model.network;
  const room = contextLength - Math.min(maxNewTokens, Math.floor(contextLength / 4));
  const kept = [...messages];
  while (kept.length > pinned + 2 && model.encodePrompt({ messages: kept }).length > room) {
    kept.splice(pinned, 2);
  }
  return kept;
}
