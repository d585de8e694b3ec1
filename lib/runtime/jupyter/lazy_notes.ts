// Notes that are created when a client first asks for types: most runs without a person never do.

import type { CellNote, Notes } from "./notes.ts";

/** The notes, created when they are first needed. */
export class LazyNotes {
  #make: () => Promise<Notes>;
  #notes?: Promise<Notes | undefined>;
  /** The cells that ran before that. */
  #unread: { code: string; count: number }[] = [];

  /** @param make Creates the notes. */
  constructor(make: () => Promise<Notes>) {
    this.#make = make;
  }

  /** The notes, with all cells so far; undefined if the language server is not available. */
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
   * Adds a cell that is about to run.
   *
   * @param wanted Whether its note is needed.
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

  /** Forgets cells that have not been added yet: their definitions are lost. */
  forget(): void {
    this.#unread.length = 0;
  }

  /** Ends the language server, if it was started. */
  async close(): Promise<void> {
    await (await this.#notes)?.close();
  }
}
