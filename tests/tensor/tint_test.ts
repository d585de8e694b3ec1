// Every WGSL text passes Tint, Chromium's compiler: Deno's own, Naga, accepts some that it refuses. No GPU is needed: the texts
// are those of every_kernel.ts.

import { assert, assertEquals } from "@std/assert";
import { runEveryKernel } from "./every_kernel.ts";
import { PlanningDevice, type SeenWgsl } from "./wgsl/planning_device.ts";

async function compile(texts: readonly SeenWgsl[]): Promise<string[] | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--cached-only", "--no-config", "--no-lock"],
      ...["--node-modules-dir=none", new URL("./tint.js", import.meta.url).href, TINT],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    new Blob([JSON.stringify(texts)]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const line = new TextDecoder().decode(output.stdout).trim().split("\n").at(-1)!;
  return output.success && line.startsWith("[") ? JSON.parse(line) : undefined;
}

/** The package, whose binaries are too large for everyone who works on the project. */
const TINT = "npm:webgpu@0.6.2";

const installed = await compile([]) !== undefined;

Deno.test({
  name: "every WGSL text passes Tint" +
    (installed ? "" : ` (needs Tint: deno cache --no-config --no-lock ${TINT})`),
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
