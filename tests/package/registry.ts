/** A registry of npm's on this machine, for one test: verdaccio, before the one that npm is set up with. */

import { fromFileUrl, join } from "@std/path";
import { run } from "../../package/files.ts";
import { findProgram } from "../support.ts";

const VERDACCIO = "6.0.5"; // the last for Node 18 and 20
const HOME = fromFileUrl(new URL("../../.cache/verdaccio", import.meta.url));

/** A running registry. */
export interface Registry extends AsyncDisposable {
  /** Its address. */
  url: string;
}

/** What a test that starts a registry lacks, for the end of its name; empty where nothing. */
export async function missingForRegistry(): Promise<string> {
  for (const name of ["node", "npm", "npx"]) {
    const { found } = findProgram(`TUNEBOOK_${name.toUpperCase()}`, [name], "");
    if (!found) return ` (needs ${name} on the PATH)`;
  }
  try {
    await run(
      "npm",
      ["view", `verdaccio@${VERDACCIO}`, "version", "--fetch-retries=0"],
      Deno.cwd(),
    );
    return "";
  } catch {
    return " (needs the registry that npm is set up with)";
  }
}

/**
 * Starts a registry; the program is installed once, in `.cache`.
 *
 * @param folder An empty folder for its files.
 */
export async function startRegistry(folder: string): Promise<Registry> {
  const program = await installVerdaccio();
  const upstream = (await run("npm", ["config", "get", "registry"], folder)).trim();
  const port = freePort();
  const config = {
    storage: join(folder, "storage"),
    web: { enable: false },
    uplinks: { npm: { url: upstream, cache: false } },
    packages: { "**": { access: "$all", publish: "$all", proxy: "npm" } },
    max_body_size: "100mb",
    log: { type: "stdout", format: "pretty", level: "error" },
  };
  const file = join(folder, "config.json"); // JSON is YAML
  await Deno.writeTextFile(file, JSON.stringify(config));
  const process = new Deno.Command("node", {
    args: [program, "--config", file, "--listen", `127.0.0.1:${port}`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const status = process.status.finally(() => ended = true);
  const url = `http://127.0.0.1:${port}`;
  while (!await answers(`${url}/-/ping`)) {
    if (ended) throw new Error("verdaccio ends before it listens");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (!ended) process.kill();
      await status;
    },
  };
}

async function installVerdaccio(): Promise<string> {
  const folder = join(HOME, VERDACCIO);
  const program = join(folder, "node_modules", "verdaccio", "bin", "verdaccio");
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  const unfinished = `${folder}.${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(unfinished, { recursive: true });
  // verdaccio-audit asks for a tag of node-fetch, which mirrors of the registry may not have.
  const manifest = {
    private: true,
    dependencies: { verdaccio: VERDACCIO },
    overrides: { "node-fetch": "2.7.0" },
  };
  await Deno.writeTextFile(join(unfinished, "package.json"), JSON.stringify(manifest));
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], unfinished);
  await Deno.rename(unfinished, folder).catch(() => {}); // another run was faster
  return program;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
