/**
 * What is taken of the files that a student handed in: the assignment's notebooks under the names of the release, and
 * Markdown and PDF where the assignment accepts them. Everything else is named with the reason.
 *
 * @module
 */

import { type Notebook, parseNotebook } from "../../runtime/notebook.ts";
import { METADATA_KEY } from "../metadata.ts";
import { listArchive } from "./archive.ts";
import type { CollectLimits } from "./limits.ts";
import { isDropping, nameKey, quoted, safeFileName } from "./names.ts";
import type { SourceFile } from "./source_file.ts";

/** A kind of file that an assignment may accept. */
export type AcceptedKind = "ipynb" | "md" | "pdf";

/** What an assignment takes. */
export interface Expected {
  readonly accepts: readonly AcceptedKind[];
  /** The released notebooks by their file names. */
  readonly notebooks: ReadonlyMap<string, Notebook>;
  /** Put before the name of a document that still has the name of the released template. */
  readonly owner: string;
  /** The released other files by their base names. */
  readonly given: ReadonlyMap<string, Uint8Array>;
}

/** What was found of a file that is not taken as it is. */
export interface Remark {
  /** Its path in the submission. */
  readonly path: readonly string[];
  /** What was found, as the end of a sentence about the file. */
  readonly message: string;
  /** Whether the file was refused; otherwise it was taken, or is of no concern. */
  readonly refused: boolean;
}

/** A submission that is ready to be stored. */
export interface Taken {
  /** The contents by safe names. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly remarks: readonly Remark[];
}

interface Candidate {
  readonly path: readonly string[];
  readonly bytes: Uint8Array;
  readonly modified: number;
  readonly notebook?: Notebook;
}

/**
 * Chooses and reads what is taken of a submission.
 *
 * @param handedIn The files; a zip among them is opened, a zip in a zip is not.
 * @param expected What the assignment takes.
 * @param limits The most that is read.
 * @returns The files to store, and what was found of others; a bad file does not throw.
 */
export async function takeSubmission(
  handedIn: readonly SourceFile[],
  expected: Expected,
  limits: CollectLimits,
): Promise<Taken> {
  const remarks: Remark[] = [];
  const refuse = (path: readonly string[], message: string) =>
    remarks.push({ path, message, refused: true });
  const read = await readCandidates(handedIn, expected, limits, refuse);
  const files = new Map<string, Uint8Array>();
  const note = (path: readonly string[], message: string) =>
    remarks.push({ path, message, refused: false });
  const notebooks = matchNotebooks(read.filter(isOf("ipynb")), expected.notebooks, refuse);
  for (const [name, candidates] of notebooks) {
    const used = best(candidates, name);
    for (const { path } of candidates) {
      if (path !== used.path) refuse(path, `${quoted(used.path.join("/"))} is taken as "${name}"`);
    }
    if (withoutCopyMark(used.path.at(-1)!) !== name) note(used.path, `is taken as "${name}"`);
    if (used.notebook === undefined) note(used.path, "cannot be read as a notebook");
    files.set(name, used.bytes);
  }
  const documents = Map.groupBy(
    read.filter((one) => !isOf("ipynb")(one)),
    ({ path }) => nameKey(safeFileName(path.at(-1)!)),
  );
  for (const candidates of documents.values()) {
    const used = best(candidates);
    const own = safeFileName(used.path.at(-1)!);
    const name = expected.given.has(own) ? `${expected.owner}_${own}` : own;
    for (const { path } of candidates) {
      if (path !== used.path) refuse(path, `${quoted(used.path.join("/"))} has the same name`);
    }
    if (used.path.at(-1) !== name) note(used.path, `is stored as ${quoted(name)}`);
    files.set(name, used.bytes);
  }
  return { files, remarks };
}

const kindOf = (name: string) => {
  const extension = /\.([^.]*)$/.exec(name)?.[1]?.toLowerCase();
  return extension === "markdown" ? "md" : extension;
};

const isOf = (kind: AcceptedKind) => ({ path }: Candidate) => kindOf(path.at(-1)!) === kind;

/** Reads the files that may be taken, with those in zips. */
async function readCandidates(
  handedIn: readonly SourceFile[],
  expected: Expected,
  limits: CollectLimits,
  refuse: (path: readonly string[], message: string) => void,
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  const left = { files: limits.files, bytes: limits.submissionBytes };
  const take = async (file: SourceFile, folder: readonly string[]) => {
    const path = [...folder, ...file.path];
    const name = file.path.at(-1);
    if (name === undefined || isDropping(file.path)) return;
    if (file.fault !== undefined) return refuse(path, `is not taken: ${file.fault}`);
    const kind = kindOf(name);
    if (kind === "zip") {
      if (folder.length > 0) return refuse(path, "is not opened: it is a zip in a zip");
      return await takeArchive(file);
    }
    const accepted = expected.accepts.find((one) => one === kind);
    if (accepted === undefined) {
      // Students may send back what they received.
      if (expected.given.has(name)) return;
      return refuse(path, `is not taken: the assignment accepts ${listOf(expected.accepts)}`);
    }
    if (left.files === 0) return refuse(path, `is one of more than ${limits.files} files`);
    left.files--;
    try {
      const bytes = await file.read(Math.min(limits.fileBytes, left.bytes));
      left.bytes -= bytes.length;
      const given = expected.given.get(name);
      if (given !== undefined && isEqual(given, bytes)) return;
      const fault = faultOf(bytes, accepted);
      if (fault !== undefined) return refuse(path, `is not taken: ${fault}`);
      const notebook = accepted === "ipynb" ? notebookIn(bytes) : undefined;
      candidates.push({ path, bytes, modified: file.modified?.getTime() ?? 0, notebook });
    } catch (error) {
      refuse(path, `cannot be read: ${(error as Error).message}`);
    }
  };
  const takeArchive = async (file: SourceFile) => {
    const name = file.path.join("/");
    try {
      const bytes = await file.read(limits.archiveBytes);
      for (const entry of await listArchive(bytes, name, limits.archiveEntries)) {
        await take(entry, file.path);
      }
    } catch (error) {
      refuse(file.path, `cannot be opened: ${(error as Error).message}`);
    }
  };
  for (const file of handedIn) await take(file, []);
  return candidates;
}

/** What keeps a file from being of its kind. A notebook that cannot be read is still the student's work. */
function faultOf(bytes: Uint8Array, kind: AcceptedKind): string | undefined {
  if (kind === "pdf") {
    const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
    return start.includes("%PDF-") ? undefined : "it is not a PDF";
  }
  if (kind === "md") {
    if (bytes.includes(0)) return "it is not a text";
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return "it is not UTF-8 text";
    }
  }
}

