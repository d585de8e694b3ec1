// The only module of this room that talks to the Jupyter kernel.

/**
 * The part of `Deno.jupyter` that views use.
 *
 * @internal
 */
export interface JupyterChannel {
  /** Sends a message on the kernel's output channel. */
  broadcast(messageType: string, content: Record<string, unknown>): Promise<void>;
}

/**
 * The kernel's output channel, if this process is a Jupyter kernel.
 *
 * @returns The channel, or undefined outside a kernel.
 */
export function jupyterChannel(): JupyterChannel | undefined {
  try {
    // Outside `deno jupyter` the access itself throws.
    return Deno.jupyter as unknown as JupyterChannel;
  } catch {
    return undefined;
  }
}

/** An output that can be replaced later. */
export class UpdatingDisplay {
  readonly #channel: JupyterChannel;
  readonly #id = crypto.randomUUID();
  #shown = false;
  #sending: Promise<void> = Promise.resolve();

  /** @param channel Where to send; see {@linkcode jupyterChannel}. */
  constructor(channel: JupyterChannel) {
    this.#channel = channel;
  }

  /**
   * Shows `bundle`, replacing the previous content. Messages are sent in the order of the calls.
   *
   * @param bundle The content, keyed by MIME type.
   * @returns A promise that settles when the message has been sent. It never rejects, because a
   * failing display must not end a training run.
   */
  show(bundle: object): Promise<void> {
    const messageType = this.#shown ? "update_display_data" : "display_data";
    this.#shown = true;
    const content = { data: bundle, metadata: {}, transient: { display_id: this.#id } };
    this.#sending = this.#sending
      .then(() => this.#channel.broadcast(messageType, content))
      .catch(() => {});
    return this.#sending;
  }
}
