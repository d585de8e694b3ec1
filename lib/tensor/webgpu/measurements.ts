/**
 * What was once measured on this machine and need not be measured again: a JSON file in the user's cache folder.
 *
 * A file that is missing, damaged or cannot be written is not an error: it is measured again.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { cacheFolder } from "../../cache_folder.ts";

/** Measured choices, by what was measured. */
type Measurements = Record<string, Record<string, string>>;

/**
 * Finds where measurements are kept.
 *
 * @returns The file's path, or undefined where there is no place.
 */
export function measurementsPath(): string | undefined {
  const folder = cacheFolder();
  return folder && join(folder, "measurements.json");
}

/**
 * Reads what was measured.
 *
 * @param key What, such as an adapter and a version.
 * @returns Choices by name, or undefined where nothing is known.
 */
export async function recall(key: string): Promise<Record<string, string> | undefined> {
  return (await readAll())[key];
}

/**
 * Keeps what was measured for the next time.
 *
 * @param key What was measured.
 * @param choices Choices by name.
 */
export async function remember(key: string, choices: Record<string, string>): Promise<void> {
  const path = measurementsPath();
  if (!path) return;
  const text = JSON.stringify({ ...await readAll(), [key]: choices }, undefined, 2) + "\n";
  const beside = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(beside, text);
    await Deno.rename(beside, path);
  } catch {
    await Deno.remove(beside).catch(() => {});
  }
}

async function readAll(): Promise<Measurements> {
  const path = measurementsPath();
  if (!path) return {};
  try {
    const read: unknown = JSON.parse(await Deno.readTextFile(path));
    if (!isRecord(read)) return {};
    const entries = Object.entries(read).filter(([, choices]) =>
      isRecord(choices) && Object.values(choices).every((choice) => typeof choice === "string")
    );
    return Object.fromEntries(entries) as Measurements;
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
