/**
 * Which BLAS is used: the system's, unless another one, such as one of the active Python environment, or our own kernels are
 * clearly faster; `TUNEBOOK_BLAS` names a library, or is `none`. Libraries are checked and timed by processes of
 * their own (`choose.ts`) before one is loaded here. The choice is kept in the user's cache folder, for as long as
 * library, processor and the variables that libraries read are the same: the same machine computes the same bits.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { blasVariables } from "../../../blas_variables.ts";
import { cacheFolder } from "../../../cache_folder.ts";
import { type BlasLibrary, OWN_KERNELS } from "./blas.ts";
import { type Candidate, pythonCandidates, systemCandidates } from "./candidates.ts";
import { loadBlas } from "./open.ts";
import type { ChooseOutcome, ChooseTask, RefusedBlas, TimedBlas } from "./choose.ts";

/** What a search for a BLAS found. */
export interface BlasSearch {
  /** The library that is used, loaded and checked; undefined where there is none that may be. */
  readonly used?: BlasLibrary;
  /** Libraries that are there and must not be used. */
  readonly refused: readonly RefusedBlas[];
  /** What was chosen earlier, where it is another now. */
  readonly before?: BlasLibrary;
  /** The library that is right, but slower than our own kernels, where none is used for that. */
  readonly slower?: string;
  /** What was compared, and its time, where that is not known from earlier. */
  readonly timed?: readonly TimedBlas[];
  /** Why libraries could not be checked; none is used then. */
  readonly unchecked?: string;
}

/** Options of {@linkcode findBlas}. */
export interface FindBlasOptions {
  /** Whether to check and choose again what is known from earlier. */
  readonly again?: boolean;
  /** Seconds after which a library hangs; 60 by default, since the machine may be busy. */
  readonly timeLimit?: number;
}

/** Raised where the check itself finds more than before. */
const CHECK_VERSION = 4;

/** Searches that are kept; each combination of variables has one. */
const MOST_KEPT = 24;

/**
 * How much less time a library must take than the one that is preferred, or that was chosen before. Less may be chance, and
 * the same machine has to choose the same each time, whatever variables are set and whatever else it does.
 */
const WORTHWHILE = 0.25;

/** Searches of this process. */
const found = new Map<string, BlasSearch>();

/**
 * Looks for a BLAS, and checks and times what there is where that is not known from an earlier process.
 *
 * @param options How to look.
 * @returns The library that is chosen among those that are right, and those that are not.
 * @throws {TypeError} If `TUNEBOOK_BLAS` names a library that does not load, or that must not be used.
 */
export function findBlas(options: FindBlasOptions = {}): BlasSearch {
  const named = Deno.env.get("TUNEBOOK_BLAS");
  if (named === "none") return { refused: [] };
  // What the Python environment holds is not part of the situation: a choice stays when another one is activated.
  const system = named ? [[/[/\\]/.test(named) ? resolve(named) : named]] : systemCandidates();
  const all = () => named ? system : [...system, ...pythonCandidates()];
  const key = describeSituation(system);
  let search = options.again ? undefined : found.get(key) ?? recall(key, all);
  if (!search) {
    const { again = false, timeLimit = 60 } = options;
    search = choose(key, { candidates: all(), timeLimit, timed: !named }, again);
  }
  found.set(key, search);
  if (named && !search.used) throw new TypeError(refusal(named, search));
  return search;
}

function refusal(named: string, { refused, unchecked }: BlasSearch): string {
  if (unchecked) {
    return `Cannot use the BLAS "${named}" that TUNEBOOK_BLAS names: ${unchecked}`;
  }
  if (refused.length > 0) {
    return `Cannot use the BLAS "${named}" that TUNEBOOK_BLAS names: it ${refused[0].fault}`;
  }
  return `Cannot load the BLAS "${named}" that TUNEBOOK_BLAS names: expected a library with "cblas_sgemm" or "dnnl_sgemm"`;
}

