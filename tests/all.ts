/**
 * `deno task test`: the whole suite, a process for each room. What a room does to its process, such as environment
 * variables and loaded libraries, ends with it. Most tests keep one core busy, so two rooms run side by side, each
 * computing with half of the cores: threads that wait for each other must not wait for a core.
 *
 * Arguments that are paths take the place of all rooms; options go to `deno test`, such as `--filter softmax`.
 */

import { relative } from "@std/path";
import { TextLineStream } from "@std/streams/text-line-stream";
import { stripVTControlCharacters } from "node:util";
import { filesUnder, ROOT } from "./check.ts";

/** A room's name, and its folder or files. */
export type Room = readonly [name: string, paths: readonly string[]];

/** What `deno test` says at its end. */
export interface Counts {
  /** How many tests had each outcome, such as `passed`. */
  readonly [outcome: string]: number;
}

/**
 * Reads the last line of `deno test`.
 *
 * @param line The line, without colours.
 * @returns The counts; undefined if it is another line.
 */
export function readSummary(line: string): Counts | undefined {
  if (!/^(ok|FAILED) \| \d+ passed/.test(line)) return undefined;
  const counts: Record<string, number> = {};
  for (
    const [, count, outcome, steps] of line.matchAll(/\| (\d+) ([a-z]+)(?: \((\d+) steps?\))?/g)
  ) {
    counts[outcome] = Number(count);
    if (steps) counts[`${outcome} steps`] = Number(steps);
  }
  return counts;
}

/** The result of a room. */
export interface RoomResult {
  /** The room's name. */
  readonly room: string;
  /** What its last line says; undefined if the process did not come to it. */
  readonly counts?: Counts;
  /** Why the room failed; undefined if it passed. */
  readonly fault?: string;
  /** What `deno test` wrote of errors. */
  readonly errors: readonly string[];
}

/**
 * The last line for all rooms, in the form of `deno test`.
 *
 * @param results The rooms.
 * @param seconds How long they took.
 * @returns The line.
 */
export function summarize(results: readonly RoomResult[], seconds: number): string {
  const sum = (outcome: string) =>
    results.reduce((total, { counts }) => total + (counts?.[outcome] ?? 0), 0);
  const part = (outcome: string) => {
    const steps = sum(`${outcome} steps`);
    return `${sum(outcome)} ${outcome}${steps ? ` (${steps} step${steps === 1 ? "" : "s"})` : ""}`;
  };
  const outcomes = ["passed", "failed", ...["ignored"].filter((outcome) => sum(outcome) > 0)];
  const verdict = results.some(({ fault }) => fault) ? "FAILED" : "ok";
  const whole = Math.round(seconds);
  const time = `${Math.floor(whole / 60)}m${whole % 60}s`;
  return `${verdict} | ${outcomes.map(part).join(" | ")} (${time})`;
}

/** How many rooms run at once. */
const LANES = Math.min(2, navigator.hardwareConcurrency);

/**
 * Variables of every room, except those that are set already: its share of the cores, as our CPU device, PyTorch and the software
 * WebGPU adapter take it, and WebGPU through Vulkan alone.
 *
 * Deno otherwise loads EGL too, and runs tests in threads that may end while the process does: libglvnd's libEGL then frees
 * what it knows of a thread twice, and glibc ends the process after its last test.
 *
 * @returns The variables, by their names.
 */
export function environmentOfLane(): Record<string, string> {
  const threads = String(Math.max(1, Math.floor(navigator.hardwareConcurrency / LANES)));
  const variables = {
    TUNEBOOK_THREADS: threads,
    OMP_NUM_THREADS: threads,
    LP_NUM_THREADS: threads,
    ...(Deno.build.os === "linux" && { DENO_WEBGPU_BACKEND: "vulkan" }),
  };
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !Deno.env.has(name)),
  );
}

/** Runs a room's tests, and shows each line of theirs behind the room's name. */
async function runRoom(room: string, paths: readonly string[], options: readonly string[]) {
  const name = room.replace(/^tests\//, "");
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--frozen",
      "-A",
      "--no-check",
      "--doc",
      "--preload=tests/property_seed.ts",
      ...options,
      ...paths,
    ],
    cwd: ROOT,
    env: environmentOfLane(),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let counts: Counts | undefined;
  const errors: string[] = [];
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const lines: ReadableStream<string> = stream.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    );
    for await (const line of lines) {
      console.log(`${name} | ${line}`);
      const plain = stripVTControlCharacters(line);
      if (plain === " ERRORS " || errors.length > 0) errors.push(line);
      counts = readSummary(plain) ?? counts;
    }
  };
  const [{ code, signal }] = await Promise.all([
    child.status,
    read(child.stdout),
    read(child.stderr),
  ]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const fault = signal
    ? `was ended by ${signal}${counts ? " after its last test" : ""}`
    : code !== 0
    ? counts?.failed ? `has ${counts.failed} failed` : `ended with exit code ${code}`
    : undefined;
  console.log(`${name} | ${fault ? `${fault}, ` : ""}${seconds} s`);
  return { room, counts, fault, errors };
}

/** All test files, by their paths from the repository. */
export function testFiles(): string[] {
  return filesUnder(`${ROOT}/tests`, (name) => name.endsWith("_test.ts"))
    .map((path) => relative(ROOT, path).replaceAll("\\", "/"));
}

/** The rooms that take longest, which start first: none is left to run alone at the end. */
const LONGEST = ["grade", "notebooks", "parity", "runtime", "cli"].map((name) => `tests/${name}`);

/** All rooms: the examples in `lib`, the folders of `tests`, and the files beside these. */
export function allRooms(): Room[] {
  const folders = Map.groupBy(
    testFiles(),
    (file) => file.split("/").slice(0, -1).slice(0, 2).join("/"),
  );
  const rooms: Room[] = [
    ["lib", ["lib"]],
    ...[...folders].map(([name, files]): Room => [name, name === "tests" ? files : [name]]),
  ];
  const [first, later] = [
    rooms.filter(([name]) => LONGEST.includes(name)),
    rooms.filter(([name]) => !LONGEST.includes(name)),
  ];
  return [...first.sort(([a], [b]) => LONGEST.indexOf(a) - LONGEST.indexOf(b)), ...later];
}

if (import.meta.main) {
  const isPath = (argument: string) => /^(lib|tests)(\/|$)/.test(argument);
  const options = Deno.args.filter((argument) => !isPath(argument));
  const asked = Deno.args.filter(isPath);
  const started = performance.now();
  const rooms = asked.length > 0 ? asked.map((path): Room => [path, [path]]) : allRooms();
  const results: RoomResult[] = [];
  const waiting = [...rooms];
  const lane = async () => {
    for (let room = waiting.shift(); room; room = waiting.shift()) {
      results.push(await runRoom(...room, options));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const { room, fault, errors } of results) {
    if (fault) console.log(["", `${room} ${fault}`, ...errors].join("\n"));
  }
  console.log(`\n${summarize(results, (performance.now() - started) / 1000)}`);
  Deno.exit(results.some(({ fault }) => fault) ? 1 : 0);
}
