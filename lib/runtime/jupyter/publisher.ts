// Publishes to all clients: status, outputs in order, notes.

import type { MessageHeader } from "../messages.ts";
import type { OutputMessage } from "../outputs.ts";
import type { SessionMessage } from "../session.ts";
import type { Channels } from "./channels.ts";
import { StreamBuffer } from "./stream_buffer.ts";

/** Publishes on a kernel's iopub channel. */
export class Publisher {
  #channels: Channels;
  #streams: StreamBuffer;
  /** The cell that the buffered text belongs to. */
  #streaming?: MessageHeader;

  /** @param channels The kernel's. */
  constructor(channels: Channels) {
    this.#channels = channels;
    this.#streams = new StreamBuffer((name, text) =>
      channels.publish("stream", { name, text }, this.#streaming)
    );
  }

  /** Publishes the kernel's status for a request. */
  status(state: "starting" | "busy" | "idle", request?: MessageHeader): void {
    this.#streams.flush();
    this.#channels.publish("status", { execution_state: state }, request);
  }

  /** Publishes which code runs. */
  input(code: string, count: number, cell: MessageHeader): void {
    this.#channels.publish("execute_input", { code, execution_count: count }, cell);
  }

  /**
   * Publishes a cell's output; text is buffered briefly and joined.
   *
   * @param output The output.
   * @param cell The cell's request.
   * @param count The cell's execution count, for its result.
   */
  output({ type, content }: OutputMessage, cell: MessageHeader | undefined, count: number): void {
    if (type === "stream") {
      if (cell !== this.#streaming) this.#streams.flush();
      this.#streaming = cell;
      this.#streams.add(content.name, content.text);
      return;
    }
    this.#streams.flush();
    const full = type === "execute_result" ? { ...content, execution_count: count } : content;
    this.#channels.publish(type, full, cell);
  }

  /** Publishes any other message. */
  message({ type, content, ...rest }: SessionMessage, cell?: MessageHeader): void {
    this.#streams.flush();
    this.#channels.publish(type, content, cell, rest);
  }

  /** Shows a note, empty at first. */
  note(displayId: string, cell: MessageHeader): void {
    this.#channels.publish("display_data", {
      data: {},
      metadata: { tunebook: { note: true } },
      transient: { display_id: displayId },
    }, cell);
  }

  /** Replaces the content of a note. */
  updateNote(displayId: string, data: Record<string, unknown>, cell?: MessageHeader): void {
    this.#channels.publish("update_display_data", {
      data,
      metadata: { tunebook: { note: true } },
      transient: { display_id: displayId },
    }, cell);
  }
}
