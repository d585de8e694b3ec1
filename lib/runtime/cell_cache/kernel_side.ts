// The part of the cell cache that runs inside the kernel, which holds the values.

import { deserialize, serialize } from "node:v8";
import { type CellCheckpoints, setCellCheckpoints } from "../../restorable.ts";
import { mark, type Marks, Packer, Unpacker } from "./pack.ts";

/** The file with the values. */
const STATE = "state.bin";
/** The file that lists the kept names, and the reasons for the others. */
export const NAMES_FILE = "names.json";

/** What {@linkcode keep} writes into {@linkcode NAMES_FILE}. */
export interface KeptNames {
  kept: string[];
  /** Reasons by name. */
  left: Record<string, string>;
}

/** Functions that return values, by name; a name may not exist yet. */
type Getters = Record<string, () => unknown>;

/** The content of the file. */
interface State {
  values: Record<string, unknown>;
  paths: Map<object, string>;
}

let marks: Marks = new Map();

/**
 * Prepares for a cell that is about to run: marks existing objects, and sets where its trainings
 * write checkpoints.
 *
 * @param getters Functions that return the values it may change. @param checkpoints Where its
 * trainings write checkpoints.
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
 * @param getters Functions that return each value. @param folder Where to write.
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
 * Restores values. Objects that the cell changed in place get their content in place, so that other
 * holders of the object see it; objects that it created are created again.
 *
 * @param folder Where they were kept. @param getters Functions that return the existing values.
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
      // The name does not exist yet.
    }
  }
  return values;
}
