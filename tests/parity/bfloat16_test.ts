// Training with products in bfloat16, beside PyTorch's autocast: losses as near to those of float32 as its own.

import { assert } from "@std/assert";
import type { EncodedExample } from "../../lib/dataset/encode.ts";
import { loadNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { sft } from "../../lib/train/mod.ts";
import { CASES } from "../bench/cases.ts";
import { measure } from "../bench/harness.ts";
import { randomWeights } from "../bench/weights.ts";
import { bfloat16Need } from "../devices.ts";
import { assertClose, findPython } from "../support.ts";

const STEPS = 3;
const SIZE = "tiny";
const python = findPython("torch", "transformers");
const needs = python.needs || (bfloat16Need ? ` (${bfloat16Need})` : "");

Deno.test({
  name: `GPT-2 trains in bfloat16 to the losses of PyTorch's autocast${needs}`,
  ignore: needs !== "",
  async fn() {
    const folder = await randomWeights(SIZE, python.path);
    const { contestants: [ours, peer], prepare } = (await CASES.bfloat16({
      size: SIZE,
      python: python.path,
      device: "cpu",
    }))!;
    const examples = (ours.prepare!.examples as EncodedExample[][]).flat();
    const train = async (matmulPrecision: "float32" | "bfloat16") => {
      const device = new CpuDevice({ matmulPrecision });
      const { network } = await loadNetwork(folder, { device });
      const losses: number[] = [];
      const options = { examples, order: "given", maxSteps: STEPS, evalEvery: 0 } as const;
      using training = sft(network, options);
      for await (const step of training) losses.push(step.loss);
      device.close();
      return losses;
    };
    const [{ runs }] = await measure([peer], prepare, { rounds: STEPS, warmUps: 0 });
    const autocast = runs.map(({ loss }) => loss as number);
    const [exact, rounded] = [await train("float32"), await train("bfloat16")];
    const distance = (losses: readonly number[]) =>
      Math.max(...losses.map((loss, i) => Math.abs(loss / exact[i] - 1)));
    assertClose(rounded, autocast, { relative: 1e-3 }, "losses");
    assert(distance(rounded) > 0, "nothing was rounded");
    assert(
      distance(rounded) <= Math.max(2 * distance(autocast), 1e-4),
      `${distance(rounded)} from float32, where autocast is ${distance(autocast)} from it`,
    );
  },
});
