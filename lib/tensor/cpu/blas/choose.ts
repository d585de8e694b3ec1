/**
 * A program that checks libraries and says which one is the fastest. Each is checked by a process of its own (`check.ts`);
 * those that are right then multiply by turns, so that whatever else the machine does falls on all alike. It takes a task
 * and writes its outcome, each as JSON.
 *
 * @module
 */

import { type BlasLibrary, OWN_KERNELS } from "./blas.ts";
import type { CheckMessage } from "./check.ts";

/** What to look at. */
export interface ChooseTask {
  /** Names of libraries: of each group the first that exists, those to be preferred first. */
  readonly candidates: readonly (readonly string[])[];
  /** Seconds after which a library hangs. */
  readonly timeLimit: number;
  /** Whether to time them, beside our own kernels. */
  readonly timed: boolean;
}

/** A library that is not used. */
export interface RefusedBlas extends BlasLibrary {
  /** Why, as in `"OpenBLAS 0.3.5 computes wrong products"`. */
  readonly fault: "computes wrong products" | "crashes" | "hangs";
  /** What exactly happened, where there is more to say. */
  readonly detail?: string;
}

/** A library that is right, or our own kernels, with what it was compared by. */
export interface TimedBlas extends BlasLibrary {
  /** The least time for the products of a linear layer in a training step; 0 where nothing was timed. */
  readonly seconds: number;
}

/** The outcome. */
export interface ChooseOutcome {
  /** Libraries that are right and, where they were timed, our own kernels, whose path is empty; preferred ones first. */
  readonly timed: readonly TimedBlas[];
  /** Libraries that are there and must not be used. */
  readonly refused: readonly RefusedBlas[];
  /** Why libraries could not be checked. */
  readonly failed?: string;
}

/** How often each multiplies, after once that does not count. */
const ROUNDS = 20;

/** Multiples of the fastest time after which a library is no longer timed: from the first round, and after several. */
const HOPELESS = { atOnce: 10, later: 2, rounds: 5 };

/** A process of `check.ts`. */
class Check {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #errors: Promise<string>;

  constructor(paths: readonly string[], timeLimit: number) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--quiet", "--no-config", "--no-lock", "--no-check"],
        new URL("./check.ts", import.meta.url).href,
        ...[String(timeLimit), ...paths],
      ],
      env: { DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = lines(this.#child.stdout);
    this.#errors = new Response(this.#child.stderr).text();
  }

  /** Reads what it writes, to the end of the check. A library may write to standard output too. */
  async messages(): Promise<CheckMessage[]> {
    const messages: CheckMessage[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) break;
      const message = parse(value);
      if (!message) continue;
      messages.push(message);
      if (message.type === "failed") {
        throw new Error(`the checking process fails: ${message.message}`);
      }
      if (message.type === "result" || message.type === "none") return messages;
    }
    // It kills itself once it has said what it found; before that somebody else did, such as for want of memory.
    const { signal } = await this.#child.status;
    if (signal === "SIGKILL") throw new Error("the checking process was killed");
    if (messages.length > 0) return messages;
    const said = (await this.#errors).trim().split("\n").at(-1);
    throw new Error(`the checking process does not start: ${said}`);
  }

  /** Lets it multiply once; undefined where the library takes the process with it. */
  async time(): Promise<number | undefined> {
    await this.#input.write(new TextEncoder().encode("\n")).catch(() => {});
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) return undefined;
      const message = parse(value);
      if (message?.type === "time") return message.seconds;
    }
  }

  async end(): Promise<void> {
    await this.#input.close().catch(() => {}); // It may have ended by itself.
    await this.#child.status;
  }
}

/** A library that is right, or our own kernels, whose process is still there. */
interface Entrant {
  readonly library: BlasLibrary;
  readonly check: Check;
  readonly times: number[];
}

/** Checks the first of some libraries that exists and is right. */
async function checkFirst(
  paths: readonly string[],
  timeLimit: number,
  refused: RefusedBlas[],
): Promise<Entrant | undefined> {
  let rest = paths;
  while (rest.length > 0) {
    const check = new Check(rest, timeLimit);
    const messages = await check.messages();
    const last = messages.findLast((message) => message.type === "checking");
    const result = messages.findLast((message) => message.type === "result");
    if (!last || messages.at(-1)!.type === "none") return undefined;
    const library = last.library ??
      { name: last.path.split(/[/\\]/).at(-1)!, path: last.path };
    if (result && !result.fault) return { library, check, times: [] };
    const fault = result?.fault === "wrong"
      ? "computes wrong products"
      : result?.fault ?? "crashes";
    refused.push({ ...library, fault, ...(result?.detail && { detail: result.detail }) });
    rest = rest.slice(rest.indexOf(last.path) + 1);
  }
}

/** Checks all, at the same time. */
async function checkAll({ candidates, timeLimit }: ChooseTask) {
  const groups = await Promise.all(candidates.map(async (paths) => {
    const refused: RefusedBlas[] = [];
    const first = await checkFirst(paths, timeLimit, refused);
    return { first, refused };
  }));
  // Names may stand for the same file.
  const entrants = new Map<string, Entrant>();
  for (const entrant of groups.flatMap(({ first }) => first ?? [])) {
    if (entrants.has(entrant.library.path)) await entrant.check.end();
    else entrants.set(entrant.library.path, entrant);
  }
  const refused = new Map<string, RefusedBlas>();
  for (const one of groups.flatMap((group) => group.refused)) {
    if (!refused.has(one.path)) refused.set(one.path, one);
  }
  return { entrants: [...entrants.values()], refused: [...refused.values()] };
}

/** Lets them multiply by turns; those that do not come back are refused. */
async function timeByTurns(entrants: readonly Entrant[], refused: RefusedBlas[]): Promise<void> {
  let rest = entrants;
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { library, check, times } of rest) {
      const seconds = await check.time();
      if (seconds === undefined) refused.push({ ...library, fault: "crashes" });
      else times.push(seconds);
    }
    rest = rest.filter(({ times }) => times.length > round);
    const fastest = Math.min(...rest.map(least));
    const most = (round < HOPELESS.rounds ? HOPELESS.atOnce : HOPELESS.later) * fastest;
    rest = rest.filter((entrant) => least(entrant) <= most);
  }
}

/** The first time is that of memory and kernels that nobody has used before. */
function least({ times }: Entrant): number {
  return Math.min(...times.length > 1 ? times.slice(1) : times);
}

async function choose(task: ChooseTask): Promise<ChooseOutcome> {
  const { entrants, refused } = await checkAll(task);
  if (task.timed && entrants.length > 0) {
    const own = new Check([OWN_KERNELS.path], task.timeLimit);
    await own.messages();
    entrants.push({ library: OWN_KERNELS, check: own, times: [] });
    await timeByTurns(entrants, refused);
  }
  await Promise.all(entrants.map(({ check }) => check.end()));
  const timed = entrants.filter(({ library }) => !refused.some((one) => one.path === library.path));
  return {
    timed: timed.map((entrant) => ({
      ...entrant.library,
      seconds: task.timed ? least(entrant) : 0,
    })),
    refused,
  };
}

/** The lines of a program's output. */
async function* lines(output: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}

function parse(line: string): CheckMessage | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  let outcome: ChooseOutcome;
  try {
    outcome = await choose(JSON.parse(Deno.args[0]));
  } catch (error) {
    outcome = { timed: [], refused: [], failed: (error as Error).message };
  }
  console.log(JSON.stringify(outcome));
  // Processes that still check have nobody left to tell.
  Deno.exit();
}
