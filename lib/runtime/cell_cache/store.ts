// Where results of cells are kept: one folder per cell, replaced when the cell has run again.

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { z } from "zod";
import { cacheFolder } from "../../cache_folder.ts";
import type { ProvenanceEntry } from "../manifest.ts";
import type { Output } from "../notebook.ts";
import { makeFolder } from "../../write_beside.ts";
import { sha256 } from "../new_manifest.ts";
import { type KeptNames, NAMES_FILE } from "./kernel_side.ts";

/** What is kept of a cell besides its values. */
export interface KeptCell {
  /** Hash of everything that decides its result. */
  key: string;
  outputs: Output[];
  provenance: ProvenanceEntry[];
  /** The recorded local files that it read, with their state at that time. */
  sources: Record<string, string>;
}

const ENTRY_FILE = "cell.json";
/** Files larger than this are identified by size and time, not by content. */
const MAX_HASHED = 256 * 2 ** 20;

const keptCell = z.object({
  key: z.string(),
  outputs: z.array(z.looseObject({ output_type: z.string() })),
  provenance: z.array(z.looseObject({ kind: z.string() })),
  sources: z.record(z.string(), z.string()),
});

/** The kept results of one notebook. */
export class CellStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Opens a notebook's store; nothing is written yet.
   *
   * @param root The folder of all stores; the user's cache folder by default.
   * @param notebook The notebook's path.
   */
  static async open(root: string | undefined, notebook: string): Promise<CellStore> {
    const name = `${basename(notebook)}-${(await sha256(resolve(notebook))).slice(0, 12)}`;
    return new CellStore(join(resolve(root ?? defaultRoot()), name));
  }

  /** A cell's folder. */
  place(id: string): string {
    return join(this.#folder, id);
  }

  /** Where a cell's trainings write checkpoints, which belong to one state of the cell. */
  checkpoints(id: string, key: string): string {
    return join(this.#folder, `${id}.checkpoints`, key.slice(0, 16));
  }

  /** Removes a cell's checkpoints. */
  async dropCheckpoints(id: string): Promise<void> {
    await removeFolder(join(this.#folder, `${id}.checkpoints`));
  }

  /** What is kept of a cell; undefined if there is nothing, or nothing readable. */
  async find(id: string): Promise<(KeptCell & KeptNames) | undefined> {
    try {
      const read = async (name: string) =>
        JSON.parse(await Deno.readTextFile(join(this.place(id), name)));
      const entry = keptCell.parse(await read(ENTRY_FILE)) as unknown as KeptCell;
      return { ...entry, ...await read(NAMES_FILE) };
    } catch {
      return undefined;
    }
  }

  /** Creates an empty folder next to a cell's, for new results. */
  async begin(id: string): Promise<string> {
    const folder = join(this.#folder, `.${id}.${crypto.randomUUID().slice(0, 8)}`);
    await makeFolder(this.#folder);
    await Deno.mkdir(folder);
    return folder;
  }

  /** Replaces a cell's folder by one that {@linkcode begin} created. */
  async commit(id: string, folder: string, cell: KeptCell): Promise<void> {
    await Deno.writeTextFile(join(folder, ENTRY_FILE), JSON.stringify(cell));
    await removeFolder(this.place(id));
    await Deno.rename(folder, this.place(id));
  }

  /** Removes a folder that {@linkcode begin} created. */
  async discard(folder: string): Promise<void> {
    await removeFolder(folder);
  }
}

/**
 * The current state of the local files that recorded facts name as their `source`.
 *
 * @param provenance The facts.
 * @param cwd The folder from which cells read.
 * @returns A hash, or size and time, by path; URLs by `"remote"`.
 */
export async function sourcesOf(
  provenance: readonly ProvenanceEntry[],
  cwd: string,
): Promise<Record<string, string>> {
  const sources: Record<string, string> = {};
  for (const { source } of provenance) {
    if (typeof source !== "string") continue;
    if (/^https?:/.test(source)) sources[source] = "remote";
    else sources[source] = await stateOf(resolve(cwd, source.replace(/^file:\/\//, "")));
  }
  return sources;
}

async function stateOf(path: string): Promise<string> {
  try {
    const { isDirectory, size, mtime } = await Deno.stat(path);
    if (!isDirectory) {
      return size > MAX_HASHED
        ? `${size} ${mtime?.getTime()}`
        : await sha256(await Deno.readFile(path));
    }
    const entries = await Array.fromAsync(Deno.readDir(path));
    const states = entries.filter(({ isFile }) => isFile).map(async ({ name }) => {
      const file = await Deno.stat(join(path, name));
      return `${name} ${file.size} ${file.mtime?.getTime()}`;
    });
    return (await Promise.all(states)).sort().join("\n");
  } catch {
    return "missing"; // a name, such as a model's on a hub
  }
}

function defaultRoot(): string {
  return join(cacheFolder() ?? join(".cache", "tunebook"), "cells");
}

async function removeFolder(path: string): Promise<void> {
  // Renamed first, so that a partly removed folder is never used.
  const gone = join(dirname(path), `.gone.${crypto.randomUUID().slice(0, 8)}`);
  try {
    await Deno.rename(path, gone);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  await Deno.remove(gone, { recursive: true });
}
