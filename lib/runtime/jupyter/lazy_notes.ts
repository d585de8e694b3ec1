// Notes that are made when somebody first wants to know types: most runs without a person never do.

import type { CellNote, Notes } from "./notes.ts";

/** Notes, once they are needed. */
export class LazyNotes {
  #make: () => Promise<Notes>;
  #notes?: Promise<Notes | undefined>;
  /** The cells that have run before. */
  #unread: { code: string; count: number }[] = [];

  /** @param make Makes the notes. */
  constructor(make: () => Promise<Notes>) {
    this.#make = make;
  }

  /** The notes, with all cells so far; undefined where they cannot be had. */
  get(): Promise<Notes | undefined> {
    return this.#notes ??= this.#make().then((notes) => {
      for (const { code, count } of this.#unread.splice(0)) notes.cell(code, count);
      return notes;
    }).catch((error) => {
      console.error(`Cannot check types: ${(error as Error).message}`);
      return undefined;
    });
  }

  /**
   * Takes in a cell that is about to run.
   *
   * @param wanted Whether somebody wants its note.
   */
  async cell(
    code: string,
    count: number,
    id: string | undefined,
    wanted: boolean,
  ): Promise<CellNote | undefined> {
    if (wanted || this.#notes !== undefined) return (await this.get())?.cell(code, count, id);
    this.#unread.push({ code, count });
    return undefined;
  }

  /** Forgets cells that nobody has asked for: what they defined is lost. */
  forget(): void {
    this.#unread.length = 0;
  }

  /** Ends what the notes have started. */
  async close(): Promise<void> {
    await (await this.#notes)?.close();
  }
}
