// Bundles the parts of other packages that the library uses as modules of its own, so that the
// package imports only relative paths and a kernel can load it from any place, next to any
// deno.json.

import { join } from "@std/path";
import { deno, type NamedImport, ROOT } from "./files.ts";

/** Where the modules are, in the package. */
export const VENDOR = "lib/vendor";

/** A package of which code is in the modules. */
interface Bundled {
  name: string;
  version: string;
  folder: string;
}

/**
 * Bundles what is imported by names of the import map.
 *
 * @param imports The names and what they stand for.
 * @param folder The package's folder.
 * @returns The modules by these names, and the licences of what is in them.
 */
export async function vendor(
  imports: Map<string, NamedImport>,
  folder: string,
): Promise<{ modules: Map<string, string>; licences: string }> {
  const modules = new Map<string, string>();
  const entries: string[] = [];
  await Deno.mkdir(join(ROOT, "out"), { recursive: true });
  // In the repository, so that Deno finds its deno.json.
  const scratch = await Deno.makeTempDir({ dir: join(ROOT, "out"), prefix: "vendor-" });
  const target = join(folder, VENDOR);
  const bundled = new Map<string, Bundled>();
  await Deno.mkdir(target, { recursive: true });
  try {
    for (const [name, { target: source, asText }] of [...imports].sort()) {
      const file = name.replace(/^@/, "").replace(/\.js$/, "").replaceAll("/", "_") + ".js";
      modules.set(name, `${VENDOR}/${file}`);
      if (asText) {
        const { default: text } = await import(name, { with: { type: "text" } });
        await Deno.writeTextFile(join(target, file), text);
        const [, own, version] = /^npm:\/((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(source)!;
        bundled.set(own, { name: own, version, folder: await cachedPackage(own, version) });
        continue;
      }
      // `export *` would lose what only a run of a CommonJS module tells.
      const names = Object.keys(await import(name)).filter((one) => one !== "module.exports");
      const entry = join(scratch, file.replace(/js$/, "ts"));
      const list = names.join(", ");
      await Deno.writeTextFile(entry, `export { ${list} } from ${JSON.stringify(name)};\n`);
      entries.push(entry);
    }
    await deno(
      ["bundle", "--code-splitting", "--platform", "deno", "--outdir", target, ...entries],
      ROOT,
    );
    for (const { name } of Deno.readDirSync(target)) {
      const path = join(target, name);
      // Names of the source of the following code in this machine's cache.
      const code = (await Deno.readTextFile(path)).replace(
        /((?:\.\.\/)+[^"\n]*\/npm\/[^/\n]+\/((?:@[^/\n]+\/)?[^/\n]+)\/(\d+\.[^/\n]+))\//g,
        (_, place, name, version) => {
          bundled.set(name, { name, version, folder: join(ROOT, place) });
          return `npm:${name}@${version}/`;
        },
      );
      const movable = code.replace(/^ *\/\/ out\/vendor-.*\n/gm, "")
        // Only Node's own modules are required, from wherever this one was loaded.
        .replace(
          "createRequire(import.meta.url)",
          'createRequire(import.meta.url.startsWith("file:") ? import.meta.url : "file:///")',
        );
      await Deno.writeTextFile(path, movable);
    }
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  return { modules, licences: await licencesOf([...bundled.values()]) };
}

/** Where Deno keeps a package. */
async function cachedPackage(name: string, version: string): Promise<string> {
  const { npmCache } = JSON.parse(await deno(["info", "--json"], ROOT));
  for (const registry of Deno.readDirSync(npmCache)) {
    const folder = join(npmCache, registry.name, name, version);
    if (await Deno.stat(folder).then(() => true, () => false)) return folder;
  }
  throw new Deno.errors.NotFound(`Cannot find "${name}@${version}" in "${npmCache}"`);
}

async function licencesOf(packages: Bundled[]): Promise<string> {
  const parts: string[] = [];
  for (const { name, version, folder } of packages.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const { license } = JSON.parse(await Deno.readTextFile(join(folder, "package.json")));
    const file = [...Deno.readDirSync(folder)].find((entry) =>
      entry.isFile && /^licen[cs]e/i.test(entry.name)
    );
    const text = file === undefined ? "" : await Deno.readTextFile(join(folder, file.name));
    parts.push(`${name} ${version} (${license ?? "see below"})\n\n${text.trim()}`.trim());
  }
  return `Parts of these packages are in ${VENDOR}/.\n\n${
    parts.join(`\n\n${"-".repeat(70)}\n\n`)
  }\n`;
}
