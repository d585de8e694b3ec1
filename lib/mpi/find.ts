/**
 * Which MPI is used: the one whose launcher started this process. `TUNEBOOK_MPI` names a library, or is `none`.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import type { Launch } from "./launch.ts";
import { MpiLibrary } from "./library.ts";

/** Names of libraries, by family and system. */
const NAMES = {
  openmpi: { linux: ["libmpi.so.40", "libmpi.so"], darwin: ["libmpi.40.dylib", "libmpi.dylib"] },
  mpich: {
    linux: ["libmpich.so.12", "libmpi.so.12", "libmpich.so"],
    darwin: ["libmpi.12.dylib", "libmpich.dylib"],
  },
} as const;

/** Folders that macOS's loader does not look in. */
const FOLDERS = ["", "/opt/homebrew/lib/", "/usr/local/lib/"];

/**
 * Loads the MPI that belongs to a launcher.
 *
 * @param launch How this process was started.
 * @returns The library, not initialised yet.
 * @throws {TypeError} If there is none, or `TUNEBOOK_MPI` names one that does not load.
 */
export function findMpi({ launcher, size, family }: Launch): MpiLibrary {
  const named = Deno.env.get("TUNEBOOK_MPI");
  if (named) {
    const path = /[/\\]/.test(named) ? resolve(named) : named;
    try {
      return MpiLibrary.load(path);
    } catch (cause) {
      const said = (cause as Error).message;
      throw new TypeError(
        `Cannot load the MPI "${named}" that TUNEBOOK_MPI names: ${said}`,
        { cause },
      );
    }
  }
  const candidates = candidatesFor(family);
  for (const path of candidates) {
    try {
      return MpiLibrary.load(path);
    } catch {
      // The next one may be there.
    }
  }
  const packages = { openmpi: "libopenmpi3", mpich: "libmpich12" };
  throw new TypeError(
    `Cannot join the ${size} processes that ${launcher} started: expected its library, one of ` +
      `"${candidates.join('", "')}" (in Debian's ${
        family ? packages[family] : "libopenmpi3 or libmpich12"
      }), or a path in TUNEBOOK_MPI`,
  );
}

function candidatesFor(family: Launch["family"]): string[] {
  const families = family ? [family] : (["openmpi", "mpich"] as const);
  const isMac = Deno.build.os === "darwin";
  const names = families.flatMap((one) => [...NAMES[one][isMac ? "darwin" : "linux"]]);
  return isMac ? FOLDERS.flatMap((folder) => names.map((name) => folder + name)) : names;
}
