// ZMTP 3.0 with the NULL mechanism over a TCP connection: the protocol of Jupyter kernels.
// https://rfc.zeromq.org/spec/23/
// npm's "zeromq" is a native addon that hangs under Deno, and a kernel needs only a small part of
// the protocol.

/** The socket types that Jupyter's channels use, from either side. */
export type ZmtpSocketType = "DEALER" | "ROUTER" | "SUB" | "PUB" | "REQ" | "REP";

const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const GREETING_LENGTH = 64;

/** Larger messages are refused: kernels do not send them, but a broken stream may announce them. */
const MAX_MESSAGE = 2 ** 30;
/** What a frame counts beside its bytes: a message of many empty ones takes memory too. */
const FRAME_COST = 64;

/** A message is larger than is allowed. */
export class MessageTooLarge extends Error {
  override name = "MessageTooLarge";

  /** @param size Its size so far. @param most The size that is allowed. */
  constructor(size: number, most: number) {
    super(`Cannot read ZMTP message of ${size} bytes: at most ${most} are allowed`);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A complete unit read from the wire: a message of one or more frames, or a command. */
export type ZmtpUnit =
  | { kind: "message"; frames: Uint8Array[] }
  | { kind: "command"; name: string; body: Uint8Array };

/** The 64-byte greeting of each side: signature, version 3.0, mechanism NULL. */
export function encodeGreeting(): Uint8Array<ArrayBuffer> {
  const greeting = new Uint8Array(GREETING_LENGTH);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting[10] = 3;
  greeting.set(encoder.encode("NULL"), 12);
  return greeting;
}

/** The READY command, which ends the NULL handshake. */
export function encodeReady(type: ZmtpSocketType, identity = ""): Uint8Array<ArrayBuffer> {
  const property = (name: string, value: string) => {
    const nameBytes = encoder.encode(name);
    const valueBytes = encoder.encode(value);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, valueBytes.length);
    return [Uint8Array.of(nameBytes.length), nameBytes, length, valueBytes];
  };
  const body = concat([
    Uint8Array.of(5),
    encoder.encode("READY"),
    ...property("Socket-Type", type),
    ...property("Identity", identity),
  ]);
  return concat(encodeFrame(body, COMMAND));
}

/** A message as bytes: all frames in one buffer, so that it is sent in one write. */
export function encodeMessage(frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(
    frames.flatMap((frame, index) => encodeFrame(frame, index < frames.length - 1 ? MORE : 0)),
  );
}

function encodeFrame(body: Uint8Array, flags: number): Uint8Array[] {
  if (body.length <= 255) return [Uint8Array.of(flags, body.length), body];
  const header = new Uint8Array(9);
  header[0] = flags | LONG;
  new DataView(header.buffer).setBigUint64(1, BigInt(body.length));
  return [header, body];
}

/** Assembles messages from bytes that arrive cut anywhere. */
export class ZmtpDecoder {
  #greeted = false;
  /** Bytes of an unfinished greeting or frame header; always few. */
  #head = new Uint8Array(0);
  #frame: { flags: number; body: Uint8Array; filled: number } | undefined;
  #frames: Uint8Array[] = [];
  /** What the unfinished message has so far. */
  #size = 0;
  #most: number;

  /** @param most The most bytes that a message may have. */
  constructor(most = MAX_MESSAGE) {
    this.#most = most;
  }

