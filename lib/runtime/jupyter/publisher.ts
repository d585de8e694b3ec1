// What the kernel publishes to all clients: states, outputs in their order, notes.

import type { MessageHeader } from "../messages.ts";
import type { OutputMessage } from "../outputs.ts";
import type { SessionMessage } from "../session.ts";
import type { Channels } from "./channels.ts";
import { StreamBuffer } from "./stream_buffer.ts";

/** Publishes on a kernel's iopub channel. */
export class Publisher {
  #channels: Channels;
  #streams: StreamBuffer;
  /** The cell whose text waits in the buffer. */
  #streaming?: MessageHeader;

  /** @param channels The kernel's. */
  constructor(channels: Channels) {
    this.#channels = channels;
    this.#streams = new StreamBuffer((name, text) =>
      channels.publish("stream", { name, text }, this.#streaming)
    );
  }

  /** Says what the kernel does with a request. */
  status(state: "starting" | "busy" | "idle", request?: MessageHeader): void {
    this.#streams.flush();
    this.#channels.publish("status", { execution_state: state }, request);
  }

  /** Says which code runs. */
  input(code: string, count: number, cell: MessageHeader): void {
    this.#channels.publish("execute_input", { code, execution_count: count }, cell);
  }

  /**
   * Publishes a cell's output; text waits a moment for more.
   *
   * @param output The output.
   * @param cell The cell's request.
   * @param count The number in front of the cell, for its result.
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

  /** Publishes what is no output. */
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

  /** Puts something in a note's place. */
  updateNote(displayId: string, data: Record<string, unknown>, cell?: MessageHeader): void {
    this.#channels.publish("update_display_data", {
      data,
      metadata: { tunebook: { note: true } },
      transient: { display_id: displayId },
    }, cell);
  }
}
