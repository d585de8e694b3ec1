// Results of cells that are kept from run to run: a cell tagged `cache` is not run again while its
// code, all code before it, parameters, local modules, library, data and models are the same.

import { cellNames } from "../cell_names.ts";
import type { Manifest } from "../manifest.ts";
import { sha256 } from "../new_manifest.ts";
import type { CodeCell } from "../notebook.ts";
import { hasTag } from "../parameters.ts";
import type { ExecuteResult, Session } from "../session.ts";
import { partsOf, reachedNames } from "./names.ts";
import { CellStore, sourcesOf } from "./store.ts";

/** The tag of cells whose results are kept. */
export const CACHE_TAG = "cache";

const KERNEL_SIDE = JSON.stringify(new URL("./kernel_side.ts", import.meta.url).href);
const RESTORED = `globalThis[Symbol.for("tunebook.restored")]`;
/** Variables of the environment that decide what a cell computes. */
const DECIDING = [
  "TUNEBOOK_DEVICE",
  "TUNEBOOK_THREADS",
  "TUNEBOOK_BLAS",
  "TUNEBOOK_MATMUL_PRECISION",
];
/** Kinds of provenance that name a cell's inputs. */
const INPUTS = /^(data|model|weights|seed)$/;

/** What the cache needs. */
export interface CellCacheOptions {
  session: Session;
  manifest: Manifest;
  /** All code cells that run, in order. */
  cells: readonly CodeCell[];
  /** The notebook's path. */
  notebook: string;
  cwd: string;
  /** Whether the cache is used at all. */
  enabled: boolean;
  /** Whether results are restored and trainings resume from checkpoints. */
  resume: boolean;
  /** The folder with all kept results. */
  folder?: string;
}

/** The kept results of one run. */
export class CellCache {
  #options: CellCacheOptions;
  #store: CellStore;

  private constructor(options: CellCacheOptions, store: CellStore) {
    this.#options = options;
    this.#store = store;
  }

  /** Opens the cache of a notebook. */
  static async open(options: CellCacheOptions): Promise<CellCache> {
    return new CellCache(options, await CellStore.open(options.folder, options.notebook));
  }

