// Starts a run's manifest: versions, the machine, and hashes of the code that is about to run.

import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { LIBRARY, VERSION } from "./library.ts";
import type { Manifest, ManifestCell } from "./manifest.ts";
import { formatNotebook, type Notebook } from "./notebook.ts";
import { isInjected } from "./parameters.ts";

/**
 * Starts the manifest of a run.
 *
 * @param notebook The notebook as given, before parameters are inserted.
 * @param name Its file name.
 * @param parameters The parameters that are set.
 * @returns A manifest with no cells yet.
 */
export async function newManifest(
  notebook: Notebook,
  name: string,
  parameters: Record<string, unknown>,
): Promise<Manifest> {
  return {
    tunebook: VERSION,
    library: await libraryHash(),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    os: `${Deno.build.os} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    startedAt: new Date().toISOString(),
    notebook: { name, sha256: await authoredHash(notebook) },
    parameters,
    provenance: [],
    cells: [],
  };
}

/**
 * SHA-256 of a notebook's code and text, without anything that a run adds.
 *
 * @param notebook The notebook, executed or not.
 */
export async function authoredHash(notebook: Notebook): Promise<string> {
  return await sha256(formatNotebook(authored(notebook)));
}

/**
 * What {@linkcode Manifest.record} should be.
 *
 * @param notebook The executed notebook.
 * @param manifest How it was run.
 */
export async function recordHash(notebook: Notebook, manifest: Manifest): Promise<string> {
  const { record: _, ...tunebook } = manifest;
  return await sha256(formatNotebook({
    ...notebook,
    metadata: { ...notebook.metadata, tunebook },
  }));
}

/** A notebook without anything that a run adds. */
function authored(notebook: Notebook): Notebook {
  const copy = clearedNotebook(notebook);
  delete copy.metadata.kernelspec;
  delete copy.metadata.language_info;
  copy.cells = copy.cells.filter((cell) => !isInjected(cell));
  return copy;
}

/**
 * A copy of a notebook with no outputs and no counts, and no manifest of an earlier run.
 *
 * @param notebook The notebook; not changed.
 */
export function clearedNotebook(notebook: Notebook): Notebook {
  const copy = structuredClone(notebook);
  for (const cell of copy.cells) {
    if (cell.cell_type !== "code") continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
  delete copy.metadata.tunebook;
  return copy;
}

/**
 * The manifest's entry for a cell that has run.
 *
 * @param id The cell's id. @param source Its code. @param executionCount Its number. @param seconds Its time.
 */
export async function manifestCell(
  id: string,
  source: string,
  executionCount: number | null,
  seconds: number,
): Promise<ManifestCell> {
  return { id, executionCount, seconds, sha256: await sha256(source) };
}

/**
 * SHA-256 of a text as UTF-8, or of bytes.
 *
 * @param content The text or the bytes.
 * @returns 64 hex digits.
 */
export async function sha256(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

let library: Promise<string | undefined> | undefined;

/**
 * SHA-256 over this library's own files, if it runs from a folder: the version alone does not
 * change while somebody edits the code.
 *
 * @returns The hash; undefined if the library was loaded from elsewhere.
 */
export function libraryHash(): Promise<string | undefined> {
  return library ??= hashLibrary();
}

async function hashLibrary(): Promise<string | undefined> {
  if (LIBRARY.protocol !== "file:") return undefined;
  const root = fromFileUrl(new URL("lib/", LIBRARY));
  const lines: string[] = [];
  const read = async (folder: string, below: string) => {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name), name = `${below}${entry.name}`;
      if (entry.isDirectory) await read(path, `${name}/`);
      else if (/\.(ts|js|wgsl|wasm|css|base64)$/.test(entry.name)) {
        lines.push(`${name} ${await sha256(await Deno.readFile(path))}`);
      }
    }
  };
  await read(root, "");
  return await sha256(lines.sort().join("\n"));
}
