// Attention's kernels for hardware, with tiles in workgroup memory, against PyTorch.
//
// Mesa 22.3's lavapipe miscompiles their loops (with another program every bit is right), so there the test runs once more
// on SwiftShader, which comes with Chromium, in a process of its own.

import { attention } from "../../lib/tensor/mod.ts";
import { describeAdapters } from "../../lib/tensor/webgpu/adapter.ts";
import { openWebGpu } from "../devices.ts";
import { loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { assertAttentionDrops } from "./attention_reference.ts";
import { assertColumnsAttend } from "./attention_columns.ts";
import { differentiate } from "./gradients.ts";

/** Several tiles and blocks, branches, windows, shared heads; widths that are and are not multiples of four. */
const CASES = [
  "causal_130",
  "causal_33_d64",
  "forest_70",
  "grouped_forest_41",
  "multi_query_20",
  "window_4_forest_50",
  "sharp_16",
];

const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

const [adapter] = await describeAdapters();
const isLavapipe = adapter?.name.startsWith("llvmpipe") ?? false;
const hasSwiftShader = await Deno.stat(SWIFTSHADER).then(() => true, () => false);
const need = adapter && !isLavapipe || hasSwiftShader
  ? ""
  : " (needs a GPU, or SwiftShader: apt-get install chromium)";

Deno.test({
  name: `attention()'s tiled kernels give PyTorch's values and gradients${need}`,
  ignore: need !== "",
  async fn() {
    if (!adapter || isLavapipe) return await runOnSwiftShader();
    const device = await openWebGpu({ tuning: { attention: "tiled" } });
    for (const golden of loadGolden("ops").cases("attention")) {
      const name = golden.name.split("/")[1];
      if (!CASES.includes(name)) continue;
      const { attributes: { heads, kvHeads, window }, tensors } = golden;
      const { q, k, v } = tensors;
      const forest = {
        end: tensors.end.data as Int32Array,
        positions: tensors.positions.data as Int32Array,
      };
      const results = await differentiate(
        device,
        { q, k, v },
        tensors.outputGrad.data,
        ({ q, k, v }) =>
          attention(q, k, v, { heads, kvHeads, window: window ?? undefined, forest }),
      );
      for (const [result, values] of Object.entries(results)) {
        assertClose(values, tensors[result].data, { relative: 1e-5 }, `${golden.name} ${result}`);
      }
      if (name !== "grouped_forest_41") continue;
      await assertColumnsAttend(device, golden, 3);
      await assertColumnsAttend(device, golden, 4);
    }
    await assertAttentionDrops(device);
    device.close();
  },
});

async function runOnSwiftShader(): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", new URL(import.meta.url).pathname],
    // With Vulkan alone: a process that has asked OpenGL too may crash at its end (tests/all.ts).
    env: {
      VK_ICD_FILENAMES: SWIFTSHADER,
      VK_DRIVER_FILES: SWIFTSHADER,
      DENO_WEBGPU_BACKEND: "vulkan",
    },
  }).output();
  const decoder = new TextDecoder();
  const report = decoder.decode(stdout) + decoder.decode(stderr);
  if (!success || !report.includes("1 passed")) throw new Error(report);
}
