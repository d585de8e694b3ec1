// The part of the cell cache that runs inside the kernel, where the values are.

import { deserialize, serialize } from "node:v8";
import { type CellCheckpoints, setCellCheckpoints } from "../../restorable.ts";
import { mark, type Marks, Packer, Unpacker } from "./pack.ts";

/** The file with the values. */
const STATE = "state.bin";
/** The file that says what was kept, and why the rest was not. */
export const NAMES_FILE = "names.json";

/** What {@linkcode keep} writes into {@linkcode NAMES_FILE}. */
export interface KeptNames {
  kept: string[];
  /** Reasons by name. */
  left: Record<string, string>;
}

/** How to get at values, by name; a name may not exist yet. */
type Getters = Record<string, () => unknown>;

/** What is in the file. */
interface State {
  values: Record<string, unknown>;
  paths: Map<object, string>;
}

let marks: Marks = new Map();

/**
 * Prepares for a cell that is going to run: marks what is there, gives its trainings a place.
 *
 * @param getters How to get at what it may change. @param checkpoints Where its trainings keep checkpoints.
 */
export function begin(getters: Getters, checkpoints: CellCheckpoints): void {
  marks = mark(valuesOf(getters));
  setCellCheckpoints(checkpoints);
}

/** Ends what {@linkcode begin} began. */
export function end(): void {
  marks = new Map();
  setCellCheckpoints(undefined);
}

/**
 * Keeps values.
 *
 * @param getters How to get at each. @param folder Where to.
 */
export async function keep(getters: Getters, folder: string): Promise<void> {
  const packer = new Packer(folder, marks);
  const values: Record<string, unknown> = {};
  const left: Record<string, string> = {};
  for (const [name, get] of Object.entries(getters)) {
    try {
      values[name] = await packer.pack(get());
    } catch (error) {
      left[name] = (error as Error).message;
    }
  }
  const state: State = { values, paths: packer.paths };
  await Deno.writeFile(`${folder}/${STATE}`, serialize(state));
  const names: KeptNames = { kept: Object.keys(values), left };
  await Deno.writeTextFile(`${folder}/${NAMES_FILE}`, JSON.stringify(names));
}

/**
 * Restores values. Objects that the cell had changed in place get their content in place, so that
 * whoever else holds them sees it; what it had made is made anew.
 *
 * @param folder Where they were kept. @param getters How to get at what is there.
 * @returns The values by name.
 */
export async function restore(folder: string, getters: Getters): Promise<Record<string, unknown>> {
  const { values, paths }: State = deserialize(await Deno.readFile(`${folder}/${STATE}`));
  const unpacker = new Unpacker(folder, paths, mark(valuesOf(getters)));
  const restored: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) restored[name] = await unpacker.unpack(value);
  return restored;
}

function valuesOf(getters: Getters): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, get] of Object.entries(getters)) {
    try {
      values[name] = get();
    } catch {
      // It is not there yet.
    }
  }
  return values;
}
