// The Jupyter kernel "Deno (Tunebook)": it speaks the Jupyter protocol with any client, and runs cells
// in a session, so that each client gets every output in order and can stop any cell.

import type { CellError } from "../cell_error.ts";
import type { MessageHeader } from "../messages.ts";
import { errorMessage, type OutputMessage } from "../outputs.ts";
import type { ExecuteResult, Session, SessionMessage } from "../session.ts";
import { Channels, type ConnectionInfo, type Request } from "./channels.ts";
import { History } from "./history.ts";
import { kernelInfo } from "./kernel_info.ts";
import type { Notes } from "./notes.ts";
import { StreamBuffer } from "./stream_buffer.ts";

/** How to serve a session. */
export interface JupyterKernelOptions {
  /** Starts the session; called at once. */
  start: (hooks: SessionHooks) => Promise<Session>;
  /** Makes what knows the cells' types and which results are stale; called when first needed. */
  notes: (hooks: NotesHooks) => Promise<Notes>;
  /** Whether a cell with type errors is not run. */
  strict?: boolean;
}

/** What the kernel wants to hear from the session while no cell runs. */
export interface SessionHooks {
  onLateOutput: (message: OutputMessage) => void;
  onDeath: (error: CellError) => void;
  onMessage: (message: SessionMessage) => void;
}

/** How notes are shown. */
export interface NotesHooks {
  /** Puts something in the place of a note that was shown empty. */
  update: (displayId: string, data: Record<string, unknown>) => void;
}

type Content = Record<string, unknown>;

/** How long a first cell waits for its client to subscribe to outputs. */
const AUDIENCE_MILLISECONDS = 2000;

