// Kernelspecs: the folders in which Jupyter finds kernels.
// https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { writeFileBeside } from "../../write_beside.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { LIBRARY } from "../library.ts";
import { type KernelProgram, removeUnusedCopies, stableProgram } from "./library_copy.ts";

/** The kernel's name, as in a notebook's `metadata.kernelspec.name`. */
export const KERNEL_NAME = "tunebook";

/** The name that people see. */
export const KERNEL_DISPLAY_NAME = "Deno (Tunebook)";

/** Where to install a kernel, and how it behaves. */
export interface InstallOptions {
  /** Installs under `PREFIX/share/jupyter` instead of the user's own folder, as for a Python environment. */
  prefix?: string;
  /** Refuses to run cells with type errors. */
  strict?: boolean;
  /** The name to install under, for a second kernel with other settings. */
  name?: string;
  /** The name that people see. */
  displayName?: string;
}

/** The names of {@linkcode InstallOptions}. */
export const INSTALL_OPTIONS: OptionNames<InstallOptions> = {
  prefix: true,
  strict: true,
  name: true,
  displayName: true,
};

/** An installed kernel. */
export interface InstalledKernel {
  /** The name. */
  name: string;
  /** The name that people see. */
  displayName: string;
  /** Its folder. */
  folder: string;
  /** The folder of the library that it runs; undefined where that is loaded from a server. */
  library?: string;
}

/**
 * Installs the kernel `Deno (Tunebook)`, so that JupyterLab, VS Code, nbconvert, papermill and others
 * find it.
 *
 * @param options Where; in the user's own folder by default.
 * @returns The installed kernel. An existing kernel of that name is replaced. The kernel of an installed
 * package runs a copy of it in the user's data folder, or under the prefix, that outlives the package.
 * @throws {RangeError} If Jupyter does not accept the name.
 *
 * @example
 * ```ts
 * import { installKernel, listKernels } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const prefix = await Deno.makeTempDir();
 * const { displayName } = await installKernel({ prefix });
 * assertEquals(displayName, "Deno (Tunebook)");
 * assertEquals((await listKernels(prefix)).length, 1);
 * ```
 */
export async function installKernel(options: InstallOptions = {}): Promise<InstalledKernel> {
  assertKnownOptions("install a kernel", options, INSTALL_OPTIONS);
  const name = options.name ?? KERNEL_NAME;
  if (!/^[a-z0-9._-]+$/.test(name)) {
    throw new RangeError(
      `Cannot install kernel "${name}": expected lower-case letters, digits, "-", "." and "_"`,
    );
  }
  const displayName = options.displayName ??
    (options.strict ? "Deno (Tunebook, strict)" : KERNEL_DISPLAY_NAME);
  const folder = join(kernelsFolder(options.prefix), name);
  await Deno.mkdir(folder, { recursive: true });
  const program = await stableProgram(options.prefix);
  const spec = kernelSpec(displayName, options.strict ?? false, program);
  await writeFileBeside(join(folder, "kernel.json"), JSON.stringify(spec, null, 2) + "\n");
  return { name, displayName, folder, library: program.library };
}

/** The content of `kernel.json`. */
export function kernelSpec(
  displayName: string,
  strict: boolean,
  { deno, library }: KernelProgram,
): Record<string, unknown> {
  const main = new URL("./main.ts", import.meta.url);
  const inLibrary = (path: string) => join(library!, path);
  return {
    argv: [
      deno,
      "run",
      "--allow-all",
      "--quiet",
      // The notebook's deno.json applies to its cells, not to this program.
      ...(library === undefined ? ["--no-config"] : ["--config", inLibrary("deno.json")]),
      "--no-lock",
      library === undefined ? main.href : inLibrary(main.href.slice(LIBRARY.href.length)),
      "--conn",
      "{connection_file}",
      ...(strict ? ["--strict"] : []),
    ],
    display_name: displayName,
    language: "typescript",
    interrupt_mode: "message",
    env: {},
    metadata: { tunebook: true },
  };
}

/**
 * Lists the installed kernels of Tunebook.
 *
 * @param prefix As for {@linkcode installKernel}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { installKernel, listKernels } from "tunebook/runtime";
 *
 * const prefix = await Deno.makeTempDir();
 * await installKernel({ prefix });
 * assertEquals((await listKernels(prefix)).map(({ name }) => name), ["tunebook"]);
 * await Deno.remove(prefix, { recursive: true });
 * ```
 */
export async function listKernels(prefix?: string): Promise<InstalledKernel[]> {
  const found: InstalledKernel[] = [];
  const root = kernelsFolder(prefix);
  try {
    for await (const { name, isDirectory } of Deno.readDir(root)) {
      if (!isDirectory) continue;
      const folder = join(root, name);
      const spec = await readSpec(folder);
      if (spec?.metadata?.tunebook === true) {
        const at = spec.argv.indexOf("--config");
        const library = at < 0 ? undefined : dirname(spec.argv[at + 1]);
        found.push({ name, displayName: String(spec.display_name), folder, library });
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Removes an installed kernel.
 *
 * @param options Where it is, and its name.
 * @returns The removed kernel.
 * @throws {Error} If there is no kernel of that name, or it belongs to another program.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { installKernel, listKernels, removeKernel } from "tunebook/runtime";
 *
 * const prefix = await Deno.makeTempDir();
 * await installKernel({ prefix });
 * await removeKernel({ prefix });
 * assertEquals(await listKernels(prefix), []);
 * await Deno.remove(prefix, { recursive: true });
 * ```
 */
export async function removeKernel(
  options: Pick<InstallOptions, "prefix" | "name"> = {},
): Promise<InstalledKernel> {
  assertKnownOptions("remove a kernel", options, { prefix: true, name: true });
  const { prefix, name = KERNEL_NAME } = options;
  const kernels = await listKernels(prefix);
  const kernel = kernels.find((one) => one.name === name);
  if (kernel === undefined) {
    const there = kernels.map((one) => `"${one.name}"`).join(", ") || "none";
    throw new Error(
      `Cannot remove kernel "${name}": it is not one of Tunebook's in "${kernelsFolder(prefix)}" ` +
        `(there: ${there})`,
    );
  }
  await Deno.remove(kernel.folder, { recursive: true });
  await removeUnusedCopies(
    await Promise.all(
      (await listKernels(prefix)).map(({ folder }) =>
        Deno.readTextFile(join(folder, "kernel.json"))
      ),
    ),
    prefix,
  );
  return kernel;
}

/** The folder in which Jupyter looks for kernels: the user's, or one under a prefix. */
export function kernelsFolder(prefix?: string): string {
  return join(prefix === undefined ? userFolder() : join(prefix, "share", "jupyter"), "kernels");
}

/** The user's Jupyter data folder, as jupyter_core finds it. */
function userFolder(): string {
  const { env } = Deno;
  const named = env.get("JUPYTER_DATA_DIR");
  if (named) return named;
  const home = env.get("HOME") ?? env.get("USERPROFILE") ?? dirname(Deno.cwd());
  switch (Deno.build.os) {
    case "windows":
      return join(env.get("APPDATA") ?? join(home, "AppData", "Roaming"), "jupyter");
    case "darwin":
      return join(home, "Library", "Jupyter");
    default:
      return join(env.get("XDG_DATA_HOME") || join(home, ".local", "share"), "jupyter");
  }
}

// deno-lint-ignore no-explicit-any
async function readSpec(folder: string): Promise<any> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, "kernel.json")));
  } catch {
    // Not a kernel's folder, or a broken one.
    return undefined;
  }
}
