// A session in the sandbox, seen from within its outer wall: requests come as lines of JSON on standard
// input, and what happens goes out as lines of JSON on standard output.

import { TextLineStream } from "@std/streams/text-line-stream";
import { Session } from "../session.ts";
import type { ExecuteOptions, ExecuteResult, SessionMessage } from "../session/types.ts";
import { sandboxLauncher } from "./kernel_wall.ts";
import { lockSource } from "./seccomp.ts";
import { residentLimit, type Walls } from "./walls.ts";
import { watchMemory } from "./watch.ts";

/** What is asked from outside. Each but `send` and `stop` has a number and gets an answer. */
export type SessionRequest =
  | { type: "start"; walls: Walls; cwd: string; path: string; maxOutput: number }
  | {
    type: "execute";
    code: string;
    options: Pick<ExecuteOptions, "label" | "timeout" | "silent">;
  }
  | { type: "stop"; call: number }
  | { type: "send"; kind: "comm_msg"; content: Record<string, unknown> };

/** What is told outside, a line each. */
export type SessionReport =
  | { type: "done"; call: number }
  | { type: "result"; call: number; result: ExecuteResult; ended: boolean; flooded: boolean }
  | { type: "fault"; call: number; message: string }
  | { type: "message"; message: SessionMessage };

const encoder = new TextEncoder();

function write(report: SessionReport) {
  const bytes = encoder.encode(`${JSON.stringify(report)}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

if (import.meta.main) {
  let session: Session | undefined;
  const stops = new Map<number, AbortController>();

  const answer = async (request: SessionRequest & { call: number }): Promise<SessionReport> => {
    const { call } = request;
    if (request.type === "start") {
      const { walls, cwd, path, maxOutput } = request;
      watchMemory(residentLimit(walls));
      session = await Session.start({
        cwd,
        path,
        maxOutput,
        launcher: sandboxLauncher(walls),
        lock: lockSource(),
        // Binary parts would not survive JSON, and nobody outside asks for them.
        onMessage: (message) => write({ type: "message", message: { ...message, buffers: [] } }),
      });
    } else if (request.type === "execute") {
      const stop = new AbortController();
      stops.set(call, stop);
      const current = session!;
      const result = await current.execute(request.code, {
        ...request.options,
        signal: stop.signal,
      });
      stops.delete(call);
      return { type: "result", call, result, ended: current.ended, flooded: current.flooded };
    }
    return { type: "done", call };
  };

  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough<string>(new TextLineStream());
  for await (const line of lines) {
    const request: SessionRequest & { call: number } = JSON.parse(line);
    if (request.type === "stop") stops.get(request.call)?.abort();
    else if (request.type === "send") await session?.send(request.kind, request.content);
    else {
      answer(request).catch((error) => ({
        type: "fault" as const,
        call: request.call,
        message: (error as Error).message,
      })).then(write);
    }
  }
  await session?.close();
  Deno.exit();
}
