// The sandbox seen from within its outer wall: reads a job from standard input, runs it with the kernel
// behind an inner wall, and writes what happens as lines of JSON to standard output.

import { TextLineStream } from "@std/streams/text-line-stream";
import type { Notebook } from "../notebook.ts";
import { runCells, type RunOptions, type RunProgress, type RunResult } from "../runner.ts";
import { sandboxLauncher } from "./kernel_wall.ts";
import { lockSource } from "./seccomp.ts";
import { residentLimit, SANDBOX_LIMITS, type Walls } from "./walls.ts";
import { watchMemory } from "./watch.ts";

/** What to run. */
export interface SandboxJob {
  notebook: Notebook;
  walls: Walls;
  options: RunOptions;
  /** Whether the notebook is to be told after each cell, for a file outside. */
  keep: boolean;
}

/** What the inner runner writes, a line each. */
export type SandboxMessage =
  | { type: "progress"; event: RunProgress }
  | { type: "notebook"; notebook: Notebook }
  | { type: "result"; result: RunResult }
  | { type: "fault"; message: string };

const encoder = new TextEncoder();

function write(message: SandboxMessage) {
  const bytes = encoder.encode(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

async function run({ notebook, walls, options, keep }: SandboxJob, signal: AbortSignal) {
  using _watch = watchMemory(residentLimit(walls));
  return await runCells(notebook, {
    ...options,
    signal,
    launcher: sandboxLauncher(walls),
    lock: lockSource(),
    maxOutput: SANDBOX_LIMITS.output,
    onProgress: (event) => write({ type: "progress", event }),
    save: async (notebook) => keep ? write({ type: "notebook", notebook }) : undefined,
  });
}

if (import.meta.main) {
  const lines: ReadableStreamDefaultReader<string> = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream()).pipeThrough<string>(new TextLineStream()).getReader();
  const job = JSON.parse((await lines.read()).value!);
  const stop = new AbortController();
  lines.read().then(({ value }) => {
    if (value !== undefined) stop.abort();
  });
  try {
    write({ type: "result", result: await run(job, stop.signal) });
  } catch (error) {
    write({ type: "fault", message: (error as Error).message });
  }
  Deno.exit();
}
