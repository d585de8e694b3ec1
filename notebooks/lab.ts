#!/usr/bin/env -S deno run -A
// `deno task lab`: JupyterLab on the course, with the kernel "Deno (Tunebook)". JupyterLab comes into `.venv`, an
// environment of its own, unless TUNEBOOK_JUPYTER names the `jupyter` of one that is there. Arguments go to JupyterLab.

import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { installKernel, KERNEL_NAME } from "../lib/runtime/jupyter/install.ts";

/** What is installed; tests/python/requirements.txt has the same, so that this is the one that is tested. */
const JUPYTERLAB = "jupyterlab==4.6.6";
const WHERE_PYTHON = "https://www.python.org/downloads/";

const root = fromFileUrl(new URL("../", import.meta.url));
const environment = join(root, ".venv");
const windows = Deno.build.os === "windows";
const programs = join(environment, windows ? "Scripts" : "bin");

/** Runs a program in this terminal; false where it is not there or fails. */
async function succeeds(program: string, args: string[], quiet = false): Promise<boolean> {
  const stdio = quiet ? "null" : "inherit";
  try {
    const { success } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: stdio,
      stderr: stdio,
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The path of `jupyter-lab`, installed first where it is missing. */
async function findJupyterLab(): Promise<string> {
  const name = windows ? "jupyter-lab.exe" : "jupyter-lab";
  const jupyter = Deno.env.get("TUNEBOOK_JUPYTER");
  if (jupyter) {
    const named = join(jupyter, "..", name);
    if (await isFile(named)) return named;
    throw new Error(`Cannot find JupyterLab beside "${jupyter}", which TUNEBOOK_JUPYTER names`);
  }
  const program = join(programs, name);
  if (!await isFile(program)) await installJupyterLab();
  return program;
}

async function installJupyterLab(): Promise<void> {
  let python: string | undefined;
  for (const name of windows ? ["py", "python"] : ["python3", "python"]) {
    // Without arguments it would wait for input, and Windows has a "python" that opens a shop.
    if (python === undefined && await succeeds(name, ["-c", "import sys"], true)) python = name;
  }
  if (python === undefined) {
    throw new Error(
      `Cannot install JupyterLab: no Python was found; install it (${WHERE_PYTHON}), or open ` +
        "notebooks/ in VS Code",
    );
  }
  console.error(`Installing ${JUPYTERLAB} into ${environment}, once; this takes a minute or two`);
  if (!await succeeds(python, ["-m", "venv", environment])) {
    const how = Deno.build.os === "linux" ? "; on Debian: apt-get install python3-venv" : "";
    throw new Error(`Cannot make a virtual environment in "${environment}" with ${python}${how}`);
  }
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", JUPYTERLAB];
  if (!await succeeds(join(programs, windows ? "python.exe" : "python"), pip)) {
    throw new Error(`Cannot install ${JUPYTERLAB} into "${environment}": pip failed, see above`);
  }
}

/** Runs JupyterLab until it ends; returns its exit code. */
async function runJupyterLab(program: string, args: string[]): Promise<number> {
  // The folder is ours, even if the JupyterLab is not.
  await installKernel({ prefix: environment });
  const paths = [join(environment, "share", "jupyter"), Deno.env.get("JUPYTER_PATH")];
  const lab = new Deno.Command(program, {
    args: [
      "--ip=127.0.0.1",
      ...(Deno.uid() === 0 ? ["--allow-root"] : []),
      `--ServerApp.root_dir=${root}`,
      "--LabApp.default_url=/lab/tree/notebooks/01_data.ipynb",
      "--LabApp.news_url=None",
      "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
      // The only kernel for TypeScript in sight is the one that chapters open with.
      `--KernelSpecManager.allowed_kernelspecs=${KERNEL_NAME}`,
      "--KernelSpecManager.ensure_native_kernel=False",
      ...args,
    ],
    env: { JUPYTER_PATH: paths.filter(Boolean).join(windows ? ";" : ":") },
  }).spawn();
  // Ctrl-C reaches JupyterLab too, which asks whether to stop.
  Deno.addSignalListener("SIGINT", () => {});
  if (!windows) Deno.addSignalListener("SIGTERM", () => lab.kill("SIGTERM"));
  return (await lab.status).code;
}

if (import.meta.main) {
  try {
    Deno.exit(await runJupyterLab(await findJupyterLab(), Deno.args));
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
