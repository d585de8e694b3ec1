// Where this library is and what its entry points are called, in a checkout, an installed package or
// on a server.

import { fromFileUrl } from "@std/path/from-file-url";
import config from "../../deno.json" with { type: "json" };

/** The library's folder; ends with a slash. */
export const LIBRARY: URL = new URL("../../", import.meta.url);

/** The library's version, which deno.json states. */
export const VERSION: string = config.version;

/** The URL of each entry point, by the name under which notebooks import it. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(config.exports)
    .map(([name, path]) => [`tunebook${name.slice(1)}`, new URL(path, LIBRARY).href]),
);

/** The libraries of types that this library's modules are checked with. */
export const LIBRARY_TYPES: readonly string[] = config.compilerOptions.lib;

/** Whether this is a checkout, whose modules need its import map; a package's need none. */
export const IS_CHECKOUT: boolean = LIBRARY.protocol === "file:" &&
  Object.values(config.imports).some((target) => !target.startsWith("./"));

/** Where copies of a checkout's modules are that need no import map; see `standalone.ts`. */
export const STANDALONE_FOLDER: string = IS_CHECKOUT
  ? fromFileUrl(new URL("out/standalone", LIBRARY))
  : "";

/**
 * The deno.json of a folder that lets notebooks import this library, and what the library imports.
 *
 * @param own Imports of the folder's own, which count for notebooks, but not for the library's modules.
 */
export function libraryConfig(own: Readonly<Record<string, string>> = {}) {
  const imports = Object.fromEntries(
    Object.entries<string>(config.imports).map(([name, target]) =>
      [name, target.startsWith("./") ? new URL(target, LIBRARY).href : target] as const
    ),
  );
  return {
    lock: false,
    nodeModulesDir: "none",
    imports: { ...imports, ...own },
    ...Object.keys(own).length > 0 && { scopes: { [LIBRARY.href]: imports } },
  };
}
