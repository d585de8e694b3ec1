// How values of the library outlive their process: who can write a kind of value into files and make
// it anew says so here, and whoever keeps cells' results (`tunebook run --resume`) asks. A leaf: it
// imports nothing.

/** Keeps one kind of value. */
export interface Keeper {
  /** What the kind is called. */
  readonly kind: string;
  /** Whether a value is of this kind. */
  matches(value: unknown): boolean;
  /**
   * Writes a value.
   *
   * @param value The value. @param folder An empty folder of its own, made where it is needed.
   * @returns What describes it: plain data, and values that others keep.
   * @throws {TypeError} If this one cannot be kept, with the reason.
   */
  save(value: unknown, folder: string): Promise<unknown>;
  /**
   * Makes a value anew.
   *
   * @param data What `save` has returned. @param folder Its folder.
   * @param existing A value of the same kind to fill instead of making one, where there is one.
   */
  restore(data: unknown, folder: string, existing?: unknown): Promise<unknown>;
}

/** Where a cell's trainings keep checkpoints of their own, and whether they go on from them. */
export interface CellCheckpoints {
  directory: string;
  resume: boolean;
  /** How many trainings have asked. */
  trainings: number;
}

// Kept with the process, not with this module: it may be loaded twice, by two addresses.
const KEEPERS = Symbol.for("tunebook.keepers");
const CHECKPOINTS = Symbol.for("tunebook.checkpoints");
const shared = globalThis as unknown as {
  [KEEPERS]?: Map<string, Keeper>;
  [CHECKPOINTS]?: CellCheckpoints;
};

/**
 * Says how a kind of value is kept.
 *
 * @param keeper It; another of that kind is replaced.
 */
export function registerKeeper(keeper: Keeper): void {
  (shared[KEEPERS] ??= new Map()).set(keeper.kind, keeper);
}

/** All who keep values. */
export function keepers(): Keeper[] {
  return [...shared[KEEPERS]?.values() ?? []];
}

/** Sets where the running cell's trainings keep checkpoints; undefined ends it. */
export function setCellCheckpoints(checkpoints: CellCheckpoints | undefined): void {
  shared[CHECKPOINTS] = checkpoints;
}

/**
 * Where the next training of the running cell keeps its checkpoints, if it names no place itself.
 *
 * @returns A directory of its own and whether to go on from there; undefined outside kept cells.
 */
export function nextCellCheckpoint(): { directory: string; resume: boolean } | undefined {
  const checkpoints = shared[CHECKPOINTS];
  if (checkpoints === undefined) return undefined;
  const { directory, resume } = checkpoints;
  return { directory: `${directory}/${++checkpoints.trainings}`, resume };
}
