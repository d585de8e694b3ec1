// Settings that tell the language server about this library if the notebook's deno.json does not
// map it.

import { makeOwnTempDir } from "../../own_temp.ts";
import { join } from "@std/path/join";
import { toFileUrl } from "@std/path/to-file-url";
import { findDenoConfig } from "../deno_config.ts";

/** Settings for the language server, and the folder that they need. */
export interface LanguageSettings {
  settings: Record<string, unknown>;
  /** Removes the files that the settings name. */
  [Symbol.dispose](): void;
}

/**
 * Makes the language server find this library as the kernel does.
 *
 * @param cwd The notebook's folder.
 * @param library URLs of the entry points, by name.
 */
export async function languageSettings(
  cwd: string,
  library: Readonly<Record<string, string>>,
): Promise<LanguageSettings> {
  const own = await findDenoConfig(cwd);
  const imports = { ...library, ...own?.imports };
  if (Object.keys(imports).length === Object.keys(own?.imports ?? {}).length) {
    // The server itself finds a deno.json in the folder or in the one above, but not further up.
    const settings = own === undefined ? {} : { config: toFileUrl(own.path).href };
    return { settings, [Symbol.dispose]() {} };
  }
  const folder = await makeOwnTempDir("tunebook-language-");
  const path = join(folder, "deno.json");
  // An import map in the settings counts only beside a deno.json that has none.
  const { compilerOptions, nodeModulesDir, unstable } = own?.value ?? {};
  const config = own === undefined ? { imports } : {
    compilerOptions,
    nodeModulesDir,
    unstable,
    imports,
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  return {
    settings: { [own === undefined ? "importMap" : "config"]: toFileUrl(path).href },
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}