/** Has libraries checked and timed, loads the one that is chosen, and keeps the choice. */
function choose(key: string, task: ChooseTask, again: boolean): BlasSearch {
  let outcome: ChooseOutcome;
  try {
    outcome = runChoose(task);
    if (outcome.failed !== undefined) throw new Error(outcome.failed);
  } catch (error) {
    return { refused: [], unchecked: `no BLAS can be checked here: ${(error as Error).message}` };
  }
  // Another process may have chosen meanwhile: one choice holds for all.
  const other = again ? undefined : recall(key, () => task.candidates);
  if (other) return other;
  const { timed, refused } = outcome;
  const before = readChosen(key);
  const inOrder = byPreference(timed, before);
  const used = isOwn(inOrder[0]) ? undefined : loadFirst(inOrder);
  const slower = timed.length > 0 && isOwn(inOrder[0]) ? timed[0].name : undefined;
  const search = { used, refused, ...slower !== undefined && { slower } };
  remember(key, search, task.candidates);
  const isAnother = before !== undefined && used !== undefined && !isSame(before, used);
  return { ...search, timed, ...isAnother && { before } };
}

/** What is kept as chosen, whether or not it still holds. */
function readChosen(key: string): BlasLibrary | undefined {
  const kept = readKept()[key];
  return isKept(kept) ? kept.used : undefined;
}

/** Whether two are one library with the same kernels. */
function isSame(a: BlasLibrary, b: BlasLibrary): boolean {
  return a.path === b.path && a.core === b.core;
}

const isOwn = (library: BlasLibrary | undefined) => library?.path === OWN_KERNELS.path;

/** The one to be used first: the one chosen before or else the preferred one, unless another takes less time by enough. */
function byPreference(timed: readonly TimedBlas[], before?: BlasLibrary): TimedBlas[] {
  if (timed.length === 0) return [];
  const chosen = before && timed.find((one) => isSame(one, before));
  const preferred = chosen ?? timed[0];
  const fastest = timed.reduce((best, one) => one.seconds < best.seconds ? one : best);
  const isWorthwhile = fastest.seconds < (1 - WORTHWHILE) * preferred.seconds;
  const first = isWorthwhile ? fastest : preferred;
  return [first, ...timed.filter((one) => one !== first)];
}

function loadFirst(timed: readonly TimedBlas[]): BlasLibrary | undefined {
  for (const library of timed) {
    const used = isOwn(library) ? undefined : load(library);
    if (used) return used;
  }
}

/** Loads a library that was right; undefined where it takes other kernels here than in the process that checked it. */
function load({ path, name, core }: BlasLibrary): BlasLibrary | undefined {
  try {
    const library = loadBlas(path);
    return library.name === name && library.core === core ? library : undefined;
  } catch {
    return undefined;
  }
}

