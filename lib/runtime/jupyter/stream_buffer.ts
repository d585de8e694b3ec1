// Joins lines that are printed in quick succession: a loop prints a hundred lines in the time a
// client needs for one message, and most clients keep every message as an output of its own.

/** How long text may wait for more, in milliseconds. */
const WAIT = 20;
/** The length at which text is sent without waiting. */
const ENOUGH = 1 << 18;

/** Buffers the text of streams. */
export class StreamBuffer {
  #send: (name: string, text: string) => void;
  #name = "";
  #texts: string[] = [];
  #length = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param send Receives the joined text of a stream. */
  constructor(send: (name: string, text: string) => void) {
    this.#send = send;
  }

  /** Adds text to a stream. */
  add(name: string, text: string): void {
    if (name !== this.#name) this.flush();
    this.#name = name;
    this.#texts.push(text);
    this.#length += text.length;
    if (this.#length >= ENOUGH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), WAIT);
  }

  /** Sends the buffered text: before any other message, and when the cell ends. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#texts.length === 0) return;
    const text = this.#texts.join("");
    this.#texts = [];
    this.#length = 0;
    this.#send(this.#name, text);
  }
}
