// What the kernel knows of cells beyond their outputs: type errors, stale results, completions and
// documentation. It says so in a note above each cell's output, which is empty while all is well.

import { escapeHtml } from "../report/html.ts";
import { type CellNames, cellNames } from "../cell_names.ts";
import type { ExecuteResult } from "../session.ts";
import { startTimer } from "../timer.ts";
import { type CellModule, CellModules } from "./cell_modules.ts";
import { complete, type Completions } from "./complete.ts";
import { LanguageServer } from "./language_server.ts";
import { placeOf } from "./places.ts";
import { StaleCells, type Staleness } from "./stale.ts";
import { describeTypeErrors, type TypeError, typeErrors } from "./type_errors.ts";

/** How to show notes. */
export interface NotesOptions {
  /** The notebook's folder. */
  cwd: string;
  /** Puts something in the place of a note that was shown empty. */
  update: (displayId: string, data: Record<string, unknown>) => void;
}

/** An error as the Jupyter protocol tells it. */
export interface ErrorContent extends Record<string, unknown> {
  ename: string;
  evalue: string;
  traceback: string[];
}

/**
 * How long the language server, which takes much of the processor at its start, leaves the first
 * cell alone, in milliseconds.
 */
const SERVER_DELAY = 300;

/** The notes of a session's cells. */
export class Notes {
  #options: NotesOptions;
  #modules: CellModules;
  #stale = new StaleCells();
  /** The cells by what the client calls them. */
  #cells = new Map<string, CellNote>();
  #server?: Promise<LanguageServer>;
  #written = new Map<string, string>();
  #checks: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param options How to show them. */
  constructor(options: NotesOptions) {
    this.#options = options;
    this.#modules = new CellModules(options.cwd);
  }

  /**
   * Makes the note of a cell that is about to run.
   *
   * @param source The cell's text.
   * @param count The number in front of it.
   * @param id What the client calls the cell; without it nothing is shown.
   * @returns The note; undefined for a cell that is no TypeScript, which its run will tell.
   */
  cell(source: string, count: number, id?: string): CellNote | undefined {
    let names: CellNames;
    try {
      names = cellNames(source);
    } catch {
      return undefined;
    }
    const { module, undo } = this.#modules.add(source, names);
    const note = new CellNote(source, count, names, id, {
      update: this.#options.update,
      check: () => this.#check(module, source),
      undo,
      ran: (note, result, lost) => this.#ran(note, result, lost),
    });
    if (id !== undefined) {
      this.#cells.set(id, note);
      note.begin(SERVER_DELAY);
    }
    return note;
  }

  /** What may stand at a place in code that is being written. */
  async complete(code: string, cursor: number): Promise<Completions | undefined> {
    return await this.#ask(code, (server, uri) => complete(server, uri, code, cursor));
  }

