// Splits a kernel process's standard output: marked lines come from the prelude, the rest is text
// written by native code.

import { RECORD } from "./prelude.ts";

/** More unfinished lines than a kernel has writing threads cannot come from the prelude. */
const MAX_NESTED = 64;

/** Reads chunks that may be cut anywhere. */
export class PipeReader {
  #onMessage: (message: unknown) => void;
  #onText: (text: string) => void;
  /**
   * The chunks of unfinished marked lines, joined only once because a line may have many megabytes.
   * A worker's line, which is short and written in one piece, may appear in the middle of the main
   * thread's.
   */
  #lines: string[][] = [];

  /** @param onMessage Receives the prelude's messages. @param onText Receives all other text. */
  constructor(onMessage: (message: unknown) => void, onText: (text: string) => void) {
    this.#onMessage = onMessage;
    this.#onText = onText;
  }

  /** Adds a chunk. */
  push(piece: string): void {
    let rest = piece;
    while (rest !== "") {
      const line = this.#lines.at(-1);
      const start = rest.indexOf(RECORD);
      const end = line === undefined ? -1 : (start < 0 ? rest : rest.slice(0, start)).indexOf("\n");
      if (start >= 0 && (end < 0 || start < end)) {
        this.#put(line, rest.slice(0, start));
        this.#lines.push([]);
        if (this.#lines.length > MAX_NESTED) this.#onText(this.#lines.shift()!.join(""));
        rest = rest.slice(start + RECORD.length);
        continue;
      }
      if (line === undefined || end < 0) {
        this.#put(line, rest);
        return;
      }
      line.push(rest.slice(0, end));
      rest = rest.slice(end + 1);
      this.#lines.pop();
      this.#finish(line.join(""));
    }
  }

  #put(line: string[] | undefined, text: string) {
    if (line !== undefined) line.push(text);
    else if (text !== "") this.#onText(text);
  }

  #finish(line: string) {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      // Native code has written into the middle of the line.
      this.#onText(line + "\n");
      return;
    }
    this.#onMessage(message);
  }
}