function runChoose(task: ChooseTask): ChooseOutcome {
  const program = Deno.execPath();
  // Without the right to start programs, a person would be asked for it.
  if (Deno.permissions.querySync({ name: "run", command: program }).state !== "granted") {
    throw new Error("this program has no right to start a process (--allow-run)");
  }
  const command = new Deno.Command(program, {
    args: [
      ...["run", "-A", "--quiet", "--no-config", "--no-lock", "--no-check"],
      new URL("./choose.ts", import.meta.url).href,
      JSON.stringify(task),
    ],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  let output: Deno.CommandOutput;
  try {
    output = command.outputSync();
  } catch { // such as in a sandbox
    throw new Error('no process can be started; "tunebook doctor" checks it for later');
  }
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  try {
    return JSON.parse(stdout);
  } catch {
    const said = stderr.trim().split("\n").at(-1);
    throw new Error(`the checking process does not start: ${said}`);
  }
}

/**
 * All that decides what a search finds, but the libraries' files. As a hash: a sandboxed notebook can read what is kept,
 * and paths of this machine do not concern it.
 */
function describeSituation(candidates: readonly Candidate[]): string {
  const { os } = Deno.build;
  const searchPath = { darwin: "DYLD_LIBRARY_PATH", windows: "PATH" }[os as string] ??
    "LD_LIBRARY_PATH";
  return hash(JSON.stringify([
    CHECK_VERSION,
    ...candidates.flat(),
    // Changes where a library is installed.
    ...os === "linux" ? [describeFile("/etc/ld.so.cache")] : [],
    Deno.env.get(searchPath) ?? null,
    describeProcessor(),
    blasVariables(),
  ]));
}

/** FNV-1a, twice: 16 hex digits, at once and without a library. */
function hash(text: string): string {
  const half = (start: number) => {
    let state = start;
    for (let i = 0; i < text.length; i++) {
      state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
    }
    return (state >>> 0).toString(16).padStart(8, "0");
  };
  return half(0x811c9dc5) + half(0x2f0b4a27);
}

/** The processor's model and abilities, which decide the kernels that a library takes. */
function describeProcessor(): string {
  if (Deno.build.os !== "linux") {
    return Deno.env.get("PROCESSOR_IDENTIFIER") ?? Deno.build.arch;
  }
  try {
    // Processors follow one another, each with its many flags: the first is enough.
    using file = Deno.openSync("/proc/cpuinfo");
    const start = new Uint8Array(8192);
    const text = new TextDecoder().decode(start.subarray(0, file.readSync(start) ?? 0));
    const lines = text.split("\n\n")[0].split("\n")
      .filter((line) => /^(vendor_id|cpu family|model|stepping|flags|Features|CPU)/.test(line));
    return lines.map((line) => line.replace(/\s+/g, " ")).join("; ");
  } catch {
    return Deno.build.arch;
  }
}

/** Whether a file is still the same; undefined where there is none. */
function describeFile(path: string): string | undefined {
  try {
    const { size, mtime } = Deno.statSync(path);
    return `${size} ${mtime?.getTime()}`;
  } catch {
    return undefined;
  }
}

// --- What is known from earlier ---

interface Kept {
  readonly used?: BlasLibrary;
  readonly refused: readonly RefusedBlas[];
  readonly slower?: string;
  /** The libraries' files by path, as they were. */
  readonly files: Readonly<Record<string, string>>;
  /** The libraries that were looked for, as a hash. */
  readonly candidates: string;
}

/**
 * Where searches are kept.
 *
 * @returns The file's path; undefined where there is no place.
 */
function keptPath(): string | undefined {
  const folder = cacheFolder();
  return folder && join(folder, "blas.json");
}

/**
 * Reads an earlier search.
 *
 * @param key The situation.
 * @param candidates What is looked for now: where nothing was found among others, it is looked for again.
 * @returns The search; undefined where nothing is known, or what is known does not hold any longer.
 */
function recall(key: string, candidates: () => readonly Candidate[]): BlasSearch | undefined {
  const kept = readKept()[key];
  if (!isKept(kept)) return undefined;
  if (Object.entries(kept.files).some(([path, state]) => describeFile(path) !== state)) {
    return undefined;
  }
  const { refused, slower } = kept;
  if (kept.used) {
    const used = load(kept.used);
    return used && { used, refused };
  }
  if (hash(JSON.stringify(candidates())) !== kept.candidates) return undefined;
  return { refused, ...slower !== undefined && { slower } };
}

/** A file that cannot be written is not an error: the next process checks again. */
function remember(
  key: string,
  { used, refused, slower }: BlasSearch,
  candidates: readonly Candidate[],
): void {
  const path = keptPath();
  if (!path) return;
  const files = Object.fromEntries(
    [...used ? [used] : [], ...refused].flatMap(({ path }) => {
      const state = describeFile(path);
      return state === undefined ? [] : [[path, state]];
    }),
  );
  const { [key]: _, ...others } = readKept();
  const kept: Kept = { used, refused, slower, files, candidates: hash(JSON.stringify(candidates)) };
  const entries = [...Object.entries(others), [key, kept]];
  const beside = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    const text = JSON.stringify(Object.fromEntries(entries.slice(-MOST_KEPT)), undefined, 2);
    Deno.writeTextFileSync(beside, `${text}\n`);
    Deno.renameSync(beside, path);
  } catch {
    try {
      Deno.removeSync(beside);
    } catch {
      // It was never there.
    }
  }
}

/** What is kept; nothing where the file is missing or damaged. */
function readKept(): Record<string, unknown> {
  const path = keptPath();
  if (!path) return {};
  try {
    const read: unknown = JSON.parse(Deno.readTextFileSync(path));
    return isRecord(read) ? read : {};
  } catch {
    return {};
  }
}

function isKept(value: unknown): value is Kept {
  return isRecord(value) && isRecord(value.files) &&
    (value.used === undefined || isLibrary(value.used)) && typeof value.candidates === "string" &&
    (value.slower === undefined || typeof value.slower === "string") &&
    Array.isArray(value.refused) &&
    value.refused.every((one) => isLibrary(one) && typeof one.fault === "string");
}

function isLibrary(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && typeof value.path === "string" && typeof value.name === "string" &&
    (value.core === undefined || typeof value.core === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
