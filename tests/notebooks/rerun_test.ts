// Running again: cells that are run many times over neither keep what they made before nor change
// their results.

import { assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { type CodeCell, readNotebook, Session } from "../../lib/runtime/mod.ts";

const folder = fromFileUrl(new URL("../../notebooks", import.meta.url));
const chapter = "02_tokens_and_masks.ipynb";
const MIB = 1024 * 1024;

Deno.test(`cells of ${chapter} run again and again: the same results, in the same memory`, async (t) => {
  const { cells } = await readNotebook(join(folder, chapter));
  const codeOf = (id: string) => cells.find((cell) => cell.id === id)!.source;
  await using session = await Session.start({ cwd: folder });
  const run = async (code: string) => {
    const { status, outputs } = await session.execute(code);
    assertEquals(status, "ok", JSON.stringify(outputs));
    return outputs;
  };
  const said = (outputs: CodeCell["outputs"]) =>
    outputs.map((output) => output.output_type === "stream" ? output.text : "").join("");
  /** Bytes of the device, and of the kernel's process beside it once it has no garbage. */
  const measure = async () => {
    const outputs = await run(
      `(await import("node:v8")).setFlagsFromString("--expose-gc");
(await import("node:vm")).runInNewContext("gc")();
const { allocatedBytes } = model.head.device;
console.log(allocatedBytes, Deno.memoryUsage().rss - allocatedBytes)`,
    );
    const [device, process] = said(outputs).split(" ").map(Number);
    return { device, process };
  };
  /**
   * Runs a cell a number of times to settle, and then more times: by then memory must not grow.
   * Tensors that nobody can reach are found before a device's tensors take 64 MiB more than they
   * ever had (`lib/tensor/collect.ts`).
   */
  const runAgain = async (code: string, settling: number, times: number) => {
    for (let i = 0; i < settling; i++) await run(code);
    const before = await measure();
    for (let i = 0; i < times; i++) await run(code);
    const after = await measure();
    assertLess(after.device - before.device, 96 * MIB, "the device's memory");
    assertLess(after.process - before.process, 128 * MIB, "the process's memory");
  };

  /** The chapter's cell that loads a model and trains it, for fewer steps. */
  const training = (maxSteps: number) => {
    const cell = codeOf("bench-model").replace(
      "evalEvery: 0",
      `evalEvery: 0, maxSteps: ${maxSteps}`,
    );
    assertNotEquals(cell, codeOf("bench-model"));
    return cell;
  };

  await t.step("set-up cells twice: the same outputs", async () => {
    const setUp = ["setup", "first-tokens", "shift-example", "padding-batch"].map(codeOf);
    for (const cell of [...setUp, training(5)]) {
      const outputs = await run(cell);
      assertEquals(said(await run(cell)), said(outputs), cell);
    }
  });

  await t.step("a cell that loads a model and trains it, 14 times", async () => {
    // A model, its gradients and AdamW's moments are 136 MiB.
    await runAgain(training(1), 2, 12);
  });

  await t.step("a cell that makes a tensor of 4 MiB, 50 times", async () => {
    const cell = `const { Tensor } = await import("tunebook");
const matrix = Tensor.from(model.head.device, new Float32Array(1 << 20).fill(1), [1024, 1024]);
console.log((await matrix.data())[5]);`;
    await runAgain(cell, 5, 45);
  });
});
