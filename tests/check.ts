/**
 * `deno task check`: format, lint and types of everything, the notebooks' cells included.
 *
 * A notebook's code cells run top to bottom in one scope, so they are checked as one module. It is
 * written to a temporary folder whose import map leads to this repository's modules, and places in
 * messages are given back as notebook, cell and line. `*.as.ts` files are AssemblyScript: their own
 * compiler checks them, in `deno task build`, which a test runs.
 */

import { dirname, fromFileUrl, join, relative, resolve, toFileUrl } from "@std/path";

/** The repository. */
export const ROOT: string = resolve(dirname(fromFileUrl(import.meta.url)), "..");

/** Where a line of an extracted module comes from. */
interface Origin {
  readonly cell: string;
  readonly line: number;
}

/** A notebook's code cells as one module. */
export interface NotebookModule {
  /** The module's text. */
  readonly text: string;
  /** For each of the module's lines, the cell and the line in it. */
  readonly origins: readonly Origin[];
}

const SKIPPED_FOLDERS = new Set(["node_modules", "out"]);

/** The files under `folder` whose names pass, sorted; folders of tools and outputs are passed over. */
export function filesUnder(folder: string, passes: (name: string) => boolean): string[] {
  const found: string[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return found;
    throw error;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) {
      if (!entry.name.startsWith(".") && !SKIPPED_FOLDERS.has(entry.name)) {
        found.push(...filesUnder(path, passes));
      }
    } else if (passes(entry.name)) {
      found.push(path);
    }
  }
  return found.sort();
}

const textOf = (source: unknown): string => Array.isArray(source) ? source.join("") : `${source}`;

/** What is wrong with a notebook as committed: outputs, execution counts, missing or repeated ids. */
export function notebookFaults(json: string): string[] {
  let notebook: any;
  try {
    notebook = JSON.parse(json);
  } catch (error) {
    return [`is not JSON: ${(error as Error).message}`];
  }
  const faults: string[] = [];
  if (notebook.nbformat !== 4 || !(notebook.nbformat_minor >= 5)) {
    faults.push(`has format ${notebook.nbformat}.${notebook.nbformat_minor}, expected 4.5`);
  }
  if (notebook.metadata?.kernelspec?.name !== "deno") {
    faults.push(`has kernel "${notebook.metadata?.kernelspec?.name}", expected "deno"`);
  }
  const seen = new Set<string>();
  for (const [index, cell] of (notebook.cells ?? []).entries()) {
    const name = cell.id ? `cell "${cell.id}"` : `cell ${index + 1}`;
    if (!cell.id) faults.push(`${name} has no id`);
    if (seen.has(cell.id)) faults.push(`${name} has the id of an earlier cell`);
    seen.add(cell.id);
    if (cell.cell_type !== "code") continue;
    if (cell.outputs?.length > 0) faults.push(`${name} is committed with outputs`);
    if (cell.execution_count !== null) {
      faults.push(`${name} is committed with execution count ${cell.execution_count}`);
    }
  }
  return faults;
}

/** A notebook's code cells, top to bottom, as one module. */
export function extractModule(json: string): NotebookModule {
  const lines: string[] = [];
  const origins: Origin[] = [];
  for (const [index, cell] of (JSON.parse(json).cells ?? []).entries()) {
    if (cell.cell_type !== "code") continue;
    for (const [line, text] of textOf(cell.source).split("\n").entries()) {
      lines.push(text);
      origins.push({ cell: cell.id ?? `${index + 1}`, line: line + 1 });
    }
  }
  // Without an import or export the file would be a script, where top-level await is an error.
  lines.push("export {};");
  return { text: lines.join("\n") + "\n", origins };
}

/** Runs `deno` with the arguments; its output is shown, changed by `rewrite`. Returns success. */
async function deno(args: string[], rewrite?: (text: string) => string): Promise<boolean> {
  const shown = args.filter((arg) => !arg.endsWith(".ts")).join(" ");
  console.log(`\n$ deno ${shown}`);
  const output = rewrite ? "piped" : "inherit";
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: output,
    stderr: output,
  });
  if (!rewrite) return (await command.spawn().status).success;
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  console.log(rewrite(decoder.decode(stdout) + decoder.decode(stderr)).trim());
  return success;
}

