// Messages of the Jupyter protocol, signed with HMAC-SHA256.
// https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol

import { createHmac, timingSafeEqual } from "node:crypto";

/** The header of a message. */
export interface MessageHeader {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  /** ISO 8601. */
  date: string;
  /** The protocol's version. */
  version: string;
}

/**
 * A message of the Jupyter protocol.
 *
 * @internal
 */
export interface Message {
  header: MessageHeader;
  /** The header of the request that this message answers; empty if there is none. */
  parentHeader: Partial<MessageHeader>;
  metadata: Record<string, unknown>;
  // deno-lint-ignore no-explicit-any
  content: any;
  /** Binary data that comes with the content. */
  buffers: Uint8Array[];
  /** The routing frames before the delimiter. */
  identities: Uint8Array[];
  /** How many bytes of JSON it came as; 0 for one that was made here. */
  bytes: number;
}

const DELIMITER = "<IDS|MSG>";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Signs, checks, packs and unpacks messages with one key. */
export class MessageCodec {
  /** The session id that outgoing headers carry. */
  readonly session: string = crypto.randomUUID();
  #key: string;

  /** @param key The connection file's key; empty for no signatures. */
  constructor(key: string) {
    this.#key = key;
  }

  /** A new message of a type, not sent yet. */
  create(type: string, content: Record<string, unknown>, parent?: MessageHeader): Message {
    const header = {
      msg_id: crypto.randomUUID(),
      msg_type: type,
      session: this.session,
      username: "tunebook",
      date: new Date().toISOString(),
      version: "5.3",
    };
    return {
      header,
      parentHeader: parent ?? {},
      metadata: {},
      content,
      buffers: [],
      identities: [],
      bytes: 0,
    };
  }

  /** The frames of a message, signed. */
  encode(message: Message): Uint8Array[] {
    const parts = [message.header, message.parentHeader, message.metadata, message.content]
      .map((part) => encoder.encode(JSON.stringify(part)));
    return [
      ...message.identities,
      encoder.encode(DELIMITER),
      encoder.encode(this.#sign(parts)),
      ...parts,
      ...message.buffers,
    ];
  }

  /**
   * Reads a message and checks its signature.
   *
   * @param frames The frames as they came.
   * @throws {SyntaxError} If they are not a Jupyter message, or are signed with another key.
   */
  decode(frames: Uint8Array[]): Message {
    const at = frames.findIndex((frame) =>
      frame.length === DELIMITER.length && decoder.decode(frame) === DELIMITER
    );
    if (at < 0) throw new SyntaxError(`Cannot read message: it has no "${DELIMITER}" frame`);
    if (frames.length < at + 6) {
      throw new SyntaxError(
        `Cannot read message: expected at least 5 frames after the delimiter, got ${
          frames.length - at - 1
        }`,
      );
    }
    const parts = frames.slice(at + 2, at + 6);
    const expected = encoder.encode(this.#sign(parts));
    const got = frames[at + 1];
    if (this.#key && (got.length !== expected.length || !timingSafeEqual(got, expected))) {
      throw new SyntaxError("Cannot read message: its signature does not match its content");
    }
    const [header, parentHeader, metadata, content] = parts.map((part) => {
      try {
        return JSON.parse(decoder.decode(part));
      } catch (error) {
        throw new SyntaxError(
          `Cannot read message: ${(error as Error).message.replace(/\s+/g, " ")}`,
        );
      }
    });
    if (typeof header?.msg_type !== "string") {
      throw new SyntaxError("Cannot read message: its header has no msg_type");
    }
    if (!isObject(parentHeader ?? {}) || !isObject(metadata) || !isObject(content)) {
      throw new SyntaxError("Cannot read message: expected objects in its frames");
    }
    return {
      header,
      parentHeader: parentHeader ?? {},
      metadata,
      content,
      buffers: frames.slice(at + 6),
      identities: frames.slice(0, at),
      bytes: parts.reduce((sum, part) => sum + part.length, 0),
    };
  }

  #sign(parts: Uint8Array[]): string {
    if (!this.#key) return "";
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