  /**
   * Adds bytes from the peer.
   *
   * @param chunk Any number of bytes.
   * @returns The units that they complete, in order.
   * @throws {Error} If they are not ZMTP 3 with the NULL mechanism.
   * @throws {MessageTooLarge} If a message is larger than is allowed, before it has arrived.
   */
  push(chunk: Uint8Array): ZmtpUnit[] {
    const units: ZmtpUnit[] = [];
    let rest = chunk;
    while (true) {
      if (this.#frame !== undefined) {
        const { flags, body } = this.#frame;
        const taken = Math.min(rest.length, body.length - this.#frame.filled);
        body.set(rest.subarray(0, taken), this.#frame.filled);
        this.#frame.filled += taken;
        rest = rest.subarray(taken);
        if (this.#frame.filled < body.length) return units;
        this.#frame = undefined;
        if (flags & COMMAND) {
          units.push(decodeCommand(body));
        } else {
          this.#frames.push(body);
          if (!(flags & MORE)) {
            units.push({ kind: "message", frames: this.#frames });
            this.#frames = [];
            this.#size = 0;
          }
        }
      }
      if (rest.length === 0) return units;
      const head = this.#head.length === 0 ? rest : concat([this.#head, rest]);
      const used = this.#greeted ? this.#readHeader(head) : this.#readGreeting(head);
      this.#head = used === 0 ? head.slice() : new Uint8Array(0);
      if (used === 0) return units;
      rest = head.subarray(used);
    }
  }

  /** The number of bytes used; 0 if more are needed. */
  #readGreeting(bytes: Uint8Array): number {
    if (bytes[0] !== 0xff || (bytes.length > 9 && (bytes[9] & 1) === 0)) {
      throw new Error("Cannot speak ZMTP with the peer: its greeting has no ZMTP signature");
    }
    if (bytes.length < GREETING_LENGTH) return 0;
    if (bytes[10] < 3) {
      throw new Error(`Cannot speak ZMTP with the peer: expected version 3, got ${bytes[10]}`);
    }
    const mechanism = decoder.decode(bytes.subarray(12, 32)).replace(/\0+$/, "");
    if (mechanism !== "NULL") {
      throw new Error(
        `Cannot speak ZMTP with the peer: expected mechanism "NULL", got ${
          JSON.stringify(mechanism)
        }`,
      );
    }
    this.#greeted = true;
    return GREETING_LENGTH;
  }

  #readHeader(bytes: Uint8Array): number {
    const flags = bytes[0];
    if (flags > 7) throw new Error(`Cannot read ZMTP frame: its flags are ${flags}`);
    const used = flags & LONG ? 9 : 2;
    if (bytes.length < used) return 0;
    const size = flags & LONG
      ? Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1))
      : bytes[1];
    this.#size += size + FRAME_COST;
    if (this.#size > this.#most) throw new MessageTooLarge(this.#size, this.#most);
    this.#frame = { flags, body: new Uint8Array(size), filled: 0 };
    return used;
  }
}

/** The metadata of a READY command, by name in lower case, because names are case-insensitive. */
export function decodeReady(body: Uint8Array): Map<string, Uint8Array> {
  const properties = new Map<string, Uint8Array>();
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length;) {
    const value = at + 1 + body[at] + 4;
    if (value > body.length) throw new Error("Cannot read ZMTP READY: it ends too early");
    const name = decoder.decode(body.subarray(at + 1, value - 4)).toLowerCase();
    const end = value + view.getUint32(value - 4);
    if (end > body.length) throw new Error("Cannot read ZMTP READY: it ends too early");
    properties.set(name, body.slice(value, end));
    at = end;
  }
  return properties;
}

function decodeCommand(body: Uint8Array): ZmtpUnit {
  const length = body[0] ?? 0;
  const name = decoder.decode(body.subarray(1, 1 + length));
  return { kind: "command", name, body: body.subarray(1 + length) };
}

/** A ZMTP connection, from either side of a TCP connection. */
export class ZmtpConnection {
  /**
   * The identity that the peer chose, in hexadecimal digits, by which a ROUTER distinguishes peers;
   * often empty.
   */
  peerIdentity = "";
  #conn: Deno.Conn;
  #decoder: ZmtpDecoder;
  #ready: ZmtpUnit[] = [];
  #buffer = new Uint8Array(65536);
  #sending: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(conn: Deno.Conn, maxMessage?: number) {
    this.#conn = conn;
    this.#decoder = new ZmtpDecoder(maxMessage);
  }

  /**
   * Connects to a listening peer.
   *
   * @param options `hostname` and `port` of the peer, this side's socket `type`, and the `identity`
   * under which a ROUTER knows this side, and `maxMessage`, the most bytes of a message, 1 GiB by
   * default.
   * @returns The connection, its handshake done; a SUB is subscribed to everything.
   */
  static async connect(
    { hostname = "127.0.0.1", port, type, identity, maxMessage }: {
      hostname?: string;
      port: number;
      type: ZmtpSocketType;
      identity?: string;
      maxMessage?: number;
    },
  ): Promise<ZmtpConnection> {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    return await ZmtpConnection.open(conn, type, identity, maxMessage);
  }

  /**
   * Performs the handshake over a TCP connection, and closes it if that fails.
   *
   * @param conn The connection, owned by the result from now on.
   * @param type This side's socket type.
   * @param identity The identity under which a ROUTER knows this side.
   * @param maxMessage The most bytes that a message may have; 1 GiB by default.
   */
  static async open(
    conn: Deno.Conn,
    type: ZmtpSocketType,
    identity?: string,
    maxMessage?: number,
  ): Promise<ZmtpConnection> {
    const self = new ZmtpConnection(conn, maxMessage);
    try {
      await self.#write(encodeGreeting());
      await self.#write(encodeReady(type, identity));
      const unit = await self.#next();
      if (unit === undefined) {
        throw new Deno.errors.UnexpectedEof(
          'Cannot speak ZMTP with the peer: expected "READY", got the end',
        );
      }
      if (unit.kind !== "command" || unit.name !== "READY") {
        const got = unit.kind === "command" ? JSON.stringify(unit.name) : "a message";
        throw new Error(`Cannot speak ZMTP with the peer: expected "READY", got ${got}`);
      }
      self.peerIdentity = decodeReady(unit.body).get("identity")?.toHex() ?? "";
      // A subscription is a message of the byte 1 and the topic; the empty topic matches
      // everything.
      if (type === "SUB") await self.send([Uint8Array.of(1)]);
      return self;
    } catch (error) {
      self.close();
      throw error;
    }
  }

  /** Sends a message; concurrent calls are sent whole and in the order of the calls. */
  send(frames: Uint8Array[]): Promise<void> {
    const sent = this.#sending.then(() => this.#write(encodeMessage(frames)));
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /** The messages that arrive, until the peer or this side closes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array[], void, undefined> {
    for (let unit = await this.#next(); unit !== undefined; unit = await this.#next()) {
      if (unit.kind === "message") yield unit.frames;
      else if (unit.name === "ERROR") {
        throw new Error(`The ZMTP peer reported "${decoder.decode(unit.body.subarray(1))}"`);
      }
    }
  }

  /** Closes the connection; a pending read ends. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #next(): Promise<ZmtpUnit | undefined> {
    while (this.#ready.length === 0) {
      const count = await this.#conn.read(this.#buffer).catch((error) => {
        if (this.#closed || error instanceof Deno.errors.ConnectionReset) return null;
        throw error;
      });
      if (count === null) return undefined;
      this.#ready = this.#decoder.push(this.#buffer.subarray(0, count));
    }
    return this.#ready.shift();
  }

  /** Waits until everything sent has been handed to the system. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#conn.write(bytes.subarray(done));
    }
  }
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
