/**
 * A program that checks a BLAS, in a process of its own: a library that does not fit the processor can compute wrong
 * products, crash, or never come back. It loads the first of the libraries that are named in its arguments and that exist,
 * compares its products with ours on several threads at once, and writes what happens as lines of JSON. Then it multiplies
 * once per line of its input, and writes how long that took.
 *
 * @module
 */

import type { BlasLibrary } from "./blas.ts";
import type { ThreadReply, ThreadTask } from "./check_thread.ts";

/** A line of what it writes. After `"checking"`, no `"result"` means that the library took the process with it. */
export type CheckMessage =
  | { readonly type: "ready" }
  | { readonly type: "checking"; readonly path: string; readonly library?: BlasLibrary }
  | { readonly type: "result"; readonly fault?: "wrong" | "hangs"; readonly detail?: string }
  | { readonly type: "none" }
  | { readonly type: "time"; readonly seconds: number }
  /** Our own part failed, which says nothing of a library. */
  | { readonly type: "failed"; readonly message: string };

/** A device's threads multiply at the same time, which not every build of a library bears. */
const THREADS = 2;

const [seconds, ...paths] = Deno.args;

function say(message: CheckMessage): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

/** Ends at once: what a library does when a process ends can hang as well. */
function end(message?: CheckMessage): never {
  if (message) say(message);
  Deno.kill(Deno.pid, "SIGKILL");
  throw new Error("Unreachable");
}

function ask(thread: Worker, task: ThreadTask): Promise<ThreadReply> {
  return new Promise((resolve) => {
    thread.onmessage = ({ data }: MessageEvent<ThreadReply>) => resolve(data);
    thread.onerror = ({ message }) => end({ type: "failed", message });
    thread.postMessage(task);
  });
}

const threads = Array.from(
  { length: THREADS },
  () => new Worker(new URL("./check_thread.ts", import.meta.url), { type: "module" }),
);

const askAll = (task: ThreadTask) => Promise.all(threads.map((thread) => ask(thread, task)));

/** Whether a library is right; ends where it is not. */
async function check(path: string): Promise<BlasLibrary | undefined> {
  // The libraries run on the other threads: this one keeps the time.
  const watch = setTimeout(() => end({ type: "result", fault: "hangs" }), Number(seconds) * 1000);
  say({ type: "checking", path });
  const { library } = await ask(threads[0], { task: "load", path });
  if (library) {
    say({ type: "checking", path, library });
    const replies = await askAll({ task: "compare", path: library.path });
    const detail = replies.find(({ wrong }) => wrong)?.wrong;
    if (detail) end({ type: "result", fault: "wrong", detail });
    say({ type: "result" });
  }
  clearTimeout(watch);
  return library;
}

/** Multiplies on all threads, once per line of input. */
async function time(path: string): Promise<void> {
  const task = { task: "multiply", path } as const;
  for await (const chunk of Deno.stdin.readable) {
    for (let times = chunk.filter((byte) => byte === NEW_LINE).length; times > 0; times--) {
      const watch = setTimeout(end, Number(seconds) * 1000);
      const begin = performance.now();
      await askAll(task);
      say({ type: "time", seconds: (performance.now() - begin) / 1000 });
      clearTimeout(watch);
    }
  }
}

const NEW_LINE = 10;

say({ type: "ready" });
for (const path of paths) {
  // Our own kernels, which are timed beside.
  const isOwn = path === "";
  if (isOwn) say({ type: "result" });
  const library = isOwn ? undefined : await check(path);
  if (!isOwn && !library) continue;
  await time(library?.path ?? path);
  end();
}
end({ type: "none" });
