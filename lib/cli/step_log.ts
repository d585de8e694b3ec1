// The log of a training: one JSON line per step, except for seconds independent of interruptions.

import { dirname } from "@std/path/dirname";
import type { Step } from "../train/mod.ts";
import { sayFull, writeAll, writeFileBeside } from "../write_beside.ts";

/** `steps.jsonl`. */
export class StepLog {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Opens a log, or continues one.
   *
   * @param path The file; its folder is created if it does not exist.
   * @param steps Steps already done; lines of later steps, written after the checkpoint, are dropped.
   * @returns The log.
   */
  static async open(path: string, steps: number): Promise<StepLog> {
    await Deno.mkdir(dirname(path), { recursive: true });
    const text = await Deno.readTextFile(path).catch(() => "");
    const kept = text.split("\n").slice(0, -1).filter((line) => stepOf(line) <= steps);
    const bytes = new TextEncoder().encode(kept.map((line) => `${line}\n`).join(""));
    await writeFileBeside(path, bytes);
    return new StepLog(path);
  }

  /** All steps in the log, including those before an interruption. */
  async read(): Promise<Omit<Step, "sample" | "totalSteps">[]> {
    const lines = (await Deno.readTextFile(this.#path)).split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Adds a step's line. */
  async write(step: Step): Promise<void> {
    const { sample: _, epoch, totalSteps: __, ...rest } = step;
    const line = new TextEncoder().encode(`${JSON.stringify({ ...rest, epoch })}\n`);
    using file = await Deno.open(this.#path, { append: true });
    const { size } = await file.stat();
    try {
      await writeAll(file, line);
    } catch (error) {
      await Deno.truncate(this.#path, size).catch(() => {}); // no half a line
      throw sayFull(error, this.#path);
    }
  }
}

/** The step number of a line; infinite if a kill left half a line. */
function stepOf(line: string): number {
  try {
    const step = JSON.parse(line)?.step;
    return typeof step === "number" ? step : Infinity;
  } catch {
    return Infinity;
  }
}
