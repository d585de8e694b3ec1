// The package for npm: JavaScript with declarations, and nothing to import from elsewhere.

import { parse } from "@babel/parser";
import { basename, join } from "@std/path";
import MagicString from "magic-string";
import config from "../deno.json" with { type: "json" };
import { COMMAND, copyFiles, deno, DOCUMENTS, packageFiles, ROOT, run } from "./files.ts";
import { VENDOR, vendor } from "./vendor.ts";

/** The package's name on npm. */
const NAME = "tunebook";

/**
 * Builds the package.
 *
 * @param out Where to put it.
 * @returns The path of the archive.
 */
export async function packageForNpm(out: string): Promise<string> {
  const { modules, assets, imports } = await packageFiles();
  const folder = join(out, "npm"), stage = join(out, "stage");
  await copyFiles([...assets, ...DOCUMENTS], folder);
  await copyFiles([...modules, ...assets], stage);
  const vendored = await vendor(imports, folder);
  await writeDeclarations(stage, folder);
  await writeModules(modules, vendored.modules, stage, folder);
  await Deno.remove(stage, { recursive: true });
  await writeJson(join(folder, "deno.json"), denoJson());
  await writeJson(join(folder, "package.json"), packageJson(await denoPackages(folder)));
  await checkImports(folder, modules);
  await Deno.mkdir(join(folder, "bin"));
  await Deno.copyFile(join(ROOT, "package/bin.js"), join(folder, "bin/tunebook.js"));
  await Deno.chmod(join(folder, "bin/tunebook.js"), 0o755).catch(() => {}); // Windows has no such mode
  await Deno.writeTextFile(join(folder, "THIRD_PARTY_LICENSES.txt"), vendored.licences);
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", out], folder);
  return join(out, `${NAME}-${config.version}.tgz`);
}

const javascript = (path: string) => path.replace(/\.ts$/, ".js");

/** Writes the modules as JavaScript. */
async function writeModules(
  modules: string[],
  vendored: Map<string, string>,
  stage: string,
  folder: string,
): Promise<void> {
  await deno(["transpile", "--no-check", "--outdir", folder, ...modules], stage);
  for (const path of modules) {
    const file = join(folder, javascript(path));
    const code = new MagicString(await Deno.readTextFile(file));
    const up = "../".repeat(path.split("/").length - 1);
    for (const { value, start, end } of namedModules(code.original)) {
      const module = vendored.get(value);
      const target = module === undefined
        ? value.startsWith(".") ? javascript(value) : value
        : `${up}${module}`;
      if (target !== value) code.update(start, end, JSON.stringify(target));
    }
    const declarations = path.replace(/\.ts$/, ".d.ts");
    if (await exists(join(folder, declarations))) {
      code.prepend(`/* @ts-self-types="./${basename(declarations)}" */\n`);
    }
    await Deno.writeTextFile(file, code.toString());
  }
}

/** The texts by which a module names others: its imports, and `new URL("…", import.meta.url)`. */
function namedModules(code: string): { value: string; start: number; end: number }[] {
  const found: { value: string; start: number; end: number }[] = [];
  // deno-lint-ignore no-explicit-any
  const visit = (node: any) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node?.type !== "string") return;
    const url = node.type === "NewExpression" && node.callee.name === "URL" &&
      code.slice(node.arguments[1]?.start, node.arguments[1]?.end) === "import.meta.url";
    const named = url ? node.arguments[0] : node.source;
    if (named?.type === "StringLiteral") found.push(named);
    for (const key in node) if (!/comments/i.test(key)) visit(node[key]);
  };
  visit(parse(code, { sourceType: "module", createImportExpressions: true }).program);
  return found;
}

