// The package for JSR: the sources as they are, with the standard library from JSR.

import { dirname, join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { COMMAND, copyFiles, DOCUMENTS, packageFiles } from "./files.ts";

/**
 * Builds the folder that `deno publish` takes.
 *
 * @param out Where to put it.
 * @returns The folder, and how large its files are together: JSR takes 20 MiB.
 */
export async function packageForJsr(out: string): Promise<{ folder: string; bytes: number }> {
  const folder = join(out, "jsr");
  const { modules, assets, imports } = await packageFiles();
  const files = [...modules, ...assets, ...DOCUMENTS];
  await copyFiles(files, folder);
  const deno = jsrConfig(imports.keys());
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(deno, null, 2) + "\n");
  let bytes = 0;
  for (const path of files) bytes += (await Deno.stat(join(folder, path))).size;
  return { folder, bytes };
}

/** deno.json with what the package's modules import, the standard library's parts from JSR. */
export function jsrConfig(names: Iterable<string>) {
  const all: Record<string, string> = config.imports;
  const imports: Record<string, string> = {};
  for (const name of [...names].sort()) {
    const standard = /^@std\/[^/]+/.exec(name)?.[0];
    if (standard !== undefined) imports[standard] = `jsr:${standard}@^1`;
    else {
      // The import map also stands for what lies below a package's name.
      let own = name;
      while (all[own] === undefined && own !== ".") own = dirname(own);
      imports[own] = all[own];
    }
  }
  return {
    name: config.name,
    version: config.version,
    license: "MIT",
    exports: { ...config.exports, "./cli": `./${COMMAND}` },
    imports,
    compilerOptions: config.compilerOptions,
  };
}
