// The Jupyter kernel "Deno (Tunebook)": it speaks the Jupyter protocol with any client, and runs cells
// in a session, so that each client gets every output in order and can stop any cell.

import type { CellError } from "../cell_error.ts";
import { errorMessage, type OutputMessage } from "../outputs.ts";
import type { Session, SessionMessage } from "../session.ts";
import { CellQueue } from "./cells.ts";
import { Channels, type ConnectionInfo, type Request } from "./channels.ts";
import { History } from "./history.ts";
import { kernelInfo } from "./kernel_info.ts";
import { LazyNotes } from "./lazy_notes.ts";
import type { Notes } from "./notes.ts";
import { Publisher } from "./publisher.ts";

/** How to serve a session. */
export interface JupyterKernelOptions {
  /** Starts the session; called immediately. */
  start: (hooks: SessionHooks) => Promise<Session>;
  /** Creates the type checker and stale-result tracker; called when first needed. */
  notes: (hooks: NotesHooks) => Promise<Notes>;
  /** Whether cells with type errors are refused. */
  strict?: boolean;
}

/** The session's events that arrive while no cell runs. */
export interface SessionHooks {
  onLateOutput: (message: OutputMessage) => void;
  onDeath: (error: CellError) => void;
  onMessage: (message: SessionMessage) => void;
}

/** How notes are shown. */
export interface NotesHooks {
  /** Replaces the content of a note, which is shown empty at first. */
  update: (displayId: string, data: Record<string, unknown>) => void;
}

type Content = Record<string, unknown>;

/** A kernel that clients connect to. */
export class JupyterKernel {
  /** Settles when the kernel has been shut down. */
  readonly ended: Promise<void>;
  #end: () => void;
  #channels: Channels;
  #publisher: Publisher;
  #session: Promise<Session>;
  #notes: LazyNotes;
  #cells: CellQueue;
  #history = new History();
  /** The comms that cells have opened, by id, with their targets. */
  #comms = new Map<string, string>();
  #ending?: Promise<void>;

  /**
   * Starts listening, and starts the session in the background.
   *
   * @param info The connection file's content.
   * @param options How to start a session.
   */
  constructor(info: ConnectionInfo, options: JupyterKernelOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#channels = new Channels(info, (request) => this.#take(request));
    this.#publisher = new Publisher(this.#channels);
    this.#notes = new LazyNotes(() =>
      options.notes({
        update: (id, data) => this.#publisher.updateNote(id, data, this.#present),
      })
    );
    const late = (message: OutputMessage) =>
      this.#publisher.output(message, this.#cells.last, this.#cells.count);
    this.#session = options.start({
      onLateOutput: late,
      onDeath: (error) => late(errorMessage(error)),
      onMessage: (message) => this.#pass(message),
    });
    // The first request that needs the session reports why it failed.
    this.#session.catch(() => {});
    this.#cells = new CellQueue({
      channels: this.#channels,
      publisher: this.#publisher,
      session: this.#session,
      notes: this.#notes,
      history: this.#history,
      strict: options.strict ?? false,
    });
    this.#publisher.status("starting");
  }

  /** The ports, if the connection file left the choice to the kernel. */
  get ports(): Record<string, number> {
    return this.#channels.ports;
  }

  /** Stops the running cell and cancels the waiting ones. */
  interrupt(): void {
    this.#cells.interrupt();
  }

  /** Shuts the kernel down. */
  shutdown(): Promise<void> {
    return this.#ending ??= this.#shutdown();
  }

  async #shutdown() {
    this.#cells.abortWaiting();
    await this.#session.then((session) => session.close(), () => {});
    await this.#notes.close();
    await this.#channels.close();
    this.#end();
  }

  /** The request that messages published now belong to. */
  get #present() {
    return this.#cells.running ?? this.#cells.last;
  }

  /** Forwards messages that a cell broadcasts besides outputs. */
  #pass(message: SessionMessage) {
    const { type, content } = message;
    if (type === "comm_open") this.#comms.set(content.comm_id, String(content.target_name));
    else if (type === "comm_close") this.#comms.delete(content.comm_id);
    this.#publisher.message(message, this.#present);
  }

  // ---- Requests ----

  #take(request: Request) {
    if (request.message.header.msg_type === "execute_request") this.#cells.add(request);
    else this.#answer(request).catch((error) => console.error(error));
  }

  async #answer(request: Request) {
    const { header, content } = request.message;
    this.#publisher.status("busy", header);
    let reply: Content | undefined;
    try {
      reply = await this.#replyTo(header.msg_type, content ?? {}, request);
    } catch (error) {
      const { name, message } = error as Error;
      reply = { status: "error", ename: name, evalue: message, traceback: [] };
    }
    if (reply !== undefined) this.#channels.reply(request, { status: "ok", ...reply });
    this.#publisher.status("idle", header);
    // Clients show the last status, and a cell is still running.
    const { running } = this.#cells;
    if (running !== undefined) this.#publisher.status("busy", running);
    if (header.msg_type === "shutdown_request") await this.shutdown();
  }

  // deno-lint-ignore no-explicit-any
  async #replyTo(type: string, content: any, request: Request): Promise<Content | undefined> {
    switch (type) {
      case "kernel_info_request":
        return kernelInfo();
      case "connect_request":
        return this.ports;
      case "is_complete_request":
        // The parser is slow to load, so the first cell does not wait for it.
        return { ...(await import("./is_complete.ts")).completeness(String(content.code ?? "")) };
      case "history_request":
        return { history: this.#history.find(content) };
      case "complete_request":
        return await this.#complete(String(content.code ?? ""), Number(content.cursor_pos ?? 0));
      case "inspect_request":
        return await this.#inspect(String(content.code ?? ""), Number(content.cursor_pos ?? 0));
      case "interrupt_request":
        this.interrupt();
        return {};
      case "shutdown_request":
        return { restart: content.restart === true };
      case "comm_info_request":
        return { comms: this.#commInfo(content.target_name) };
      case "comm_open":
      case "comm_msg":
      case "comm_close":
        await (await this.#session).send(type, content, request.message);
        return undefined;
    }
    console.error(`Cannot answer a message of type "${type}"`);
    return undefined;
  }

  #commInfo(target?: string): Content {
    const comms = [...this.#comms].filter(([, name]) => target === undefined || target === name);
    return Object.fromEntries(comms.map(([id, name]) => [id, { target_name: name }]));
  }

  async #complete(code: string, cursor: number): Promise<Content> {
    const found = await (await this.#notes.get())?.complete(code, cursor);
    if (found !== undefined && found.matches.length > 0) return { ...found };
    if (this.#cells.running === undefined) {
      // Values are known only to the running program.
      return await (await this.#session).request("complete_request", { code, cursor_pos: cursor });
    }
    return { matches: [], cursor_start: cursor, cursor_end: cursor, metadata: {} };
  }

  async #inspect(code: string, cursor: number): Promise<Content> {
    const data = await (await this.#notes.get())?.inspect(code, cursor);
    return { found: data !== undefined, data: data ?? {}, metadata: {} };
  }
}
