// Every WGSL text passes Tint, Chromium's compiler: Deno's own, Naga, accepts some that it refuses. No GPU is needed: the texts
// are those that plans name for hardware and for software, with every tiling.

import { assert, assertEquals } from "@std/assert";
import type { Device, Kernel } from "../../lib/tensor/device.ts";
import { OPERATION_CHECKS } from "../../lib/tensor/operation_checks.ts";
import { TILINGS } from "../../lib/tensor/ops/matmul/tilings.ts";
import { measurePeak } from "../../lib/tensor/webgpu/peak.ts";

interface Text {
  readonly name: string;
  readonly code: string;
  readonly entryPoint: string;
}

/** A device that computes nothing, and remembers what a GPU would compile. */
function collectingDevice(texts: Map<string, Text>) {
  const how = { software: false, tuning: {} as Record<string, string> };
  const device = {
    kind: "webgpu",
    name: "nothing",
    maxBindingSize: 2 ** 27,
    maxKernelBuffers: 8,
    allocate: (byteLength: number) => ({ byteLength: Math.max(byteLength, 256) }),
    release() {},
    write() {},
    read: (_buffer: unknown, _offset: number, byteLength: number) =>
      Promise.resolve(new ArrayBuffer(byteLength)),
    sync: () => new Promise((end) => setTimeout(end, 2)),
    run(
      { name, webgpu: program }: Kernel,
      buffers: Record<string, { byteLength: number }>,
      params: Record<string, number>,
    ) {
      const byteLengths = Object.fromEntries(
        Object.entries(buffers).map(([buffer, { byteLength }]) => [buffer, byteLength]),
      );
      const limits = { maxBindingSize: 2 ** 27, offsetAlignment: 256 };
      for (const made of program.plan({ ...limits, ...how, params, byteLengths })) {
        const code = made.source ?? program.source;
        const entryPoint = made.entryPoint ?? program.entryPoint ?? "main";
        texts.set(`${entryPoint}\n${code}`, { name, code, entryPoint });
      }
    },
  } as unknown as Device;
  return { device, how };
}

/** All texts, of which each is compiled once. */
async function allTexts(): Promise<Text[]> {
  const texts = new Map<string, Text>();
  const { device, how } = collectingDevice(texts);
  for (how.software of [false, true]) {
    for (const check of OPERATION_CHECKS) await check.run(device);
  }
  const products = OPERATION_CHECKS.filter(({ name }) => name.startsWith("matmul"));
  for (const tiling of TILINGS.keys()) {
    how.tuning = { matmul: tiling, matmulSmall: tiling };
    for (const check of products) await check.run(device);
  }
  await measurePeak(device, { groups: 1, seconds: 0 });
  return [...texts.values()];
}

async function compile(texts: readonly Text[]): Promise<string[] | undefined> {
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
    const texts = await allTexts();
    assert(texts.length > 150, `${texts.length} texts`);
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
