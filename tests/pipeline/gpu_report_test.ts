// The check of a GPU: what a part has found is kept when its driver crashes, hangs or fails.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkGpu } from "../../lib/pipeline/gpu_report/check_gpu.ts";
import { webGpuNeed } from "../devices.ts";

const ignore = webGpuNeed !== undefined;
const needs = ignore ? ` (${webGpuNeed})` : "";

/** Stands for the program that answers a question, each in another way that drivers have. */
const PROGRAM = `
const print = (message) => console.log(JSON.stringify(message));
const begin = () => {
  print({ kind: "doing", what: "the first" });
  print({ kind: "row", cells: { found: 1 } });
  print({ kind: "doing", what: "the second" });
};
const answers = {
  adapter() { begin(); console.log("MESA: a message"); print({ kind: "done" }); },
  operations() { begin(); Deno.kill(Deno.pid, "SIGKILL"); },
  products() { begin(); console.error("driver: assertion failed"); Deno.exit(3); },
  step() { begin(); setInterval(() => {}, 1000); },
  tokens() { begin(); print({ kind: "failed", reason: "Cannot continue with the GPU" }); },
};
answers[Deno.args[0]]();
`;

Deno.test({
  name: `checkGpu() reports a part that crashes, hangs or fails, and runs the others${needs}`,
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/program.js`, PROGRAM);
      const program = new URL(`file://${folder}/program.js`);
      const began: string[] = [];
      const { parts } = await checkGpu({
        program,
        limit: 10,
        onPart: (title) => began.push(title),
      });
      assertEquals(began, parts.map(({ title }) => title));
      assertEquals(parts.map(({ rows }) => rows), parts.map(() => [{ found: 1 }]));
      const [adapter, operations, products, step, tokens] = parts.map(({ failure }) => failure);
      assertEquals(adapter, undefined);
      assertMatch(operations!, /^Its process ended with signal SIGKILL \(at: the second\)/);
      assertEquals(
        products,
        "Its process ended with code 3 (at: the second): driver: assertion failed",
      );
      assertEquals(step, "It was ended after 10 s (at: the second)");
      assertEquals(tokens, "Cannot continue with the GPU (at: the second)");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: `tunebook doctor --gpu finds that every operation agrees, and writes a page${needs}`,
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const page = `${folder}/gpu.html`;
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "lib/cli.ts", "doctor", "--gpu", "--html", page, "--json"],
        cwd: new URL("../..", import.meta.url),
        env: { TUNEBOOK_TUNING: "off" },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const report = JSON.parse(new TextDecoder().decode(stdout));
      for (const { title, failure, rows } of report.parts) {
        assertEquals(failure, undefined, title);
        assert(rows.length > 1, title);
      }
      const [, operations] = report.parts;
      for (const { operation, verdict } of operations.rows) {
        assertEquals(verdict, "agrees", operation);
      }
      const html = await Deno.readTextFile(page);
      assertMatch(html, /(\d+) of \1 operations agree with the CPU; all parts are complete/);
      for (const { title } of report.parts) assert(html.includes(`<h2>${title}</h2>`), title);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