/** Types and lint of notebooks' cells; returns what failed. */
export async function checkNotebooks(notebooks: readonly string[], root = ROOT): Promise<string[]> {
  const failures: string[] = [];
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "tunebook-check-" }));
  try {
    const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
    const base = toFileUrl(root + "/");
    const imports = Object.fromEntries(
      Object.entries<string>(config.imports).map(([name, target]) =>
        [name, /^\.{0,2}\//.test(target) ? new URL(target, base).href : target] as const
      ),
    );
    imports["./"] = base.href; // a cell's "../lib/x.ts" leads into the repository too
    const lint = structuredClone(config.lint);
    // A cell may declare what only a learner's next experiment uses.
    lint.rules.exclude.push("no-unused-vars");
    // A `let` may be reassigned by a run's parameters, or by a learner.
    lint.rules.exclude.push("prefer-const");
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({
        compilerOptions: config.compilerOptions,
        nodeModulesDir: config.nodeModulesDir,
        imports,
        lint,
      }),
    );
    const modules: { path: string; name: string; origins: readonly Origin[] }[] = [];
    for (const notebook of notebooks) {
      const json = await Deno.readTextFile(notebook);
      const name = relative(root, notebook);
      const faults = notebookFaults(json);
      for (const fault of faults) console.log(`${name}: ${fault}`);
      failures.push(...faults.map((fault) => `${name}: ${fault}`));
      if (faults.some((fault) => fault.startsWith("is not JSON"))) continue;
      const { text, origins } = extractModule(json);
      const path = join(folder, name + ".ts");
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, text);
      modules.push({ path, name, origins });
    }
    if (modules.length > 0) {
      const paths = modules.map((module) => module.path);
      const rewrite = (text: string) => {
        // deno-lint-ignore no-control-regex -- colour codes may stand between path, line and column
        let clean = text.replace(/\x1b\[[0-9;]*m/g, "");
        for (const { path, name, origins } of modules) {
          for (const place of [toFileUrl(path).href, path]) {
            clean = clean.replaceAll(
              new RegExp(`${place.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}:(\\d+)`, "g"),
              (_, line) => {
                const origin = origins[Number(line) - 1];
                return origin ? `${name}, cell "${origin.cell}", line ${origin.line}` : name;
              },
            );
          }
        }
        return clean;
      };
      const settings = ["--config", join(folder, "deno.json")];
      if (!await deno(["check", "--quiet", ...settings, ...paths], rewrite)) {
        failures.push("notebooks' types");
      }
      if (!await deno(["lint", ...settings, ...paths], rewrite)) failures.push("notebooks' lint");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return failures;
}

/**
 * Notebooks that `deno fmt` would change. It is asked to format copies, since its `--check` (of Deno 2.9.6) says of
 * every notebook that it is not formatted.
 */
async function unformattedNotebooks(notebooks: readonly string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-format-" });
  try {
    const copies = notebooks.map((path, i) => ({ path, copy: join(folder, `${i}.ipynb`) }));
    for (const { path, copy } of copies) await Deno.copyFile(path, copy);
    const settings = ["--quiet", "--config", join(ROOT, "deno.json")];
    if (!await deno(["fmt", ...settings, ...copies.map(({ copy }) => copy)])) return ["notebooks"];
    const changed = await Promise.all(
      copies.map(async ({ path, copy }) =>
        await Deno.readTextFile(path) !== await Deno.readTextFile(copy)
      ),
    );
    return notebooks.filter((_, i) => changed[i]).map((path) => relative(ROOT, path));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const failures: string[] = [];
  // What is ignored here takes the place of what deno.json excludes.
  const config = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const ignored = [...config.fmt.exclude, ...config.exclude, "**/*.ipynb"].join(",");
  if (!await deno(["fmt", "--check", `--ignore=${ignored}`])) {
    failures.push("format (deno fmt fixes it)");
  }
  if (!await deno(["lint"])) failures.push("lint");
  const modules = ["lib", "tests", "data", "notebooks", "package"].flatMap((folder) =>
    filesUnder(join(ROOT, folder), (name) => name.endsWith(".ts") && !name.endsWith(".as.ts"))
  );
  if (!await deno(["check", "--quiet", ...modules])) failures.push("types");
  // Notebooks of tests are what others might write; a test runs them.
  const notebooks = filesUnder(join(ROOT, "notebooks"), (name) => name.endsWith(".ipynb"));
  const unformatted = await unformattedNotebooks(notebooks);
  if (unformatted.length > 0) failures.push(`format of ${unformatted.join(", ")}`);
  failures.push(...await checkNotebooks(notebooks));
  const what = `${modules.length} modules and ${notebooks.length} notebooks`;
  if (failures.length > 0) {
    console.error(`\nChecked ${what}; failed: ${failures.join("; ")}`);
    Deno.exit(1);
  }
  console.log(`\nChecked ${what}: all well`);
}
