/**
 * Which BLAS is used: Accelerate on macOS, OpenBLAS, MKL or BLIS elsewhere; `TUNEBOOK_BLAS` names a library, or is
 * `none`. A library is checked by a process of its own (`check.ts`) before it is loaded here. What came of that is kept
 * in the user's cache folder, for as long as library, processor and the variables that libraries read are the same.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { blasVariables } from "../../../blas_variables.ts";
import { cacheFolder } from "../../../cache_folder.ts";
import { type BlasLibrary, loadBlas } from "./blas.ts";
import type { CheckMessage } from "./check.ts";

/** A library that is not used. */
export interface RefusedBlas extends BlasLibrary {
  /** Why, as in `"OpenBLAS 0.3.5 computes wrong products"`. */
  readonly fault: "computes wrong products" | "crashes" | "hangs";
  /** What exactly happened, where there is more to say. */
  readonly detail?: string;
}

/** What a search for a BLAS found. */
export interface BlasSearch {
  /** The library that is used, loaded and checked; undefined where there is none that may be. */
  readonly used?: BlasLibrary;
  /** Libraries that are there and must not be used. */
  readonly refused: readonly RefusedBlas[];
  /** Why libraries could not be checked; none is used then. */
  readonly unchecked?: string;
}

/** Options of {@linkcode findBlas}. */
export interface FindBlasOptions {
  /** Whether to check again what is known from earlier. */
  readonly again?: boolean;
  /** Seconds after which a library hangs; 60 by default, since the machine may be busy. */
  readonly timeLimit?: number;
}

/** Raised where the check itself finds more than before. */
const CHECK_VERSION = 1;

/** Searches that are kept; each combination of variables has one. */
const MOST_KEPT = 24;

const CANDIDATES: Readonly<Record<string, readonly string[]>> = {
  darwin: ["/System/Library/Frameworks/Accelerate.framework/Accelerate"],
  windows: ["libopenblas.dll", "openblas.dll", "mkl_rt.2.dll"],
  linux: ["libopenblas.so.0", "libopenblas.so", "libmkl_rt.so.2", "libmkl_rt.so", "libblis.so.4"],
};

/** Searches of this process. */
const found = new Map<string, BlasSearch>();

/**
 * Looks for a BLAS, and checks it where that is not known from an earlier process.
 *
 * @param options How to look.
 * @returns The first library that exists and is right, and those that are not.
 * @throws {TypeError} If `TUNEBOOK_BLAS` names a library that does not load, or that must not be used.
 */
export function findBlas(options: FindBlasOptions = {}): BlasSearch {
  const named = Deno.env.get("TUNEBOOK_BLAS");
  if (named === "none") return { refused: [] };
  const candidates = named
    ? [/[/\\]/.test(named) ? resolve(named) : named]
    : CANDIDATES[Deno.build.os] ?? CANDIDATES.linux;
  const key = describeSituation(candidates);
  let search = options.again ? undefined : found.get(key) ?? recall(key);
  if (!search) {
    search = check(candidates, options.timeLimit ?? 60);
    if (search.unchecked === undefined) remember(key, search);
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
  return `Cannot load the BLAS "${named}" that TUNEBOOK_BLAS names: expected a library with "cblas_sgemm"`;
}

/** Checks libraries, each in a new process, until one is right. */
function check(candidates: readonly string[], timeLimit: number): BlasSearch {
  const refused: RefusedBlas[] = [];
  let rest = candidates;
  while (rest.length > 0) {
    let messages: CheckMessage[];
    try {
      messages = runCheck(rest, timeLimit);
    } catch (error) {
      return { refused, unchecked: `no BLAS can be checked here: ${(error as Error).message}` };
    }
    const last = messages.findLast((message) => message.type === "checking");
    const result = messages.findLast((message) => message.type === "result");
    if (!last || messages.at(-1)!.type === "none") break;
    const library = last.library ?? { name: last.path.split(/[/\\]/).at(-1)!, path: last.path };
    if (result && !result.fault) {
      const used = load(library);
      if (used) return { used, refused };
    } else if (!refused.some(({ path }) => path === library.path)) {
      const fault = result?.fault === "wrong"
        ? "computes wrong products"
        : result?.fault ?? "crashes";
      refused.push({ ...library, fault, ...(result?.detail && { detail: result.detail }) });
    }
    rest = rest.slice(rest.indexOf(last.path) + 1);
  }
  return { refused };
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

function runCheck(paths: readonly string[], timeLimit: number): CheckMessage[] {
  const program = Deno.execPath();
  // Without the right to start programs, a person would be asked for it.
  if (Deno.permissions.querySync({ name: "run", command: program }).state !== "granted") {
    throw new Error("this program has no right to start a process (--allow-run)");
  }
  const command = new Deno.Command(program, {
    args: [
      ...["run", "-A", "--quiet", "--no-config", "--no-lock", "--no-check"],
      new URL("./check.ts", import.meta.url).href,
      ...[String(timeLimit), ...paths],
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
  // A library may write to standard output too.
  const messages = stdout.split("\n").flatMap((line): CheckMessage[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
  const failed = messages.find((message) => message.type === "failed");
  if (failed) throw new Error(`the checking process fails: ${failed.message}`);
  const ended = messages.some(({ type }) => type === "result" || type === "none");
  // It kills itself once it has said what it found; before that somebody else did, such as for want of memory.
  if (!ended && output.signal === "SIGKILL") throw new Error("the checking process was killed");
  if (messages.some(({ type }) => type === "ready")) return messages;
  const said = stderr.trim().split("\n").at(-1);
  throw new Error(`the checking process does not start: ${said}`);
}

/**
 * All that decides what a search finds, but the libraries' files. As a hash: a sandboxed notebook can read what is kept,
 * and paths of this machine do not concern it.
 */
function describeSituation(candidates: readonly string[]): string {
  const { os } = Deno.build;
  const searchPath = { darwin: "DYLD_LIBRARY_PATH", windows: "PATH" }[os as string] ??
    "LD_LIBRARY_PATH";
  return hash(JSON.stringify([
    CHECK_VERSION,
    ...candidates,
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
  /** The libraries' files by path, as they were. */
  readonly files: Readonly<Record<string, string>>;
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

function recall(key: string): BlasSearch | undefined {
  const kept = readKept()[key];
  if (!isKept(kept)) return undefined;
  if (Object.entries(kept.files).some(([path, state]) => describeFile(path) !== state)) {
    return undefined;
  }
  if (!kept.used) return { refused: kept.refused };
  const used = load(kept.used);
  return used && { used, refused: kept.refused };
}

/** A file that cannot be written is not an error: the next process checks again. */
function remember(key: string, { used, refused }: BlasSearch): void {
  const path = keptPath();
  if (!path) return;
  const files = Object.fromEntries(
    [...used ? [used] : [], ...refused].flatMap(({ path }) => {
      const state = describeFile(path);
      return state === undefined ? [] : [[path, state]];
    }),
  );
  const { [key]: _, ...others } = readKept();
  const entries = [...Object.entries(others), [key, { used, refused, files }]];
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
    (value.used === undefined || isLibrary(value.used)) &&
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
