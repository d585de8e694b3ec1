// A kernel's five channels, as described by its connection file, and the messages sent over them.

import { type Message, MessageCodec, type MessageHeader } from "../messages.ts";
import { startTimer } from "../timer.ts";
import { ListeningSocket, type Peer, type SocketAddress } from "./sockets.ts";

const PORTS = ["shell_port", "control_port", "iopub_port", "stdin_port", "hb_port"] as const;

/** The content of a connection file. */
export interface ConnectionInfo extends Record<typeof PORTS[number], number> {
  transport: "tcp" | "ipc";
  /** The address to listen on; for ipc, the prefix of the sockets' paths. */
  ip: string;
  /** The key that signs messages; empty for no signatures. */
  key: string;
}

/**
 * Reads a connection file.
 *
 * @param text Its content.
 * @throws {SyntaxError} If it is not a connection file; the message says what is wrong.
 */
export function parseConnectionInfo(text: string): ConnectionInfo {
  const fail = (why: string): never => {
    throw new SyntaxError(`Cannot read connection file: ${why}`);
  };
  let json: Record<string, unknown> | null;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail((error as Error).message);
  }
  // Checked by hand: zod takes a tenth of a second to load, which would delay the first cell.
  const { transport = "tcp", ip, key = "", signature_scheme: scheme } = json ?? {};
  if (transport !== "tcp" && transport !== "ipc") {
    return fail(`expected "transport" to be "tcp" or "ipc", got ${JSON.stringify(transport)}`);
  }
  if (typeof ip !== "string") return fail(`expected "ip" to be a string, got ${ip}`);
  if (typeof key !== "string") return fail(`expected "key" to be a string, got ${key}`);
  if (key !== "" && scheme !== undefined && scheme !== "hmac-sha256") {
    return fail(`expected "signature_scheme" to be "hmac-sha256", got ${JSON.stringify(scheme)}`);
  }
  const ports = PORTS.map((name) => {
    const port = json?.[name];
    const valid = Number.isInteger(port) && Number(port) >= 0 && Number(port) < 65_536;
    return [name, valid ? port : fail(`expected "${name}" to be a port, got ${port}`)];
  });
  return { transport, ip, key, ...Object.fromEntries(ports) };
}

/** A request, and how to reply to it. */
export interface Request {
  message: Message;
  channel: "shell" | "control";
  peer: Peer;
}

const encoder = new TextEncoder();

/** The channels of a kernel that clients connect to. */
export class Channels {
  #codec: MessageCodec;
  #sockets: Record<"shell" | "control" | "iopub" | "stdin" | "heartbeat", ListeningSocket>;
  #onInput = new Map<string, (value: string) => void>();

  /**
   * Starts listening.
   *
   * @param info The connection file's content.
   * @param onRequest Receives requests; messages without a valid signature are dropped.
   */
  constructor(info: ConnectionInfo, onRequest: (request: Request) => void) {
    this.#codec = new MessageCodec(info.key);
    const address = (port: number): SocketAddress =>
      info.transport === "tcp"
        ? { transport: "tcp", hostname: info.ip, port }
        : { transport: "unix", path: `${info.ip}-${port}` };
    const take = (channel: "shell" | "control") => (frames: Uint8Array[], peer: Peer) => {
      const message = this.#decode(frames);
      if (message !== undefined) onRequest({ message, channel, peer });
    };
    this.#sockets = {
      shell: new ListeningSocket(address(info.shell_port), "ROUTER", take("shell")),
      control: new ListeningSocket(address(info.control_port), "ROUTER", take("control")),
      iopub: new ListeningSocket(address(info.iopub_port), "PUB"),
      stdin: new ListeningSocket(address(info.stdin_port), "ROUTER", (frames) => {
        const message = this.#decode(frames);
        if (message?.header.msg_type !== "input_reply") return;
        const { value } = message.content;
        const id = message.parentHeader.msg_id ?? "";
        // Some clients omit the parent header in their replies.
        const key = this.#onInput.has(id) ? id : [...this.#onInput.keys()][0];
        this.#onInput.get(key)?.(typeof value === "string" ? value : "");
        this.#onInput.delete(key);
      }),
      heartbeat: new ListeningSocket(
        address(info.hb_port),
        "REP",
        (frames, peer) => peer.send(frames),
      ),
    };
  }

  /** The ports, if the connection file left the choice to the kernel. */
  get ports(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#sockets).map(([name, { port }]) => [name, port]),
    );
  }

  /** Answers a request. */
  reply({ message, channel, peer }: Request, content: Record<string, unknown>): void {
    if (!this.#sockets[channel].peers.has(peer)) return;
    const type = message.header.msg_type.replace(/_request$/, "_reply");
    const reply = this.#codec.create(type, content, message.header);
    reply.identities = message.identities;
    peer.send(this.#codec.encode(reply));
  }

  /**
   * Publishes a message to all clients.
   *
   * @param type The message's type.
   * @param content Its content.
   * @param parent The request that it belongs to.
   * @param rest Metadata and binary data.
   */
  publish(
    type: string,
    content: Record<string, unknown>,
    parent?: MessageHeader,
    rest: { metadata?: Record<string, unknown>; buffers?: Uint8Array[] } = {},
  ): void {
    const message = this.#codec.create(type, content, parent);
    message.identities = [encoder.encode(`kernel.${this.#codec.session}.${type}`)];
    Object.assign(message, rest);
    this.#sockets.iopub.publish(this.#codec.encode(message));
  }

  /**
   * Asks the client that sent a request for a line of text.
   *
   * @param request The request, on the shell channel.
   * @param content `prompt`, and whether it is for a `password`.
   * @returns The line; empty if the client has no stdin channel.
   */
  ask(
    request: Request,
    content: { prompt: string; password: boolean },
    signal: AbortSignal,
  ): Promise<string> {
    const peers = [...this.#sockets.stdin.peers];
    const { peerIdentity } = request.peer.connection;
    const peer = peers.find(({ connection }) => connection.peerIdentity === peerIdentity) ??
      peers[0];
    if (peer === undefined) return Promise.resolve("");
    const { promise, resolve } = Promise.withResolvers<string>();
    const message = this.#codec.create("input_request", content, request.message.header);
    message.identities = request.message.identities;
    const id = message.header.msg_id;
    this.#onInput.set(id, resolve);
    signal.addEventListener("abort", () => {
      this.#onInput.delete(id);
      resolve("");
    }, { once: true });
    peer.send(this.#codec.encode(message));
    return promise;
  }

  /**
   * Waits until connected clients receive what is published, so that the first output is not lost:
   * a client may send its first request before its subscription has arrived.
   */
  async audience(milliseconds: number): Promise<void> {
    const { iopub } = this.#sockets;
    const deadline = Date.now() + milliseconds;
    while (iopub.peers.size === 0 && Date.now() < deadline) await startTimer(5).passed;
    const timer = startTimer(Math.max(0, deadline - Date.now()));
    await Promise.race([iopub.settled(), timer.passed]);
    timer.cancel();
  }

  /** Closes all connections after everything sent has been delivered to the system. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#sockets).map((socket) => socket.close()));
  }

  #decode(frames: Uint8Array[]): Message | undefined {
    try {
      return this.#codec.decode(frames);
    } catch (error) {
      // A sender without the key is ignored; the log says so.
      console.error((error as Error).message);
      return undefined;
    }
  }
}
