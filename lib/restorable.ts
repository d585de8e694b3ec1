// How values of the library outlive their process: a room registers here how a kind of value is written to files and
// made again, and `tunebook run --resume`, which stores cells' results, asks. A leaf: it imports nothing.

/** A kind of value that can be written to files and made again. */
export interface Restorable {
  /** What the kind is called. */
  readonly kind: string;
  /** Whether a value is of this kind. */
  matches(value: unknown): boolean;
  /**
   * Writes a value.
   *
   * @param value The value. @param folder An empty folder of its own, made where it is needed.
   * @returns What describes it: plain data, and values of other registered kinds.
   * @throws {TypeError} If this one cannot be written, with the reason.
   */
  save(value: unknown, folder: string): Promise<unknown>;
  /**
   * Creates a value again.
   *
   * @param data What `save` has returned. @param folder Its folder.
   * @param existing A value of the same kind to fill instead of making one, where there is one.
   */
  restore(data: unknown, folder: string, existing?: unknown): Promise<unknown>;
}

/** Where a cell's trainings keep checkpoints of their own, and whether they resume from them. */
export interface CellCheckpoints {
  directory: string;
  resume: boolean;
  /** How many trainings have asked. */
  trainings: number;
}

// Kept with the process, not with this module: it may be loaded twice, by two addresses.
const RESTORABLES = Symbol.for("tunebook.restorables");
const CHECKPOINTS = Symbol.for("tunebook.checkpoints");
const shared = globalThis as unknown as {
  [RESTORABLES]?: Map<string, Restorable>;
  [CHECKPOINTS]?: CellCheckpoints;
};

/**
 * Registers how values of a kind are written and made again.
 *
 * @param restorable The kind; it replaces an earlier one of the same name.
 */
export function registerRestorable(restorable: Restorable): void {
  (shared[RESTORABLES] ??= new Map()).set(restorable.kind, restorable);
}

/** All registered kinds. */
export function restorables(): Restorable[] {
  return [...shared[RESTORABLES]?.values() ?? []];
}

/** Sets where the running cell's trainings keep checkpoints; undefined ends it. */
export function setCellCheckpoints(checkpoints: CellCheckpoints | undefined): void {
  shared[CHECKPOINTS] = checkpoints;
}

/**
 * Where the next training of the running cell keeps its checkpoints, if it names no place itself.
 *
 * @returns A directory of its own and whether to resume from there; undefined outside kept cells.
 */
export function nextCellCheckpoint(): { directory: string; resume: boolean } | undefined {
  const checkpoints = shared[CHECKPOINTS];
  if (checkpoints === undefined) return undefined;
  const { directory, resume } = checkpoints;
  return { directory: `${directory}/${++checkpoints.trainings}`, resume };
}
