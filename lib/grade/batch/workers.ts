/**
 * The processes that grade: each takes one job at a time, and is replaced when it is lost.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { innerProgram } from "../../runtime/sandbox/outer.ts";
import type { GradingJob, GradingReply } from "./worker.ts";

/** One process that grades, started with its first job. */
export class GradingWorker implements AsyncDisposable {
  #process?: Deno.ChildProcess;
  #input?: WritableStreamDefaultWriter<Uint8Array>;
  #lines?: AsyncIterator<string>;
  /** The last that the process wrote on standard error. */
  #complaint = "";

  /**
   * Grades a submission.
   *
   * @param job The submission.
   * @param seconds After which the process is taken to hang, and is ended.
   * @param signal Ends the process.
   * @returns Its reply.
   * @throws {Error} If the process was lost; the next job gets a new one.
   */
  async grade(job: GradingJob, seconds: number, signal?: AbortSignal): Promise<GradingReply> {
    signal?.throwIfAborted();
    this.#process ?? await this.#start();
    const process = this.#process!;
    const kill = () => {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    };
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      kill();
    }, seconds * 1000);
    const stop = () => void this.#input!.close().catch(kill);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await this.#input!.write(new TextEncoder().encode(`${JSON.stringify(job)}\n`));
      const { value, done } = await this.#lines!.next();
      if (!done) return JSON.parse(value);
    } catch {
      // It was lost while it was written to.
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
    const { code, signal: by } = await process.status;
    this.#process = undefined;
    signal?.throwIfAborted();
    const how = hangs ? `gave no answer within ${seconds} s` : `ended with ${by ?? `code ${code}`}`;
    const last = this.#complaint.trim().split("\n").at(-1);
    throw new Error(`The grader's process ${how}${last ? `: ${last}` : ""}`);
  }

  async #start(): Promise<void> {
    const [program, ...args] = await innerProgram(new URL("./worker.ts", import.meta.url));
    const process = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough<string>(new TextLineStream())[Symbol.asyncIterator]();
    this.#complaint = "";
    const listen = async () => {
      for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
        this.#complaint = (this.#complaint + text).slice(-4096);
      }
    };
    void listen().catch(() => {});
  }

  /** Lets the process end; work under way is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process === undefined) return;
    await this.#input!.close().catch(() => {});
    await this.#process.status;
    this.#process = undefined;
  }
}
