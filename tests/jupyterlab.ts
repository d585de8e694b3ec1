/** A real JupyterLab for tests, in folders of its own. */

import { installKernel } from "../lib/runtime/jupyter/install.ts";
import { denoDir, findProgram, type Found } from "./support.ts";

/** JupyterLab: beside the `jupyter` that `TUNEBOOK_JUPYTER` names, or the one on the PATH. */
export const jupyterProgram: Found = findJupyterLab();

function findJupyterLab(): Found {
  const how = "pip install jupyterlab, and the path of its jupyter";
  const found = findProgram("TUNEBOOK_JUPYTER", ["jupyter-lab"], how);
  // A Jupyter without JupyterLab has no such program beside it.
  const path = found.path.replace(/jupyter$/, "jupyter-lab");
  try {
    if (found.found && Deno.statSync(path).isFile) return { path, found: true, needs: "" };
  } catch {
    // not there
  }
  return { path: "", found: false, needs: ` (needs TUNEBOOK_JUPYTER: ${how})` };
}

/** A JupyterLab with the stock Deno kernel and `Deno (Tunebook)`, in folders of its own. */
export interface JupyterLab {
  /** The address of its page, token included; put a notebook's path between. */
  address(path: string): string;
  /** The folder that holds its notebooks. */
  folder: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Asks nobody for news, and has all cells in the page, not only those in view. */
const SETTINGS = {
  "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
  "@jupyterlab/notebook-extension:tracker": { windowingMode: "none" },
};

/**
 * Starts JupyterLab on a free port of 127.0.0.1.
 *
 * @param options `settings`: more of its settings, by plugin.
 */
export async function startJupyterLab(
  options: { settings?: Record<string, unknown> } = {},
): Promise<JupyterLab> {
  const home = await Deno.makeTempDir({ prefix: "tunebook-jupyterlab-" });
  const folder = `${home}/notebooks`;
  await Deno.mkdir(`${home}/share/jupyter/lab/settings`, { recursive: true });
  await Deno.mkdir(`${home}/tmp`);
  await Deno.mkdir(folder);
  const env: Record<string, string> = {
    HOME: home,
    XDG_DATA_HOME: `${home}/share`,
    JUPYTER_DATA_DIR: `${home}/share/jupyter`,
    JUPYTER_CONFIG_DIR: `${home}/config`,
    JUPYTER_RUNTIME_DIR: `${home}/runtime`,
    JUPYTER_PREFER_ENV_PATH: "0",
    JUPYTERLAB_SETTINGS_DIR: `${home}/settings`,
    JUPYTERLAB_WORKSPACES_DIR: `${home}/workspaces`,
    TMPDIR: `${home}/tmp`,
    DENO_DIR: denoDir(),
    NO_COLOR: "1",
  };
  const install = await new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--install"],
    env,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!install.success) throw new Error(new TextDecoder().decode(install.stderr));
  await installKernel({ prefix: home });
  for (const [plugin, settings] of Object.entries({ ...SETTINGS, ...options.settings })) {
    const [extension, name] = plugin.split(":");
    const place = `${home}/settings/${extension}`;
    await Deno.mkdir(place, { recursive: true });
    await Deno.writeTextFile(`${place}/${name}.jupyterlab-settings`, JSON.stringify(settings));
  }
  const port = freePort();
  const token = crypto.randomUUID();
  const log = await Deno.open(`${home}/log`, { create: true, write: true });
  const process = new Deno.Command(jupyterProgram.path, {
    args: [
      "--no-browser",
      "--allow-root",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--ServerApp.port_retries=0",
      `--IdentityProvider.token=${token}`,
      `--ServerApp.root_dir=${folder}`,
      "--LabApp.news_url=None",
      "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const logged = process.stderr.pipeTo(log.writable).catch(() => {});
  const lab: JupyterLab = {
    folder,
    address: (path) => `http://127.0.0.1:${port}/lab/tree/${path}?token=${token}&reset`,
    async [Symbol.asyncDispose]() {
      // Asked to stop, the server ends its kernels too.
      try {
        process.kill("SIGTERM");
      } catch {
        // ended by itself
      }
      const killer = setTimeout(() => process.kill("SIGKILL"), 10_000);
      await process.status;
      clearTimeout(killer);
      await logged;
      await Deno.remove(home, { recursive: true });
    },
  };
  let ended = false;
  process.status.then(() => ended = true);
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/status?token=${token}`);
      await response.body?.cancel();
      if (response.ok) return lab;
    } catch {
      // not yet
    }
    if (ended) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const said = await Deno.readTextFile(`${home}/log`);
  await lab[Symbol.asyncDispose]();
  throw new Error(`JupyterLab did not start: ${said.slice(-2000)}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/**
 * A notebook as a file has it.
 *
 * @param cells The sources of its code cells.
 * @param metadata Its kernel, and more.
 * @returns The text of the file.
 */
export function notebookText(
  cells: readonly string[],
  metadata: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({
    cells: cells.map((source, i) => ({
      cell_type: "code",
      execution_count: null,
      id: `cell-${i}`,
      metadata: {},
      outputs: [],
      source,
    })),
    metadata,
    nbformat: 4,
    nbformat_minor: 5,
  });
}
