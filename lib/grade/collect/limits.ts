/**
 * How much is read of what students hand in.
 *
 * @module
 */

/** The most that is taken of one source and of one submission. */
export interface CollectLimits {
  /** Files of a folder, or entries of an archive that a course system made. */
  readonly sourceFiles: number;
  /** Entries of an archive that a student handed in. */
  readonly archiveEntries: number;
  /** Bytes of an archive that a student handed in, packed. */
  readonly archiveBytes: number;
  /** Files of one submission that are read. */
  readonly files: number;
  /** Bytes of one file, unpacked. */
  readonly fileBytes: number;
  /** Bytes of one submission, unpacked. */
  readonly submissionBytes: number;
}

/** The limits where none are given. */
export const COLLECT_LIMITS: CollectLimits = {
  sourceFiles: 200_000,
  archiveEntries: 10_000,
  archiveBytes: 128 * 2 ** 20,
  files: 50,
  fileBytes: 64 * 2 ** 20,
  submissionBytes: 128 * 2 ** 20,
};
