/** A kernel's output channel that remembers what was sent, and a clock that tests move. */

import type { JupyterChannel } from "../../lib/show/jupyter.ts";

/** One message as a client would get it. */
export interface Sent {
  type: string;
  id: string;
  data: Record<string, any>;
}

/** Remembers messages; those of one display replace each other as in a notebook. */
export class RecordingChannel implements JupyterChannel {
  readonly sent: Sent[] = [];

  /** @inheritdoc */
  async broadcast(type: string, content: Record<string, any>): Promise<void> {
    await Promise.resolve();
    this.sent.push({ type, id: content.transient.display_id, data: structuredClone(content.data) });
  }

  /** What a notebook would hold in the end, one bundle a display. */
  get outputs(): Record<string, any>[] {
    const outputs = new Map<string, Record<string, any>>();
    for (const { type, id, data } of this.sent) {
      if (type === "update_display_data" && !outputs.has(id)) {
        throw new Error("update before display");
      }
      outputs.set(id, data);
    }
    return [...outputs.values()];
  }
}

/** A clock in milliseconds. */
export class Clock {
  at = 0;
  readonly now = (): number => this.at;
}

/** Lets messages that were not awaited arrive. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
