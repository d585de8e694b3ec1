/**
 * Checks a GPU: each question in a process of its own, so that a driver that crashes or hangs in one costs no other answer.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { describeAdapter, findAdapter, INSTALL_HINT } from "../../tensor/webgpu/adapter.ts";
import { GPU_PARTS } from "./parts.ts";
import type { Cell, GpuMessage, GpuPartResult, GpuReport } from "./report.ts";

/** Options of {@linkcode checkGpu}. */
export interface CheckGpuOptions {
  /** Called when a part begins. */
  readonly onPart?: (title: string) => void;
  /** The module that answers a question, for tests. */
  readonly program?: URL;
  /** Seconds for each part, for tests; by default each part's own. */
  readonly limit?: number;
}

/**
 * Checks the best adapter of this machine: hardware, otherwise software.
 *
 * @param options Progress.
 * @returns What was found; parts that failed say why.
 * @throws {TypeError} If there is no adapter.
 */
export async function checkGpu(options: CheckGpuOptions = {}): Promise<GpuReport> {
  const adapter = await findAdapter({ software: true });
  if (!adapter) throw new TypeError(`Cannot check a GPU: no adapter was found; ${INSTALL_HINT}`);
  const { name, software } = describeAdapter(adapter);
  const before = performance.now();
  const parts: GpuPartResult[] = [];
  for (const [part, { title, limits }] of Object.entries(GPU_PARTS)) {
    options.onPart?.(title);
    const limit = options.limit ?? (software ? limits.software : limits.hardware);
    parts.push({ name: part, title, ...await runPart(part, limit, options.program) });
  }
  const { deno } = Deno.version;
  return {
    adapter: name,
    software,
    system: `Deno ${deno}, ${Deno.build.os} ${Deno.build.arch}, ${Deno.osRelease()}`,
    parts,
    seconds: secondsSince(before),
  };
}

async function runPart(
  part: string,
  limit: number,
  program: URL = new URL("./run_part.ts", import.meta.url),
): Promise<Omit<GpuPartResult, "name" | "title">> {
  const before = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", program.href, part],
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, 1000 * limit);
  const said = new Response(child.stderr).text();
  const rows: Readonly<Record<string, Cell>>[] = [];
  const notes: string[] = [];
  let doing = "starting";
  let end: string | undefined;
  let done = false;
  try {
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    );
    for await (const line of lines as ReadableStream<string>) {
      const message = parseMessage(line);
      if (message?.kind === "doing") doing = message.what;
      if (message?.kind === "row") rows.push(message.cells);
      if (message?.kind === "note") notes.push(message.text);
      if (message?.kind === "failed") end = `${message.reason} (at: ${doing})`;
      if (message?.kind === "done") done = true;
    }
    const { code, signal } = await child.status;
    const last = (await said).trim().split("\n").at(-1);
    if (late) end = `It was ended after ${limit} s (at: ${doing})`;
    else if (!done && end === undefined) {
      const how = signal ? `signal ${signal}` : `code ${code}`;
      end = `Its process ended with ${how} (at: ${doing})${last ? `: ${last}` : ""}`;
    }
  } finally {
    clearTimeout(timer);
  }
  return { rows, notes, ...(end !== undefined && { failure: end }), seconds: secondsSince(before) };
}

/** Drivers print to standard output too. */
function parseMessage(line: string): GpuMessage | undefined {
  if (!line.startsWith('{"kind":')) return undefined;
  try {
    return JSON.parse(line) as GpuMessage;
  } catch {
    return undefined; // a line that was cut off
  }
}

function secondsSince(before: number): number {
  return Math.round((performance.now() - before) / 100) / 10;
}
