/** The benchmarks' conversation, for programs in TypeScript: one JSON document a line, as peer.py tells. */

import { TextLineStream } from "@std/streams/text-line-stream";
import type { RunAnswer } from "./harness.ts";

/** Does the work of one run. */
export type Run = () => Promise<RunAnswer>;

/** Makes what runs a case, and says what the program is; `end` is called when it is no longer needed. */
export type Prepare = (
  options: any,
) => Promise<{ run: Run; about: string; end?: () => Promise<void> }>;

/** The most memory that this process has held, where the system tells. */
async function peakBytes(): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return Number(status.match(/^VmHWM:\s*(\d+) kB$/m)?.[1]) * 1024;
  } catch {
    return undefined;
  }
}

/**
 * Answers requests until the input ends, and ends the process with it.
 *
 * @param cases What can be prepared, by name.
 */
export async function serve(cases: Record<string, Prepare>): Promise<void> {
  let prepared: Awaited<ReturnType<Prepare>> | undefined;
  const lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array<ArrayBuffer>, string>)
    .pipeThrough(new TextLineStream()) as ReadableStream<string>;
  for await (const line of lines) {
    let answer: Record<string, unknown>;
    try {
      const request = JSON.parse(line);
      if (request.do === "prepare") {
        await prepared?.end?.();
        prepared = await cases[request.case](request);
        answer = { ready: prepared.about };
      } else {
        answer = { peakBytes: await peakBytes(), ...await prepared!.run() };
      }
    } catch (error) {
      answer = { error: `${error}` };
    }
    console.log(JSON.stringify(answer));
  }
  await prepared?.end?.();
  // Threads that a library keeps would keep the process.
  Deno.exit();
}