/** Declarations of what the entry points export, as `deno pack` makes them. */
async function writeDeclarations(stage: string, folder: string): Promise<void> {
  await writeJson(join(stage, "deno.json"), {
    name: config.name,
    version: config.version,
    exports: config.exports,
    imports: config.imports,
    compilerOptions: config.compilerOptions,
    nodeModulesDir: "none",
  });
  const archive = join(stage, "package.tgz");
  await deno(["pack", "--allow-dirty", "--no-source-maps", "--output", archive], stage);
  await run("tar", ["-xzf", archive, "-C", stage], stage);
  const packed = join(stage, "package");
  const move = async (below: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(join(packed, below))) {
      const path = join(below, name);
      if (isDirectory) await move(path);
      else if (name.endsWith(".d.ts")) {
        await Deno.mkdir(join(folder, below), { recursive: true });
        await Deno.rename(join(packed, path), join(folder, path));
      }
    }
  };
  await move("lib");
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** Every import must be of a file that is there, or of Node's own; declarations need no other package. */
async function checkImports(folder: string, modules: string[]): Promise<void> {
  const wrong = new Set<string>();
  for (const path of modules) {
    const code = await Deno.readTextFile(join(folder, javascript(path)));
    if (/new URL\("[^"]*\.ts"/.test(code)) wrong.add(`${path} names a module by its URL`);
    const declarations = path.replace(/\.ts$/, ".d.ts");
    const types = await Deno.readTextFile(join(folder, declarations)).catch(() => "");
    for (const [, name] of types.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"/gm)) {
      const file = join(folder, declarations, "..", name.replace(/\.js$/, ".d.ts"));
      if (!name.startsWith(".") || !await exists(file)) {
        wrong.add(`${declarations} has types of "${name}"`);
      }
    }
  }
  for (const path of [...Object.values(config.exports), COMMAND].map(javascript)) {
    const graph = JSON.parse(await deno(["info", "--json", "--no-config", path], folder));
    // Comments of the bundled packages name modules of theirs, for types alone.
    const run = new Set(graph.roots);
    for (const { dependencies = [] } of graph.modules) {
      for (const { code } of dependencies) run.add(code?.specifier);
    }
    for (const { specifier, error, dependencies = [] } of graph.modules) {
      if (specifier.includes(`/${VENDOR}/`)) continue;
      if (error !== undefined && run.has(specifier)) wrong.add(`${specifier}: ${error}`);
      for (const { specifier: name, code } of dependencies) {
        if (code?.error !== undefined) wrong.add(`${specifier} imports "${name}"`);
      }
    }
  }
  if (wrong.size > 0) throw new Error(`The package is not whole:\n${[...wrong].join("\n")}`);
}

/** The entry points by name, and the libraries of types, for kernels and the library itself. */
function denoJson() {
  const exports = Object.entries(config.exports);
  return {
    name: config.name,
    version: config.version,
    exports: Object.fromEntries(exports.map(([name, path]) => [name, javascript(path)])),
    imports: Object.fromEntries(
      exports.map(([name, path]) => [NAME + name.slice(1), javascript(path)]),
    ),
    compilerOptions: config.compilerOptions,
  };
}

/**
 * Deno as npm has it, a package for each system, at the version that the tests run with. The package
 * "deno" itself only adds a script that runs when it is installed.
 */
async function denoPackages(folder: string): Promise<Record<string, string>> {
  const asked = ["view", `deno@${Deno.version.deno}`, "optionalDependencies", "--json"];
  return JSON.parse(await run("npm", asked, folder));
}

function packageJson(optionalDependencies: Record<string, string>) {
  return {
    name: NAME,
    version: config.version,
    description: "Fine-tune language models in TypeScript notebooks, on WebGPU or CPU, and run " +
      "Deno notebooks so that no output is lost",
    keywords: ["deno", "jupyter", "notebook", "fine-tuning", "llm", "lora", "webgpu"],
    license: "MIT",
    type: "module",
    bin: { tunebook: "bin/tunebook.js" },
    exports: {
      ...Object.fromEntries(
        Object.entries(config.exports).map(([name, path]) => [name, {
          types: path.replace(/\.ts$/, ".d.ts"),
          default: javascript(path),
        }]),
      ),
      [`./${javascript(COMMAND)}`]: `./${javascript(COMMAND)}`,
      "./package.json": "./package.json",
    },
    optionalDependencies,
  };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value, null, 2) + "\n");
}