  /** What stands at a place, with its type and documentation, by MIME type. */
  async inspect(code: string, cursor: number): Promise<Record<string, unknown> | undefined> {
    const markdown = await this.#ask(code, async (server, uri) => {
      const place = placeOf(code, cursor);
      const at = (character: number) => server.hover(uri, { ...place, character });
      // At the end of a word, and behind its bracket, the word is meant.
      return await at(place.character) ?? await at(Math.max(0, place.character - 1));
    });
    if (markdown === undefined) return undefined;
    return {
      "text/markdown": markdown,
      "text/plain": markdown.replace(/^```\w*\n?/gm, "").trimEnd(),
    };
  }

  /** Ends the language server. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#server?.then((server) => server.close(), () => {});
  }

  async #ask<T>(
    code: string,
    question: (server: LanguageServer, uri: string) => Promise<T>,
  ): Promise<T | undefined> {
    const { uri, text } = this.#modules.scratch(code);
    return await this.#inTurn(async (server) => {
      this.#write(server, uri, text);
      return await question(server, uri);
    });
  }

  #check(module: CellModule, source: string): Promise<TypeError[]> {
    return this.#inTurn(async (server) => {
      this.#write(server, module.uri, module.text);
      return typeErrors(source, await server.diagnose(module.uri));
    }).then((errors) => errors ?? []);
  }

  /** One after another: the server has one mind. Undefined where it fails. */
  #inTurn<T>(work: (server: LanguageServer) => Promise<T>): Promise<T | undefined> {
    const done = this.#checks.then(async () => {
      if (this.#closed) return undefined;
      try {
        const server = await (this.#server ??= LanguageServer.start(this.#options.cwd));
        for (const uri of this.#modules.prune()) {
          server.remove(uri);
          this.#written.delete(uri);
        }
        for (const { uri, text } of this.#modules.live) this.#write(server, uri, text);
        return await work(server);
      } catch (error) {
        // The next question starts a new one.
        if (!this.#closed) console.error((error as Error).message);
        this.#server?.then((server) => server.close(), () => {});
        this.#server = undefined;
        this.#written.clear();
        return undefined;
      }
    });
    this.#checks = done;
    return done;
  }

  #write(server: LanguageServer, uri: string, text: string) {
    if (this.#written.get(uri) === text) return;
    this.#written.set(uri, text);
    server.write(uri, text);
  }

  #ran(note: CellNote, { status }: ExecuteResult, lost: boolean) {
    if (lost) {
      this.#modules.clear();
      this.#stale.clear();
      for (const one of this.#cells.values()) one.setStale(undefined);
      return;
    }
    if (note.id === undefined || status === "died") return;
    this.#stale.add(note.id, note.count, note.names);
    const stale = new Map(this.#stale.find().map((one) => [one.cell, one]));
    for (const [id, one] of this.#cells) one.setStale(stale.get(id));
  }
}

/** What a note does by way of the others. */
interface NoteHooks {
  update: NotesOptions["update"];
  check: () => Promise<TypeError[]>;
  undo: () => void;
  ran: (note: CellNote, result: ExecuteResult, lost: boolean) => void;
}

/** What is known of one run of a cell. */
export class CellNote {
  /** The display that shows the note. */
  readonly displayId: string | undefined;
  /** What the client calls the cell. */
  readonly id: string | undefined;
  /** The number in front of the cell. */
  readonly count: number;
  readonly names: CellNames;
  #source: string;
  #hooks: NoteHooks;
  #checked?: Promise<TypeError[]>;
  #errors: TypeError[] = [];
  #stale?: Staleness;
  /** Whether the cell has shown anything that can become stale. */
  #shown = false;
  #drawn = "";
  #ended = Promise.withResolvers<void>();

  /** @param hooks The session's. */
  constructor(
    source: string,
    count: number,
    names: CellNames,
    id: string | undefined,
    hooks: NoteHooks,
  ) {
    this.#source = source;
    this.count = count;
    this.names = names;
    this.id = id;
    this.displayId = id === undefined ? undefined : `tunebook-note-${crypto.randomUUID()}`;
    this.#hooks = hooks;
  }

  /** Checks the cell's types beside its run. */
  async begin(delay: number): Promise<void> {
    const timer = startTimer(delay);
    await Promise.race([timer.passed, this.#ended.promise]);
    timer.cancel();
    this.#errors = await (this.#checked ??= this.#hooks.check());
    this.#draw();
  }

  /**
   * Checks the cell's types before it may run.
   *
   * @param signal Ends the waiting; the cell is not run then.
   * @returns The error of a cell that must not run; it leaves no trace.
   */
  async typeError(signal: AbortSignal): Promise<ErrorContent | undefined> {
    const stopped = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => stopped.resolve(undefined), { once: true });
    const errors = await Promise.race([this.#checked ??= this.#hooks.check(), stopped.promise]);
    if (errors === undefined || errors.length === 0) return undefined;
    this.#hooks.undo();
    const [{ message, line, column }] = errors;
    const label = `cell [${this.count}]`;
    return {
      ename: "TypeCheckError",
      evalue: `${message} (${label}, line ${line}, column ${column}); the cell was not run`,
      traceback: describeTypeErrors(label, this.#source, errors).split("\n"),
    };
  }

  /** Takes what came of the run. @param lost Whether the kernel's state has been lost with it. */
  ran(result: ExecuteResult, lost: boolean): void {
    this.#shown = result.outputs.length > 0;
    this.#ended.resolve();
    this.#hooks.ran(this, result, lost);
  }

  /** Says that the result is stale, or no longer so. */
  setStale(stale: Staleness | undefined): void {
    this.#stale = this.#shown ? stale : undefined;
    this.#draw();
  }

  #draw() {
    if (this.displayId === undefined) return;
    const texts: string[] = [];
    const parts: string[] = [];
    if (this.#stale !== undefined) {
      const { name, by } = this.#stale;
      texts.push(`Stale: ${name} has changed since, in cell [${by}]`);
      parts.push(
        `<div style="opacity:.65;font-size:90%"><em>Stale: <code>${escapeHtml(name)}</code> has ` +
          `changed since, in cell [${by}]</em></div>`,
      );
    }
    if (this.#errors.length > 0) {
      const text = describeTypeErrors(`cell [${this.count}]`, this.#source, this.#errors);
      texts.push(text);
      parts.push(
        '<pre style="border-left:3px solid #c98a00;padding-left:.6em;margin:.2em 0">' +
          `${escapeHtml(text)}</pre>`,
      );
    }
    const drawn = parts.join("");
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const data = drawn === "" ? {} : { "text/html": drawn, "text/plain": texts.join("\n\n") };
    this.#hooks.update(this.displayId, data);
  }
}
