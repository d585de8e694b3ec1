/**
 * Logs of one JSON value per line, which are complete after each line.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { sayFull, writeAll } from "./write_beside.ts";

/**
 * Appends lines to a file. Each is one write, in the order of the calls, so that readers of the file see whole lines
 * while it grows.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { JsonLines } from "./json_lines.ts";
 *
 * const path = await Deno.makeTempFile();
 * {
 *   await using log = await JsonLines.open(path);
 *   await Promise.all([log.write({ a: 1 }), log.write({ b: 2 })]);
 * }
 * assertEquals(await Deno.readTextFile(path), '{"a":1}\n{"b":2}\n');
 * await Deno.remove(path);
 * ```
 */
export class JsonLines implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Opens a file for more lines.
   *
   * @param path The file; it and its folder are made where they are missing.
   * @returns The log.
   */
  static async open(path: string): Promise<JsonLines> {
    await Deno.mkdir(dirname(path), { recursive: true });
    const file = await Deno.open(path, { create: true, append: true, read: true });
    const log = new JsonLines(file, path);
    await log.#endLine();
    return log;
  }

  /**
   * Adds a line.
   *
   * @param value What is written; anything that JSON holds.
   * @throws {Error} If it cannot be written; no half a line is left.
   */
  write(value: unknown): Promise<void> {
    const written = this.#last.then(() => this.#append(`${JSON.stringify(value)}\n`));
    this.#last = written.catch(() => {}); // the caller of that line hears of it
    return written;
  }

  /** Closes the file once all lines are written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    this.#file.close();
  }

  /** Ends the half line that a killed process left, so that the next line is whole. */
  async #endLine(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size === 0) return;
    await this.#file.seek(-1, Deno.SeekMode.End);
    const last = new Uint8Array(1);
    await this.#file.read(last);
    if (last[0] !== 0x0a) await this.#append("\n");
  }

  async #append(line: string): Promise<void> {
    const { size } = await this.#file.stat();
    try {
      await writeAll(this.#file, new TextEncoder().encode(line));
    } catch (error) {
      await this.#file.truncate(size).catch(() => {});
      throw sayFull(error, this.#path);
    }
  }
}
