/**
 * What folders and archives have in common: a list of files that are read one at a time, each within a limit. What must
 * not be read (links, encrypted entries, paths that lead elsewhere) stays in the list with the reason.
 *
 * @module
 */

/** A file of a source. */
export interface SourceFile {
  /** The components of its path, as the source has them. */
  readonly path: readonly string[];
  /** Its size in bytes, as the source says. */
  readonly size: number;
  /** When it was changed, as the source says. */
  readonly modified?: Date;
  /** Why it must not be read; undefined if it may. */
  readonly fault?: string;
  /**
   * Reads it whole.
   *
   * @param limit The most bytes that are read.
   * @throws {RangeError} If it holds more.
   * @throws {Error} If it cannot be read, or is not what the source says.
   */
  read(limit: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A folder or an archive. */
export interface Source extends AsyncDisposable {
  /** Its files. */
  readonly files: readonly SourceFile[];
}
