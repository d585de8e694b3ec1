// Takes a kernel process's standard output apart: marked lines are the prelude's, the rest is text
// that native code has written there.

import { type PreludeMessage, RECORD } from "./prelude.ts";

/** Reads what arrives in pieces cut anywhere. */
export class PipeReader {
  #onMessage: (message: PreludeMessage) => void;
  #onText: (text: string) => void;
  /**
   * The pieces of unfinished marked lines; joined once, since a line may be many megabytes. A worker's
   * line, which is short and written whole, may stand in the middle of the main thread's.
   */
  #lines: string[][] = [];

  /** @param onMessage Takes the prelude's messages. @param onText Takes all other text. */
  constructor(onMessage: (message: PreludeMessage) => void, onText: (text: string) => void) {
    this.#onMessage = onMessage;
    this.#onText = onText;
  }

  /** Takes a piece. */
  push(piece: string): void {
    let rest = piece;
    while (rest !== "") {
      const line = this.#lines.at(-1);
      const start = rest.indexOf(RECORD);
      const end = line === undefined ? -1 : rest.indexOf("\n");
      if (start >= 0 && (end < 0 || start < end)) {
        this.#put(line, rest.slice(0, start));
        this.#lines.push([]);
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
    let message: PreludeMessage;
    try {
      message = JSON.parse(line);
    } catch {
      // Native code wrote into the middle of the line.
      this.#onText(line + "\n");
      return;
    }
    this.#onMessage(message);
  }
}
