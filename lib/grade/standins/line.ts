/**
 * The grader's end of the line to the examiner. The kernel's own messages wait until a cell gives up its thread; a
 * synchronous test does not, so its calls go by another way: lines of JSON over a local connection.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";

/** How the examiner's process finds the line. */
export interface LineAddress {
  readonly port: number;
  /** What a caller says first: other programs of this machine do not know it. */
  readonly secret: string;
}

/** A line that waits for the examiner. */
export class ExaminerLine implements AsyncDisposable {
  readonly address: LineAddress;
  readonly #listener: Deno.TcpListener;
  readonly #onMessage: (content: unknown) => void;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #work: Promise<void>;
  #examiner?: { connection: Deno.TcpConn; writer: WritableStreamDefaultWriter<Uint8Array> };

  /** @param onMessage Takes what the examiner says. */
  constructor(onMessage: (content: unknown) => void) {
    this.#onMessage = onMessage;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = { port: this.#listener.addr.port, secret: crypto.randomUUID() };
    this.#work = this.#accept();
  }

  /** Says something to the examiner; nobody hears it if the examiner is gone. */
  send(content: Record<string, unknown>): void {
    const line = new TextEncoder().encode(`${JSON.stringify(content)}\n`);
    this.#examiner?.writer.write(line).catch(() => {});
  }

  async #accept(): Promise<void> {
    const readers: Promise<void>[] = [];
    for await (const connection of this.#listener) readers.push(this.#read(connection));
    await Promise.all(readers);
  }

  async #read(connection: Deno.TcpConn): Promise<void> {
    this.#open.add(connection);
    connection.setNoDelay();
    let isExaminer = false;
    try {
      const lines: ReadableStream<string> = connection.readable.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const line of lines) {
        if (isExaminer) this.#onMessage(JSON.parse(line));
        else if (line !== this.address.secret) break;
        else {
          isExaminer = true;
          this.#examiner = { connection, writer: connection.writable.getWriter() };
        }
      }
    } catch {
      // The other end is gone, or the line is closed.
    } finally {
      this.#close(connection);
    }
  }

  #close(connection: Deno.TcpConn): void {
    this.#open.delete(connection);
    if (this.#examiner?.connection === connection) this.#examiner = undefined;
    try {
      connection.close();
    } catch {
      // It is closed already.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of [...this.#open]) this.#close(connection);
    await this.#work;
  }
}
