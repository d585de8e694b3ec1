// The installed kernel under Python's clients: PyPI's own kernel tests, nbclient, nbconvert, papermill.
// `TUNEBOOK_RUNS=100 deno test -A --no-check tests/runtime/jupyter/clients_test.ts` runs each notebook a
// hundred times, which takes some minutes.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { installKernel } from "../../../lib/runtime/jupyter/install.ts";
import { findPython } from "../../support.ts";

const RUNS = Deno.env.get("TUNEBOOK_RUNS");

/** Runs a script beside this one where the kernel is installed. */
async function run(python: string, script: string, ...args: string[]): Promise<string> {
  const prefix = await Deno.makeTempDir({ prefix: "tunebook-clients-" });
  try {
    await installKernel({ prefix });
    const { success, stdout, stderr } = await new Deno.Command(python, {
      args: [fromFileUrl(new URL(script, import.meta.url)), ...args],
      cwd: prefix,
      env: { JUPYTER_PATH: `${prefix}/share/jupyter`, JUPYTER_RUNTIME_DIR: `${prefix}/runtime` },
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    if (!success) throw new Error(said);
    return said;
  } finally {
    await Deno.remove(prefix, { recursive: true });
  }
}

const suite = findPython("jupyter_kernel_test");

Deno.test({
  name: `PyPI's jupyter_kernel_test passes${suite.needs}`,
  ignore: !suite.found,
  async fn() {
    const said = await run(suite.path, "./kernel_suite.py");
    assertStringIncludes(said, "Ran 12 tests");
    // The one that asks nothing of a kernel without a pager.
    assertStringIncludes(said, "OK (skipped=1)");
    assertEquals(said.match(/^test_\w+ .*skipped.*$/gm)?.map((line) => line.split(" ")[0]), [
      "test_pager",
    ]);
  },
});

for (const [client, runs] of [["nbclient", "3"], ["nbconvert", "1"], ["papermill", "1"]]) {
  const python = findPython(client);
  Deno.test({
    name: `every output is in its place under ${client}${python.needs}`,
    ignore: !python.found,
    async fn() {
      const count = RUNS ?? runs;
      assertStringIncludes(
        await run(python.path, "./clients.py", client, count, "."),
        `${count} runs in place`,
      );
    },
  });
}
