// Which files a package holds: those that the entry points reach, by imports and by
// `new URL("…", import.meta.url)`, and a few beside them.

import { dirname, fromFileUrl, join, relative, toFileUrl } from "@std/path";
import config from "../deno.json" with { type: "json" };

/** The repository. */
export const ROOT: string = fromFileUrl(new URL("../", import.meta.url));

/** The command's module. */
export const COMMAND = "lib/cli.ts";

/** Files that nothing imports. */
export const DOCUMENTS = ["LICENSE", "README.md", "CHANGELOG.md"];

/** How the model and the data that come along were made. */
const NOTES = ["data/instructions/README.md", "data/nano/README.md"];

/** An import by a name of the import map. */
export interface NamedImport {
  /** `npm:/NAME@VERSION/PATH`. */
  target: string;
  /** Whether its text is imported. */
  asText: boolean;
}

/** What is packaged. */
export interface PackageFiles {
  /** Modules, by their paths in the repository. */
  modules: string[];
  /** Other files. */
  assets: string[];
  /** What modules import by names of the import map. */
  imports: Map<string, NamedImport>;
}

interface GraphModule {
  specifier: string;
  kind: string;
  dependencies?: {
    specifier: string;
    code?: { specifier: string };
    assertionType?: string;
  }[];
}

/** Finds the files. */
export async function packageFiles(): Promise<PackageFiles> {
  const roots = [...Object.values(config.exports), COMMAND].map((path) => join(ROOT, path));
  const modules = new Set<string>(), assets = new Set(NOTES);
  const imports = new Map<string, NamedImport>();
  for (let next = roots; next.length > 0;) {
    const graph = await moduleGraph(next);
    next = [];
    for (const { specifier, kind, dependencies = [] } of graph) {
      if (!specifier.startsWith("file:")) continue;
      const path = relative(ROOT, fromFileUrl(specifier));
      if (path === "deno.json" || modules.has(path)) continue; // each package has a deno.json of its own
      if (kind !== "esm") {
        assets.add(path);
        continue;
      }
      modules.add(path);
      for (const { specifier: name, code, assertionType } of dependencies) {
        if (code?.specifier.startsWith("npm:")) {
          imports.set(name, { target: code.specifier, asText: assertionType === "text" });
        }
      }
      for (const target of await namedFiles(path)) {
        if (/\.ts$/.test(target)) next.push(join(ROOT, target));
        else for (const file of await filesAt(target)) assets.add(file);
      }
    }
  }
  return { modules: [...modules].sort(), assets: [...assets].sort(), imports };
}

async function moduleGraph(roots: string[]): Promise<GraphModule[]> {
  const graph: GraphModule[] = [];
  for (const root of roots) {
    const text = await deno(["info", "--json", root], ROOT);
    graph.push(...JSON.parse(text).modules);
  }
  return graph;
}

/** The files that a module finds relative to its own place. */
async function namedFiles(path: string): Promise<string[]> {
  const code = await Deno.readTextFile(join(ROOT, path));
  const base = toFileUrl(join(ROOT, path));
  return [...code.matchAll(/new URL\("(\.[^"]*)", import\.meta\.url\)/g)]
    .map(([, target]) => relative(ROOT, fromFileUrl(new URL(target, base))))
    .filter((target) => target !== "");
}

/** The file at a path, or what weights and settings a folder holds. */
async function filesAt(path: string): Promise<string[]> {
  if (!(await Deno.stat(join(ROOT, path))).isDirectory) return [path];
  const names = [...Deno.readDirSync(join(ROOT, path))].filter(({ isFile }) => isFile)
    .map(({ name }) => name).filter((name) => /\.(json|safetensors)$/.test(name));
  return names.map((name) => join(path, name));
}

/** Copies files of the repository to the same paths in a folder. */
export async function copyFiles(paths: Iterable<string>, folder: string): Promise<void> {
  for (const path of paths) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.copyFile(join(ROOT, path), join(folder, path));
  }
}

/** Runs Deno and gives what it writes to its standard output. */
export async function deno(args: string[], cwd: string): Promise<string> {
  return await run(Deno.execPath(), args, cwd);
}

/** Runs a program and gives what it writes to its standard output. */
export async function run(program: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`"${program} ${args.join(" ")}" fails: ${text.decode(stderr)}`);
  return text.decode(stdout);
}
