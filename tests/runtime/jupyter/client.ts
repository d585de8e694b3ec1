// A Jupyter client for tests, and the kernel "Deno (Tunebook)" in this process for it to speak to.

import { JupyterKernel } from "../../../lib/runtime/jupyter/kernel.ts";
import { Notes } from "../../../lib/runtime/jupyter/notes.ts";
import { type Message, MessageCodec } from "../../../lib/runtime/messages.ts";
import { Session, type SessionOptions } from "../../../lib/runtime/session.ts";
import { ZmtpConnection } from "../../../lib/runtime/zmtp.ts";

const KEY = "a key for tests";

/** A request's answers. */
export interface Answers {
  reply: Message;
  /** What was published for the request, status and input left out. */
  outputs: Message[];
}

/** A client of a kernel. */
export class TestClient {
  /** All that was published, in order, by whatever request. */
  readonly published: Message[] = [];
  /** Answers requests for input. */
  onInput: (content: { prompt: string; password: boolean }) => string | undefined = () => "";
  readonly codec: MessageCodec;
  readonly connections: Record<"shell" | "control" | "iopub" | "stdin", ZmtpConnection>;
  #replies = new Map<string, (message: Message) => void>();
  #idle = new Map<string, () => void>();

  private constructor(codec: MessageCodec, connections: TestClient["connections"]) {
    this.codec = codec;
    this.connections = connections;
  }

  static async connect(ports: Record<string, number>, key = KEY): Promise<TestClient> {
    const codec = new MessageCodec(key);
    const dial = (channel: string, type: "DEALER" | "SUB") =>
      ZmtpConnection.connect({ port: ports[channel], type, identity: codec.session });
    const client = new TestClient(codec, {
      shell: await dial("shell", "DEALER"),
      control: await dial("control", "DEALER"),
      stdin: await dial("stdin", "DEALER"),
      iopub: await dial("iopub", "SUB"),
    });
    client.#read();
    return client;
  }

  /** Sends a request; `reply` and `idle` settle by themselves. */
  send(
    type: string,
    content: Record<string, unknown>,
    options: { channel?: "shell" | "control"; metadata?: Record<string, unknown> } = {},
  ) {
    const message = this.codec.create(type, content);
    message.metadata = options.metadata ?? {};
    const id = message.header.msg_id;
    const reply = Promise.withResolvers<Message>();
    const idle = Promise.withResolvers<void>();
    this.#replies.set(id, reply.resolve);
    this.#idle.set(id, idle.resolve);
    this.connections[options.channel ?? "shell"].send(this.codec.encode(message));
    return { id, reply: reply.promise, idle: idle.promise };
  }

  /** Sends a request and waits for its reply and for the kernel to be idle. */
  async request(...request: Parameters<TestClient["send"]>): Promise<Answers> {
    const { id, reply, idle } = this.send(...request);
    const message = await reply;
    await idle;
    return { reply: message, outputs: this.outputsOf(id) };
  }

  /** What was published for a request so far. */
  outputsOf(id: string): Message[] {
    return this.published.filter(({ header, parentHeader }) =>
      parentHeader.msg_id === id && !/^(status|execute_input)$/.test(header.msg_type)
    );
  }

  /** Runs a cell. */
  execute(
    code: string,
    options: { cellId?: string; content?: Record<string, unknown> } = {},
  ): Promise<Answers> {
    return this.request("execute_request", { ...executeContent(code), ...options.content }, {
      metadata: options.cellId === undefined ? {} : { cellId: options.cellId },
    });
  }

  /** Waits until something was published. */
  async until(condition: (message: Message) => boolean): Promise<Message> {
    for (let i = 0; i < 1200; i++) {
      const found = this.published.find(condition);
      if (found !== undefined) return found;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error("it was not published within 60 s");
  }

  close(): void {
    for (const connection of Object.values(this.connections)) connection.close();
  }

  #read() {
    const read = async (
      channel: keyof TestClient["connections"],
      take: (message: Message) => void,
    ) => {
      for await (const frames of this.connections[channel]) take(this.codec.decode(frames));
    };
    const reply = (message: Message) => this.#replies.get(message.parentHeader.msg_id!)?.(message);
    read("shell", reply);
    read("control", reply);
    read("iopub", (message) => {
      this.published.push(message);
      if (message.content.execution_state === "idle") {
        this.#idle.get(message.parentHeader.msg_id!)?.();
      }
    });
    read("stdin", (message) => {
      const value = this.onInput(message.content);
      if (value === undefined) return;
      const answer = this.codec.create("input_reply", { value }, message.header);
      this.connections.stdin.send(this.codec.encode(answer));
    });
  }
}

/** The content of an `execute_request`, as clients fill it. */
export function executeContent(code: string): Record<string, unknown> {
  return {
    code,
    silent: false,
    store_history: true,
    user_expressions: {},
    allow_stdin: true,
    stop_on_error: true,
  };
}

/** A kernel in this process, and a client of it. */
export async function startKernel(
  options: { strict?: boolean; session?: SessionOptions } = {},
) {
  const cwd = options.session?.cwd ?? Deno.cwd();
  let session: Session | undefined;
  const kernel = new JupyterKernel({
    transport: "tcp",
    ip: "127.0.0.1",
    key: KEY,
    shell_port: 0,
    control_port: 0,
    iopub_port: 0,
    stdin_port: 0,
    hb_port: 0,
  }, {
    strict: options.strict,
    start: async (hooks) => session = await Session.start({ ...options.session, ...hooks }),
    notes: (hooks) => Promise.resolve(new Notes({ ...hooks, cwd })),
  });
  const client = await TestClient.connect(kernel.ports);
  return {
    kernel,
    client,
    /** The real kernel's process. */
    pid: () => session!.pid,
    async [Symbol.asyncDispose]() {
      await kernel.shutdown();
      client.close();
    },
  };
}

/** Outputs in short: text of streams with their name, text/plain of displays, errors. */
export function brief(outputs: Message[]): string[] {
  const texts: string[] = [];
  let stream = "";
  for (const { header, content } of outputs) {
    const { msg_type: type } = header;
    if (type === "stream") {
      // Joined or not, the text is the same.
      if (content.name === stream) texts[texts.length - 1] += content.text;
      else texts.push(`${content.name}: ${content.text}`);
      stream = content.name;
      continue;
    }
    stream = "";
    if (type === "error") texts.push(`${content.ename}: ${content.evalue}`);
    else if (type === "execute_result") {
      texts.push(`[${content.execution_count}] ${content.data["text/plain"]}`);
    } else texts.push(`${type}: ${content.data?.["text/plain"] ?? ""}`);
  }
  return texts;
}
