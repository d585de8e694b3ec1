// A sandboxed kernel can start no process that checks a BLAS: it reads what was found outside, and cannot change it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { runNotebook } from "../../../lib/runtime/mod.ts";
import { sandboxFault } from "../../../lib/runtime/sandbox/outer.ts";
import { pythonCandidates } from "../../../lib/tensor/cpu/blas/candidates.ts";
import { findBlas } from "../../../lib/tensor/cpu/blas/find.ts";
import { blasNeed } from "../../devices.ts";
import { denoDir, findPython } from "../../support.ts";
import { code, notebookOf } from "../report/sample.ts";

const need = await sandboxFault() ?? blasNeed;
/** Found before the cache folder is another one. */
const packages = denoDir();
const cwd = fromFileUrl(new URL("../../../notebooks", import.meta.url));

/** Runs code in the sandbox, as a machine would whose cache is this folder. */
async function runWithCache(cache: string, source: string): Promise<string> {
  const names = ["XDG_CACHE_HOME", "DENO_DIR"] as const;
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  Deno.env.set("DENO_DIR", packages);
  Deno.env.set("XDG_CACHE_HOME", cache);
  try {
    const book = notebookOf(code(source));
    const { notebook, ok, failure } = await runNotebook(book, {
      name: "book.ipynb",
      cwd,
      sandbox: {},
    });
    assert(ok, failure?.summary);
    const [cell] = notebook.cells;
    return cell.cell_type === "code"
      ? cell.outputs.map((output) => output.output_type === "stream" ? output.text : "").join("")
      : "";
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

const python = findPython("scipy");
const pythonNeed = need ?? (python.found ? undefined : python.needs.replace(/^ \(|\)$/g, ""));

Deno.test({
  name: `a sandboxed kernel takes the BLAS of a Python environment that was chosen outside${
    pythonNeed ? ` (${pythonNeed})` : ""
  }`,
  ignore: pythonNeed !== undefined,
  async fn() {
    const cache = await Deno.makeTempDir({ prefix: "tunebook-cache-" });
    const names = ["XDG_CACHE_HOME", "VIRTUAL_ENV", "TUNEBOOK_BLAS"] as const;
    const before = names.map((name) => [name, Deno.env.get(name)] as const);
    try {
      Deno.env.set("VIRTUAL_ENV", dirname(dirname(python.path)));
      const [path] = pythonCandidates().flat().filter((path) => path.includes("scipy.libs"));
      Deno.env.set("XDG_CACHE_HOME", cache);
      Deno.env.set("TUNEBOOK_BLAS", path);
      const { used } = findBlas();
      assertEquals(used!.path, path);
      const facts = JSON.parse(await runWithCache(cache, SHOW_FACTS));
      assertEquals([facts.blas, facts.blasCore], [used!.name, used!.core]);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
      await Deno.remove(cache, { recursive: true });
    }
  },
});

const SHOW_FACTS = `import { pick } from "tunebook";
console.log(JSON.stringify((await pick({ device: "cpu" })).facts));`;

Deno.test({
  name: `a sandboxed kernel takes the BLAS that was checked outside, and none that was not${
    need ? ` (${need})` : ""
  }`,
  ignore: need !== undefined,
  async fn() {
    const cache = await Deno.makeTempDir({ prefix: "tunebook-cache-" });
    const before = Deno.env.get("XDG_CACHE_HOME");
    try {
      const unchecked = JSON.parse(await runWithCache(cache, SHOW_FACTS));
      assertEquals(unchecked.blas, "none");
      assertMatch(
        unchecked.blasUnused,
        /^no BLAS can be checked here: no process can be started; /,
      );

      Deno.env.set("XDG_CACHE_HOME", cache);
      const { used } = findBlas({ again: true });
      const facts = JSON.parse(await runWithCache(cache, SHOW_FACTS));
      assertEquals([facts.blas, facts.blasCore], [used!.name, used!.core]);

      const kept = join(cache, "tunebook/blas.json");
      const text = await Deno.readTextFile(kept);
      const said = await runWithCache(
        cache,
        `const path = "/tmp/.cache/tunebook/blas.json";
for (const attempt of [
  () => Deno.writeTextFile(path, "{}"),
  () => Deno.remove(path),
  async () => {
    await Deno.writeTextFile("/tmp/other", "{}");
    await Deno.rename("/tmp/other", path);
  },
]) console.log(await attempt().then(() => "done", ({ name }) => name));`,
      );
      assertEquals(said.includes("done"), false, said);
      assertEquals(said.trim().split("\n").length, 3);
      assertEquals(await Deno.readTextFile(kept), text);
    } finally {
      if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
      else Deno.env.set("XDG_CACHE_HOME", before);
      await Deno.remove(cache, { recursive: true });
    }
  },
});