  /**
   * Runs a cell, or restores the results of its last run.
   *
   * @param cell The cell.
   * @param run Runs a cell's code in the session.
   * @returns The result; for a cell tagged `cache`, `cache` says what was done.
   */
  async execute(
    cell: CodeCell,
    run: (code: string) => Promise<ExecuteResult>,
  ): Promise<ExecuteResult & { cache?: string; restored?: true }> {
    if (!this.#options.enabled || !hasTag(cell, CACHE_TAG)) return await run(cell.source);
    let key: string;
    try {
      key = await this.#keyOf(cell);
    } catch {
      return await run(cell.source); // The run reports the syntax error.
    }
    let why = "";
    if (this.#options.resume) {
      const restored = await this.#restore(cell, key, run);
      if (typeof restored !== "string") return restored;
      why = `${restored}; `;
    }
    const { resume } = this.#options;
    const checkpoints = { directory: this.#store.checkpoints(cell.id, key), resume, trainings: 0 };
    const reached = getters(reachedNames(cell.source, this.#earlier(cell)).keys());
    await this.#housekeep(
      `(await import(${KERNEL_SIDE})).begin(${reached}, ${JSON.stringify(checkpoints)})`,
    );
    const result = await run(cell.source);
    let done = "not kept: it did not end well";
    if (result.status === "ok") {
      done = await this.#keep(cell, key, result);
      await this.#store.dropCheckpoints(cell.id);
    }
    await this.#housekeep(`(await import(${KERNEL_SIDE})).end()`);
    return { ...result, cache: why + done };
  }

  /** Hash of everything that decides a cell's result, as far as it is known before the run. */
  async #keyOf(cell: CodeCell): Promise<string> {
    const { manifest, cwd } = this.#options;
    const inputs = manifest.provenance.filter(({ kind }) => INPUTS.test(kind));
    cellNames(cell.source); // throws on a syntax error
    return await sha256(JSON.stringify([
      [manifest.tunebook, manifest.library, manifest.deno, manifest.os],
      [manifest.modules, inputs, await sourcesOf(inputs, cwd)],
      DECIDING.map((name) => Deno.env.get(name)),
      [...this.#earlier(cell), cell.source],
    ]));
  }

  #earlier(cell: CodeCell): string[] {
    const { cells } = this.#options;
    return cells.slice(0, cells.indexOf(cell)).map(({ source }) => source);
  }

  /** Restores a cell. Returns a phrase that says why not, if it fails. */
  async #restore(
    cell: CodeCell,
    key: string,
    run: (code: string) => Promise<ExecuteResult>,
  ): Promise<ExecuteResult & { cache: string; restored: true } | string> {
    const kept = await this.#store.find(cell.id);
    if (kept === undefined) return "replayed: nothing was kept";
    if (kept.key !== key) return "replayed: something that it follows from has changed";
    const sources = await sourcesOf(kept.provenance, this.#options.cwd);
    if (JSON.stringify(sources) !== JSON.stringify(kept.sources)) {
      return "replayed: data that it read have changed";
    }
    const { variables, definitions } = partsOf(cell.source);
    const missing = Object.keys(kept.left).find((name) => this.#isNeeded(name, cell));
    if (missing !== undefined) {
      return `replayed: "${missing}" cannot be kept: ${kept.left[missing]}`;
    }
    const reached = reachedNames(cell.source, this.#earlier(cell));
    const present = kept.kept.filter((name) => reached.has(name));
    const declared = kept.kept.filter((name) => variables.has(name));
    const result = await run([
      definitions,
      `${RESTORED} = await (await import(${KERNEL_SIDE})).restore(${
        JSON.stringify(this.#store.place(cell.id))
      }, ${getters(reached.keys())});`,
      ...declared.map((name) => `${variables.get(name)} ${name} = ${RESTORED}.${name};`),
      ...present.filter((name) => reached.get(name)).map((name) =>
        `${name} = ${RESTORED}.${name};`
      ),
      `delete ${RESTORED};`,
      // The value of the last line is not a result of the cell.
      "void 0;",
    ].join("\n"));
    if (result.status !== "ok") return `replayed: it cannot be restored (${result.error?.message})`;
    const names = [...declared, ...present];
    const cache = `restored${names.length > 0 ? `: ${names.join(", ")}` : ""}`;
    const { outputs, provenance } = kept;
    return { ...result, outputs, provenance, cache, restored: true };
  }

  /** Keeps a cell's results. Returns a phrase that says what was done. */
  async #keep(cell: CodeCell, key: string, result: ExecuteResult): Promise<string> {
    const variables = [...partsOf(cell.source).variables.keys()];
    const reached = [...reachedNames(cell.source, this.#earlier(cell)).keys()];
    const names = [...new Set([...variables, ...reached])];
    const sources = await sourcesOf(result.provenance, this.#options.cwd);
    if (Object.values(sources).includes("remote")) return "not kept: it read from the network";
    const folder = await this.#store.begin(cell.id);
    const fault = await this.#housekeep(
      `await (await import(${KERNEL_SIDE})).keep(${getters(names)}, ${JSON.stringify(folder)})`,
    );
    if (fault !== undefined) {
      await this.#store.discard(folder);
      return `not kept: ${fault}`;
    }
    const { outputs, provenance } = result;
    await this.#store.commit(cell.id, folder, { key, outputs, provenance, sources });
    const { left } = (await this.#store.find(cell.id))!;
    const lost = Object.keys(left).find((name) => this.#isNeeded(name, cell));
    return lost === undefined ? "kept" : `not kept: "${lost}": ${left[lost]}`;
  }

  /** Whether restoring a cell needs a name: the cell may have changed it, or later cells use it. */
  #isNeeded(name: string, cell: CodeCell): boolean {
    const { cells } = this.#options;
    if (reachedNames(cell.source, this.#earlier(cell)).has(name)) return true;
    return cells.slice(cells.indexOf(cell) + 1).some(({ source }) => {
      try {
        return cellNames(source).used.includes(name);
      } catch {
        return false;
      }
    });
  }

  /** Runs code that belongs to no cell. Returns the error's message if it fails. */
  async #housekeep(code: string): Promise<string | undefined> {
    const result = await this.#options.session.execute(`${code};\nvoid 0;`, {
      label: "the cell cache",
      silent: true,
    });
    return result.error?.message;
  }
}

/** Source code of an object with a function per name that returns the variable. */
function getters(names: Iterable<string>): string {
  return `{ ${[...names].map((name) => `${name}: () => ${name}`).join(", ")} }`;
}
