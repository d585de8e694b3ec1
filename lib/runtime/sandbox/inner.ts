// The sandbox seen from inside its network namespace: reads a job from standard input, runs it with
// the kernel behind walls, and writes what happens as lines of JSON to standard output.

import { TextLineStream } from "@std/streams";
import type { Notebook } from "../notebook.ts";
import { runNotebook, type RunOptions, type RunProgress, type RunResult } from "../runner.ts";
import { sandboxLauncher, type Walls } from "./walls.ts";

/** What to run. */
export interface SandboxJob {
  notebook: Notebook;
  walls: Walls;
  denoDir: string;
  options: RunOptions;
}

/** What the inner runner writes, a line each. */
export type SandboxMessage =
  | { type: "progress"; event: RunProgress }
  | { type: "result"; result: RunResult }
  | { type: "fault"; message: string };

/** A notebook that puts out more is stopped: what it puts out is kept in memory outside. */
const MAX_OUTPUT = 32 * 2 ** 20;

const encoder = new TextEncoder();

function write(message: SandboxMessage) {
  const bytes = encoder.encode(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

async function run({ notebook, walls, denoDir, options }: SandboxJob, stop: AbortController) {
  let size = 0;
  const result = await runNotebook(notebook, {
    ...options,
    signal: stop.signal,
    launcher: sandboxLauncher(walls, denoDir),
    onProgress(event) {
      write({ type: "progress", event });
      if (event.type !== "output") return;
      size += JSON.stringify(event.message.content).length;
      if (size > MAX_OUTPUT) stop.abort();
    },
  });
  if (size > MAX_OUTPUT && result.failure !== undefined) {
    const { failure } = result;
    failure.message = `The notebook put out more than ${MAX_OUTPUT / 2 ** 20} MiB and was stopped`;
    failure.summary = failure.summary.replace(/: Stopped: .*$/s, `: ${failure.message}`);
  }
  return result;
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
    write({ type: "result", result: await run(job, stop) });
  } catch (error) {
    write({ type: "fault", message: (error as Error).message });
  }
  Deno.exit();
}
