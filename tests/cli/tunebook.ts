// The tunebook command as a process of its own, on a model and data so small that it is done in a moment.

import { fromFileUrl, join } from "@std/path";
import type { InstructionEntry } from "../../lib/dataset/mod.ts";
import { Gpt2, saveNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";

const CLI = fromFileUrl(import.meta.resolve("../../lib/cli.ts"));

/** What a command left. */
export interface Finished {
  /** Its exit code. */
  code: number;
  /** What it wrote to standard output. */
  stdout: string;
  /** What it wrote to standard error. */
  stderr: string;
}

/** Tests run side by side with others: two threads are enough, and equal on each machine. */
const ENVIRONMENT = {
  NO_COLOR: "1",
  TUNEBOOK_DEVICE: "cpu",
  TUNEBOOK_THREADS: "2",
  OLLAMA_HOST: "127.0.0.1:9", // nobody listens there
};

/** Starts the command; what it writes is piped. */
export function start(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", CLI, ...args],
    env: { ...ENVIRONMENT, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command to its end. */
export async function tunebook(
  args: string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  const { code, stdout, stderr } = await start(args, env).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Entries that a model can learn. */
export function entries(count: number): InstructionEntry[] {
  const words = ["cat", "dog", "bird", "fish", "horse", "mouse", "cow"];
  return Array.from({ length: count }, (_, i) => ({
    instruction: i % 2 === 0 ? "Repeat the word." : `Count to ${1 + i % 4}.`,
    input: i % 2 === 0 ? words[i % words.length] : "",
    output: i % 2 === 0
      ? words[i % words.length]
      : Array.from({ length: 1 + i % 4 }, (_, n) => n + 1).join(" "),
  }));
}

/** A folder with a tiny GPT-2 that reads GPT-2's tokens, and data. */
export class Workshop implements AsyncDisposable {
  private constructor(
    /** The folder. */
    readonly path: string,
  ) {}

  /** Makes the folder with the model `model` and 24 entries in `data.json`. */
  static async open(): Promise<Workshop> {
    const workshop = new Workshop(await Deno.makeTempDir({ prefix: "tunebook_cli_" }));
    const device = new CpuDevice({ threads: 1, blas: false });
    const config = { vocabularySize: 50257, contextLength: 128, width: 16, layers: 2, heads: 2 };
    await saveNetwork(Gpt2.create(device, config, { seed: 1 }), workshop.file("model"));
    device.close();
    await workshop.write("data.json", entries(24));
    return workshop;
  }

  /** A path in the folder. */
  file(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** Writes a value as JSON; returns the path. */
  async write(name: string, value: unknown): Promise<string> {
    await Deno.writeTextFile(this.file(name), JSON.stringify(value));
    return this.file(name);
  }

  /** The arguments of a training of this model on this data. */
  training(...more: string[]): string[] {
    return ["train", "--model", this.file("model"), "--data", this.file("data.json"), ...more];
  }

  /** The lines of a training's log. */
  async steps(...parts: string[]): Promise<Record<string, number>[]> {
    const text = await Deno.readTextFile(this.file(...parts));
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
