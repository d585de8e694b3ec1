// What the kernel knows about cells beyond their outputs: type errors, stale results, completions
// and documentation. A note above each cell's output shows the first two; it is empty if there are
// none.

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
  /** Replaces the content of a note, which is shown empty at first. */
  update: (displayId: string, data: Record<string, unknown>) => void;
}

/** An error in the form of the Jupyter protocol. */
export interface ErrorContent extends Record<string, unknown> {
  ename: string;
  evalue: string;
  traceback: string[];
}

/**
 * How long the start of the language server is delayed, in milliseconds: it uses much processor
 * time, which the first cell needs.
 */
const SERVER_DELAY = 300;

/** The notes of a session's cells. */
export class Notes {
  #options: NotesOptions;
  #modules: CellModules;
  #stale = new StaleCells();
  /** The cells by their ids. */
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
   * Creates the note of a cell that is about to run.
   *
   * @param source The cell's text.
   * @param count The number in front of it.
   * @param id The cell's id; without one nothing is shown.
   * @returns The note; undefined for a cell with a syntax error, which its run reports.
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

  /** The completions at a position in code that is being typed. */
  async complete(code: string, cursor: number): Promise<Completions | undefined> {
    return await this.#ask(code, (server, uri) => complete(server, uri, code, cursor));
  }

  /** Type and documentation of the symbol at a position, by MIME type. */
  async inspect(code: string, cursor: number): Promise<Record<string, unknown> | undefined> {
    const markdown = await this.#ask(code, async (server, uri) => {
      const place = placeOf(code, cursor);
      const at = (character: number) => server.hover(uri, { ...place, character });
      // At the end of a word, or after its opening bracket, the word is meant.
      return await at(place.character) ?? await at(Math.max(0, place.character - 1));
    });
    if (markdown === undefined) return undefined;
    return {
      "text/markdown": markdown,
      "text/plain": markdown.replace(/^```\w*\n?/gm, "").trimEnd(),
    };
  }

  /** Shuts the language server down. */
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

  /** Asks the language server, one request at a time. Undefined if it fails. */
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
        // The next request starts a new server.
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

/** What a note needs from the other notes. */
interface NoteHooks {
  update: NotesOptions["update"];
  check: () => Promise<TypeError[]>;
  undo: () => void;
  ran: (note: CellNote, result: ExecuteResult, lost: boolean) => void;
}

/** What is known about one run of a cell. */
export class CellNote {
  /** The display that shows the note. */
  readonly displayId: string | undefined;
  /** The cell's id. */
  readonly id: string | undefined;
  /** The number in front of the cell. */
  readonly count: number;
  readonly names: CellNames;
  #source: string;
  #hooks: NoteHooks;
  #checked?: Promise<TypeError[]>;
  #errors: TypeError[] = [];
  #stale?: Staleness;
  /** Whether the cell has a result that can become stale. */
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

  /** Checks the cell's types while it runs. */
  async begin(delay: number): Promise<void> {
    const timer = startTimer(delay);
    await Promise.race([timer.passed, this.#ended.promise]);
    timer.cancel();
    this.#errors = await (this.#checked ??= this.#hooks.check());
    this.#draw();
  }

  /**
   * Checks the cell's types before it runs.
   *
   * @param signal Stops waiting; the cell is then not run.
   * @returns The error of a cell that must not run; such a cell leaves no trace.
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

  /** Records the result of the run. @param lost Whether the run lost the kernel's state. */
  ran(result: ExecuteResult, lost: boolean): void {
    this.#shown = result.outputs.length > 0;
    this.#ended.resolve();
    this.#hooks.ran(this, result, lost);
  }

  /** Shows that the result is stale, or no longer stale. */
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
        `<div style="border-left:3px solid #c98a00;padding-left:.6em;margin:.2em 0"><em>Stale: <code>${
          escapeHtml(name)
        }</code> has ` +
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
