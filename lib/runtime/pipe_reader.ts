// Takes a kernel process's standard output apart: marked lines are the prelude's, the rest is text
// that native code has written there.

import { type PreludeMessage, RECORD } from "./prelude.ts";

/** Reads what arrives in pieces cut anywhere. */
export class PipeReader {
  #onMessage: (message: PreludeMessage) => void;
  #onText: (text: string) => void;
  /** The pieces of an unfinished marked line; joined once, since a line may be many megabytes. */
  #line: string[] | undefined;

  /** @param onMessage Takes the prelude's messages. @param onText Takes all other text. */
  constructor(onMessage: (message: PreludeMessage) => void, onText: (text: string) => void) {
    this.#onMessage = onMessage;
    this.#onText = onText;
  }

  /** Takes a piece. */
  push(piece: string): void {
    let rest = piece;
    while (rest !== "") {
      if (this.#line === undefined) {
        const start = rest.indexOf(RECORD);
        const text = start < 0 ? rest : rest.slice(0, start);
        if (text !== "") this.#onText(text);
        if (start < 0) return;
        this.#line = [];
        rest = rest.slice(start + RECORD.length);
      }
      const end = rest.indexOf("\n");
      this.#line.push(end < 0 ? rest : rest.slice(0, end));
      if (end < 0) return;
      const line = this.#line.join("");
      this.#line = undefined;
      rest = rest.slice(end + 1);
      let message: PreludeMessage;
      try {
        message = JSON.parse(line);
      } catch {
        // Native code wrote into the middle of the line.
        this.#onText(line + "\n");
        continue;
      }
      this.#onMessage(message);
    }
  }
}