/** A kernel that clients connect to. */
export class JupyterKernel {
  /** Settles when the kernel has been shut down. */
  readonly ended: Promise<void>;
  #end: () => void;
  #channels: Channels;
  #options: JupyterKernelOptions;
  #session: Promise<Session>;
  #notes?: Promise<Notes | undefined>;
  /** The cells that ran before anyone asked for types. */
  #unread: { code: string; count: number }[] = [];
  #history = new History();
  /** The comms that cells have opened, with their targets. */
  #comms = new Map<string, string>();
  #ending?: Promise<void>;
  #count = 0;
  #queue: Request[] = [];
  #running?: { request: Request; controller: AbortController };
  /** The last cell, under which late output belongs. */
  #last?: MessageHeader;
  #working = false;
  #streams = new StreamBuffer((name, text) =>
    this.#channels.publish("stream", { name, text }, this.#streaming)
  );
  /** The cell whose text waits in the buffer. */
  #streaming?: MessageHeader;

  /**
   * Listens, and begins to start the session.
   *
   * @param info The connection file's content.
   * @param options How to get a session.
   */
  constructor(info: ConnectionInfo, options: JupyterKernelOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#options = options;
    this.#session = options.start({
      onLateOutput: (message) => this.#publish(message, this.#last),
      onDeath: (error) => this.#publish(errorMessage(error), this.#last),
      onMessage: ({ type, content, ...rest }) => {
        this.#streams.flush();
        if (type === "comm_open") this.#comms.set(content.comm_id, String(content.target_name));
        else if (type === "comm_close") this.#comms.delete(content.comm_id);
        const parent = this.#running?.request.message.header ?? this.#last;
        this.#channels.publish(type, content, parent, rest);
      },
    });
    // Who asks for it first is told why it cannot be had.
    this.#session.catch(() => {});
    this.#channels = new Channels(info, (request) => this.#take(request));
    this.#channels.publish("status", { execution_state: "starting" });
  }

  /** The ports, where the connection file left the choice. */
  get ports(): Record<string, number> {
    return this.#channels.ports;
  }

  /** Stops the running cell; cells that wait are given up. */
  interrupt(): void {
    this.#abortQueue();
    const { controller } = this.#running ?? {};
    // Who presses a second time does not want to wait any longer.
    if (controller?.signal.aborted) this.#session.then((session) => session.hurry(), () => {});
    controller?.abort();
  }

  /** Ends the kernel. */
  shutdown(): Promise<void> {
    return this.#ending ??= this.#shutdown();
  }

  async #shutdown() {
    this.#abortQueue();
    const [session, notes] = await Promise.allSettled([this.#session, this.#notes]);
    if (session.status === "fulfilled") await session.value.close();
    if (notes.status === "fulfilled") await notes.value?.close();
    await this.#channels.close();
    this.#end();
  }

  // ---- Requests ----

  #take(request: Request) {
    if (request.message.header.msg_type === "execute_request") {
      this.#queue.push(request);
      if (!this.#working) this.#work();
    } else {
      this.#answer(request).catch((error) => console.error(error));
    }
  }

  async #answer(request: Request) {
    const { header, content } = request.message;
    this.#status("busy", header);
    let reply: Content | undefined;
    try {
      reply = await this.#replyTo(header.msg_type, content ?? {}, request);
    } catch (error) {
      const { name, message } = error as Error;
      reply = { status: "error", ename: name, evalue: message, traceback: [] };
    }
    if (reply !== undefined) this.#channels.reply(request, { status: "ok", ...reply });
    this.#status("idle", header);
    // Clients show the last status: a cell still runs.
    const running = this.#running?.request.message.header;
    if (running !== undefined) this.#status("busy", running);
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
        // The parser takes its time to load, and the first cell should not wait for it.
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
    const found = await (await this.#startNotes())?.complete(code, cursor);
    if (found !== undefined && found.matches.length > 0) return { ...found };
    if (this.#running === undefined) {
      // Values that only the running program knows.
      return await (await this.#session).request("complete_request", { code, cursor_pos: cursor });
    }
    return { matches: [], cursor_start: cursor, cursor_end: cursor, metadata: {} };
  }

  async #inspect(code: string, cursor: number): Promise<Content> {
    const data = await (await this.#startNotes())?.inspect(code, cursor);
    return { found: data !== undefined, data: data ?? {}, metadata: {} };
  }

  #startNotes(): Promise<Notes | undefined> {
    return this.#notes ??= this.#options.notes({
      update: (id, data) =>
        this.#channels.publish("update_display_data", {
          data,
          metadata: {},
          transient: { display_id: id },
        }, this.#running?.request.message.header ?? this.#last),
    }).then((notes) => {
      for (const { code, count } of this.#unread.splice(0)) notes.cell(code, count);
      return notes;
    }).catch((error) => {
      console.error(`Cannot check types: ${(error as Error).message}`);
      return undefined;
    });
  }

  // ---- Cells ----

  async #work() {
    this.#working = true;
    await this.#channels.audience(AUDIENCE_MILLISECONDS);
    for (let request = this.#queue.shift(); request; request = this.#queue.shift()) {
      try {
        await this.#execute(request);
      } catch (error) {
        const { name, message } = error as Error;
        const told = { ename: name, evalue: message, traceback: [`${name}: ${message}`] };
        this.#channels.publish("error", told, request.message.header);
        this.#finish(request, { status: "error", execution_count: this.#count, ...told });
      }
    }
    this.#working = false;
  }

  async #execute(request: Request) {
    const { header, content, metadata } = request.message;
    const code = String(content.code ?? "");
    const silent = content.silent === true;
    const stored = !silent && content.store_history !== false;
    this.#status("busy", header);
    const count = stored ? ++this.#count : this.#count;
    if (stored) this.#history.add(count, code);
    if (!silent) this.#channels.publish("execute_input", { code, execution_count: count }, header);
    if (code.trim() === "" && !hasExpressions(content)) {
      if (stored) this.#count--;
      this.#finish(request, ok(count, {}));
      return;
    }

    const controller = new AbortController();
    this.#running = { request, controller };
    this.#last = header;
    try {
      const session = await this.#session;
      const cell = silent ? undefined : await this.#note(code, count, metadata, header);
      if (this.#options.strict && cell !== undefined) {
        const error = await cell.typeError(controller.signal);
        if (error !== undefined) {
          this.#publish({ type: "error", content: error }, header);
          this.#fail(request, { status: "error", execution_count: count, ...error });
          return;
        }
      }
      const result = await session.execute(code, {
        label: `cell [${count}]`,
        silent,
        signal: controller.signal,
        onOutput: silent ? undefined : (message) => this.#publish(message, header, count),
        onInput: content.allow_stdin === true
          ? (asked) => this.#channels.ask(request, asked, controller.signal)
          : undefined,
      });
      // A new kernel counts anew, which shows that it is one.
      const lost = result.status === "died" || session.ended;
      if (lost) {
        this.#count = 0;
        this.#unread.length = 0;
      }
      cell?.ran(result, lost);
      await this.#reply(request, result, count, session);
    } finally {
      this.#running = undefined;
    }
  }

  async #reply(request: Request, result: ExecuteResult, count: number, session: Session) {
    const { error } = result;
    if (error !== undefined) {
      const { name: ename, message: evalue, traceback } = error;
      this.#fail(request, { status: "error", execution_count: count, ename, evalue, traceback });
      return;
    }
    const expressions: Content = {};
    for (const [name, code] of Object.entries(request.message.content.user_expressions ?? {})) {
      expressions[name] = await evaluate(session, String(code));
    }
    this.#finish(request, ok(count, expressions));
  }

  #fail(request: Request, reply: Content) {
    if (request.message.content.stop_on_error !== false) this.#abortQueue();
    this.#finish(request, reply);
  }

  #finish(request: Request, reply: Content) {
    this.#streams.flush();
    this.#channels.reply(request, reply);
    this.#status("idle", request.message.header);
  }

  #abortQueue() {
    for (const request of this.#queue.splice(0)) {
      this.#status("busy", request.message.header);
      this.#finish(request, { status: "aborted", execution_count: this.#count });
    }
  }

  /** Makes the cell's note, empty at first, for clients that keep cells apart. */
  async #note(code: string, count: number, metadata: Content, header: MessageHeader) {
    const id = typeof metadata.cellId === "string" ? metadata.cellId : undefined;
    if (id === undefined && this.#notes === undefined && !this.#options.strict) {
      // Nobody has asked for types yet, and perhaps nobody will.
      this.#unread.push({ code, count });
      return undefined;
    }
    const note = (await this.#startNotes())?.cell(code, count, id);
    if (note?.displayId !== undefined) {
      this.#channels.publish("display_data", {
        data: {},
        metadata: { tunebook: { note: true } },
        transient: { display_id: note.displayId },
      }, header);
    }
    return note;
  }

  // ---- What is published ----

  #status(state: "busy" | "idle", parent: MessageHeader) {
    this.#channels.publish("status", { execution_state: state }, parent);
  }

  #publish({ type, content }: OutputMessage, parent?: MessageHeader, count = this.#count) {
    if (type === "stream") {
      if (parent !== this.#streaming) this.#streams.flush();
      this.#streaming = parent;
      this.#streams.add(content.name, content.text);
      return;
    }
    this.#streams.flush();
    const full = type === "execute_result" ? { ...content, execution_count: count } : content;
    this.#channels.publish(type, full, parent);
  }
}

function ok(count: number, expressions: Content): Content {
  return { status: "ok", execution_count: count, payload: [], user_expressions: expressions };
}

function hasExpressions(content: Content): boolean {
  return Object.keys(content.user_expressions ?? {}).length > 0;
}

/** The value of an expression as a client asks for it beside a cell. */
async function evaluate(session: Session, code: string): Promise<Content> {
  const { outputs, error } = await session.execute(code, { label: "the expression", silent: true });
  if (error !== undefined) {
    const { name: ename, message: evalue, traceback } = error;
    return { status: "error", ename, evalue, traceback };
  }
  const result = outputs.find((output) => output.output_type === "execute_result");
  return { status: "ok", data: result?.data ?? {}, metadata: result?.metadata ?? {} };
}
