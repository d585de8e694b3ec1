// Every WGSL text passes Tint, Chromium's compiler: Deno's own, Naga, accepts some that it refuses. No GPU is needed: the texts
// are those of every_kernel.ts.

import { assert, assertEquals } from "@std/assert";
import { DAWN_NEED, runWithDawn } from "./dawn.ts";
import { runEveryKernel } from "./every_kernel.ts";
import { PlanningDevice, type SeenWgsl } from "./wgsl/planning_device.ts";

const compile = (texts: readonly SeenWgsl[]) =>
  runWithDawn<string[]>("./tint.js", { input: texts });

const installed = await compile([]) !== undefined;

Deno.test({
  name: "every WGSL text passes Tint" +
    (installed ? "" : ` (${DAWN_NEED})`),
  ignore: !installed,
  async fn() {
    const device = new PlanningDevice(() => {});
    await runEveryKernel(device);
    const texts = [...device.seen.values()];
    assert(texts.length > 250, `${texts.length} texts`);
    assertEquals(await compile(texts), []);
    for (const { name, code, entryPoint } of texts) {
      assert(code.includes(`fn ${entryPoint}(`), name);
    }
    const wrong = { name: "wrong", code: "fn main() { missing(); }", entryPoint: "main" };
    assertEquals(await compile([texts[0], wrong]), [
      "wrong: unresolved call target 'missing' (line 1)",
    ]);
  },
});
