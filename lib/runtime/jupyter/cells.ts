// Runs the cells that clients send, one after another, and publishes the outputs, reply and status
// of each.

import type { MessageHeader } from "../messages.ts";
import type { OutputMessage } from "../outputs.ts";
import type { ExecuteResult, Session } from "../session.ts";
import type { Channels, Request } from "./channels.ts";
import type { History } from "./history.ts";
import type { LazyNotes } from "./lazy_notes.ts";
import type { Publisher } from "./publisher.ts";

/** The parts of the kernel that running cells needs. */
export interface CellQueueOptions {
  channels: Channels;
  publisher: Publisher;
  session: Promise<Session>;
  notes: LazyNotes;
  history: History;
  /** Whether cells with type errors are refused. */
  strict: boolean;
}

type Content = Record<string, unknown>;

/** The running cell. */
interface Running {
  header: MessageHeader;
  controller: AbortController;
  /** An error from an earlier cell's background work that was shown under this one. */
  stray?: Content;
}

/** How long the first cell waits for its client to subscribe to outputs. */
const AUDIENCE_MILLISECONDS = 2000;

/** Runs cells in the order in which clients send them. */
export class CellQueue {
  /** The execution count of the last cell. */
  count = 0;
  /** The last cell that ran; late output is shown under it. */
  last?: MessageHeader;
  #options: CellQueueOptions;
  #waiting: Request[] = [];
  #running?: Running;
  #working = false;

  /** @param options The kernel's parts. */
  constructor(options: CellQueueOptions) {
    this.#options = options;
  }

  /** The running cell. */
  get running(): MessageHeader | undefined {
    return this.#running?.header;
  }

  /** Handles an `execute_request`. */
  add(request: Request): void {
    this.#waiting.push(request);
    if (!this.#working) this.#work();
  }

  /** Stops the running cell and cancels the waiting ones. */
  interrupt(): void {
    this.abortWaiting();
    const { controller } = this.#running ?? {};
    // A second press means: do not wait for a clean stop.
    if (controller?.signal.aborted) {
      this.#options.session.then((session) => session.hurry(), () => {});
    }
    controller?.abort();
  }

  /** Cancels the waiting cells. */
  abortWaiting(): void {
    for (const request of this.#waiting.splice(0)) {
      this.#options.publisher.status("busy", request.message.header);
      this.#finish(request, { status: "aborted", execution_count: this.count });
    }
  }

  async #work() {
    this.#working = true;
    await this.#options.channels.audience(AUDIENCE_MILLISECONDS);
    for (let request = this.#waiting.shift(); request; request = this.#waiting.shift()) {
      try {
        await this.#execute(request);
      } catch (error) {
        // The session could not start, or is closed.
        const { name, message } = error as Error;
        this.#fail(request, this.count, {
          ename: name,
          evalue: message,
          traceback: [`${name}: ${message}`],
        }, true);
      }
    }
    this.#working = false;
  }

  async #execute(request: Request) {
    const { publisher, history } = this.#options;
    const { header, content } = request.message;
    const code = String(content.code ?? "");
    const silent = content.silent === true;
    const stored = !silent && content.store_history !== false && code.trim() !== "";
    const count = stored ? ++this.count : this.count;
    publisher.status("busy", header);
    if (stored) history.add(count, code);
    if (!silent) publisher.input(code, count, header);
    const controller = new AbortController();
    const running: Running = this.#running = { header, controller };
    this.last = header;
    try {
      const session = await this.#options.session;
      const result = await this.#run(request, code, count, session, controller.signal);
      if (result === undefined) return;
      const { error } = result;
      const failure = error === undefined
        ? running.stray
        : { ename: error.name, evalue: error.message, traceback: error.traceback };
      if (failure !== undefined) {
        this.#fail(request, count, failure);
        return;
      }
      const expressions: Content = {};
      for (const [name, code] of Object.entries(content.user_expressions ?? {})) {
        expressions[name] = await evaluate(session, String(code));
      }
      this.#finish(request, {
        status: "ok",
        execution_count: count,
        payload: [],
        user_expressions: expressions,
      });
    } finally {
      this.#running = undefined;
    }
  }

  /** Runs a cell. Returns undefined if the cell was refused, which the client has been told. */
  async #run(
    request: Request,
    code: string,
    count: number,
    session: Session,
    signal: AbortSignal,
  ): Promise<ExecuteResult | undefined> {
    const { channels, publisher, notes, strict } = this.#options;
    const { header, content, metadata } = request.message;
    const silent = content.silent === true;
    // Clients with cell ids send the id; only they can show updates of a note.
    const id = typeof metadata.cellId === "string" ? metadata.cellId : undefined;
    const note = silent || code.trim() === ""
      ? undefined
      : await notes.cell(code, count, id, strict || id !== undefined);
    if (note?.displayId !== undefined) publisher.note(note.displayId, header);
    if (strict && note !== undefined) {
      const error = await note.typeError(signal);
      if (error !== undefined) {
        this.#fail(request, count, error, true);
        return undefined;
      }
    }
    const result = await session.execute(code, {
      label: `cell [${count}]`,
      silent,
      signal,
      onOutput: silent ? undefined : (message) => publisher.output(message, header, count),
      onLateOutput: (message) => this.#late(message, header, count, id !== undefined),
      onInput: content.allow_stdin === true
        ? (asked) => channels.ask(request, asked, signal)
        : undefined,
    });
    // A new kernel starts counting at 1, which shows that it is new.
    const lost = result.status === "died" || session.ended;
    if (lost) {
      this.count = 0;
      notes.forget();
    }
    note?.ran(result, lost);
    return result;
  }

  /**
   * Shows output that a cell's background work writes after the cell's end. A client without cell
   * ids ignores output of cells that have ended, so there it goes to the running cell.
   */
  #late(message: OutputMessage, header: MessageHeader, count: number, apart: boolean) {
    const running = this.#running;
    const under = apart || running === undefined ? header : running.header;
    this.#options.publisher.output(message, under, count);
    if (under !== header && message.type === "error") running!.stray ??= message.content;
  }

  /** @param show Whether the error still has to be published. */
  #fail(request: Request, count: number, error: Content, show = false) {
    const { header, content } = request.message;
    if (show) this.#options.publisher.output({ type: "error", content: error }, header, count);
    if (content.stop_on_error !== false) this.abortWaiting();
    this.#finish(request, { status: "error", execution_count: count, ...error });
  }

  #finish(request: Request, reply: Content) {
    this.#options.channels.reply(request, reply);
    this.#options.publisher.status("idle", request.message.header);
  }
}

/** Evaluates one of a request's `user_expressions`. */
async function evaluate(session: Session, code: string): Promise<Content> {
  const { outputs, error } = await session.execute(code, { label: "the expression", silent: true });
  if (error !== undefined) {
    const { name: ename, message: evalue, traceback } = error;
    return { status: "error", ename, evalue, traceback };
  }
  const result = outputs.find((output) => output.output_type === "execute_result");
  return { status: "ok", data: result?.data ?? {}, metadata: result?.metadata ?? {} };
}
