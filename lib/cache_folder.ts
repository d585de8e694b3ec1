// The folder of this user's cache that is Tunebook's own. A leaf: it imports no room.

import { join } from "@std/path/join";

/**
 * Finds the folder for what can be made again: measurements, checks, results of cells.
 *
 * @returns Its path, such as `~/.cache/tunebook`, whether it exists or not; undefined where no variable of the
 *   environment says where the user's files are.
 */
export function cacheFolder(): string | undefined {
  const { env, build: { os } } = Deno;
  const home = env.get("HOME") || env.get("USERPROFILE");
  const usual = { darwin: ["Library", "Caches"], windows: ["AppData", "Local"] };
  const parent = env.get("XDG_CACHE_HOME") || (os === "windows" && env.get("LOCALAPPDATA")) ||
    (home && join(home, ...usual[os as keyof typeof usual] ?? [".cache"]));
  return parent ? join(parent, "tunebook") : undefined;
}