function notebookIn(bytes: Uint8Array): Notebook | undefined {
  try {
    return parseNotebook(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Finds which released notebook each candidate is: by its name, its graded cells, or because there is only one. */
function matchNotebooks(
  candidates: readonly Candidate[],
  released: ReadonlyMap<string, Notebook>,
  refuse: (path: readonly string[], message: string) => void,
): Map<string, Candidate[]> {
  const names = [...released.keys()];
  const ids = new Map(names.map((name) => [name, gradeIds(released.get(name)!)]));
  const found = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const { path, notebook } = candidate;
    const own = path.at(-1)!;
    const named = (key: (name: string) => string) =>
      names.find((name) => nameKey(key(name)) === nameKey(key(own)));
    const target = named((name) => name) ?? mostShared(ids, notebook) ?? named(withoutCopyMark) ??
      (notebook === undefined && names.length === 1 && candidates.length === 1
        ? names[0]
        : undefined);
    if (target === undefined) refuse(path, "is not taken: it is not a notebook of the assignment");
    else found.set(target, [...found.get(target) ?? [], candidate]);
  }
  return found;
}

function gradeIds(notebook: Notebook): Set<string> {
  return new Set(notebook.cells.flatMap(({ metadata }) => {
    const id = (metadata[METADATA_KEY] as { grade_id?: unknown } | null | undefined)?.grade_id;
    return typeof id === "string" ? [id] : [];
  }));
}

/** The released notebook with which a notebook has most graded cells in common. */
function mostShared(
  released: ReadonlyMap<string, ReadonlySet<string>>,
  notebook: Notebook | undefined,
): string | undefined {
  if (notebook === undefined) return undefined;
  const own = gradeIds(notebook);
  const shares = [...released].map(([name, ids]) => ({ name, count: own.intersection(ids).size }));
  const most = Math.max(0, ...shares.map(({ count }) => count));
  const [first, second] = shares.filter(({ count }) => count === most);
  return most > 0 && second === undefined ? first!.name : undefined;
}

/** A name without what browsers, JupyterLab and Canvas append to a copy's. */
function withoutCopyMark(name: string): string {
  return name.replace(/(?:[ _-]?copy[ _-]?\d*|[ _]?\(\d+\)|-\d+)+(?=\.ipynb$)/i, "");
}

/** Of several files for one place: the one with its name, the least deep, the newest, the last. */
function best(candidates: readonly Candidate[], name?: string): Candidate {
  return candidates.reduce((used, other) => {
    const order = Number(used.path.at(-1) === name) - Number(other.path.at(-1) === name) ||
      other.path.length - used.path.length || used.modified - other.modified;
    return order > 0 ? used : other;
  });
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const NAMES = { ipynb: "notebooks", md: "Markdown", pdf: "PDF" };

function listOf(accepts: readonly AcceptedKind[]): string {
  return new Intl.ListFormat("en").format(accepts.map((kind) => NAMES[kind]));
}
