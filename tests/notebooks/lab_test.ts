// `deno task lab`: JupyterLab on the course with this project's kernel, and the message if it
// cannot be installed.

import { assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { fromFileUrl } from "@std/path";
import { jupyterProgram } from "../jupyterlab.ts";

const script = fromFileUrl(new URL("../../notebooks/lab.ts", import.meta.url));
const environment = new URL("../../.venv/", import.meta.url);

/** Whether somebody has installed JupyterLab for the course here: then nothing is missing. */
const installed = await Deno.stat(environment).then(() =>
  Deno.stat(new URL("bin/jupyter-lab", environment))
).then(() => true, () => false);

function lab(env: Record<string, string>, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", script, ...args],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

Deno.test({
  name: `deno task lab opens the course with this project's kernel alone${jupyterProgram.needs}`,
  ignore: !jupyterProgram.found,
  async fn() {
    const home = await Deno.makeTempDir();
    const process = lab(
      {
        TUNEBOOK_JUPYTER: jupyterProgram.path.replace(/-lab$/, ""),
        HOME: home,
        JUPYTER_CONFIG_DIR: `${home}/config`,
        JUPYTER_RUNTIME_DIR: `${home}/runtime`,
        JUPYTERLAB_WORKSPACES_DIR: `${home}/workspaces`,
      },
      "--no-browser",
      "--port=0",
    ).spawn();
    let said = "";
    const { promise: announced, resolve, reject } = Promise.withResolvers<URL>();
    // Read to the end: a server whose standard error is closed may not get through its start.
    const reading = (async () => {
      for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
        said += text;
        const [found] = /http:\/\/127\.0\.0\.1:[1-9]\d*\/lab\S*token=\w+(?=\s)/.exec(said) ?? [];
        if (found) resolve(new URL(found));
      }
      reject(new Error(`JupyterLab has ended: ${said}`));
    })();
    let ended = false;
    process.status.then(() => ended = true);
    try {
      const address = await announced;
      assertEquals(address.pathname, "/lab/tree/notebooks/01_data.ipynb");
      const get = async (path: string) => {
        while (true) {
          try {
            return await (await fetch(new URL(path + address.search, address))).json();
          } catch (error) { // it may name its address before it listens there
            if (ended || !(error instanceof TypeError)) throw new Error(said, { cause: error });
            await delay(50);
          }
        }
      };
      const { kernelspecs } = await get("/api/kernelspecs");
      assertEquals(Object.keys(kernelspecs), ["tunebook"]);
      assertEquals(kernelspecs.tunebook.spec.display_name, "Deno (Tunebook)");
      const chapter = await get("/api/contents/notebooks/01_data.ipynb");
      assertMatch(chapter.content.cells[0].source, /^# 1 · /);
    } finally {
      process.kill("SIGTERM");
      await Promise.all([process.stdout.cancel(), process.status, reading]);
      await Deno.remove(home, { recursive: true });
    }
  },
});

Deno.test("deno task lab says in a sentence that TUNEBOOK_JUPYTER names no JupyterLab", async () => {
  const { code, stderr } = await lab({ TUNEBOOK_JUPYTER: script }).output();
  assertEquals(code, 1);
  assertEquals(
    new TextDecoder().decode(stderr),
    `error: Cannot find JupyterLab beside "${script}", which TUNEBOOK_JUPYTER names\n`,
  );
});

Deno.test({
  name: `deno task lab says in a sentence that there is no Python${
    installed ? " (needs to be without .venv: rm -r .venv)" : ""
  }`,
  ignore: installed || Deno.build.os === "windows",
  async fn() {
    const { code, stderr } = await lab({ TUNEBOOK_JUPYTER: "", PATH: "/nowhere" }).output();
    assertEquals(code, 1);
    assertMatch(
      new TextDecoder().decode(stderr),
      /^error: Cannot install JupyterLab: no Python was found; install it \(https:\S+\), or open [^\n]*\n$/,
    );
  },
});
