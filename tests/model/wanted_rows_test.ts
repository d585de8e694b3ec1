// The last layer computes only the rows that predict something: loss and gradients are those of all rows.

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { forest } from "../../lib/dataset/mod.ts";
import { Gemma, Gpt2, Llama, type Network } from "../../lib/model/mod.ts";
import { attendWithin, lossOf, wantedRows } from "../../lib/model/model.ts";
import { backward, type Device, linearCrossEntropy, scope } from "../../lib/tensor/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { smallExamples } from "../train/small.ts";

const SHAPE = { vocabularySize: 61, contextLength: 32, width: 16, layers: 2, heads: 2 };
const LLAMA = { ...SHAPE, kvHeads: 1, headDim: 8, feedForwardWidth: 24 };

const NETWORKS: Readonly<Record<string, (device: Device) => Network>> = {
  "GPT-2": (device) => Gpt2.create(device, SHAPE, { seed: 1 }),
  "Llama": (device) => Llama.create(device, LLAMA, { seed: 2 }),
  "Gemma 3": (device) => Gemma.create(device, { ...LLAMA, generation: 3, window: 4 }, { seed: 3 }),
};

/** The loss and all gradients, one after the other. */
async function learn(network: Network, compute: () => ReturnType<typeof lossOf>) {
  const parameters = [...network.parameters.values()];
  for (const parameter of parameters) parameter.grad = undefined;
  using loss = scope(() => {
    const loss = compute();
    backward(loss);
    return loss;
  });
  const gradients = await Promise.all(parameters.map(({ grad }) => grad!.data()));
  return [await loss.item(), ...gradients.flatMap((gradient) => [...gradient])];
}

for (const [name, make] of Object.entries(NETWORKS)) {
  onEveryDevice(`${name}: wanted rows have the loss and gradients of all`, async (device) => {
    const network = make(device);
    const batch = forest(smallExamples(3), { mask: "prompt" });
    const { tokens, positions, edges } = batch;
    const { rows } = wantedRows(edges, tokens.length);
    assertEquals(rows!.length < tokens.length / 2, true);
    const attend = attendWithin(batch);
    const all = await learn(
      network,
      () => linearCrossEntropy(network.hidden({ tokens, positions, attend }), network.head, edges),
    );
    for (const recompute of [false, true]) {
      const wanted = await learn(network, () => lossOf(network, batch, { recompute }));
      assertEquals(wanted.length, all.length);
      wanted.forEach((value, i) => assertAlmostEquals(value, all[i], 1e-6));
    }
  });
}

Deno.test("wantedRows() numbers edges among the rows that have some, and none where all have", () => {
  const edges = (rows: number[]) => ({
    rows: Int32Array.from(rows),
    targets: Int32Array.from(rows),
    counts: new Float32Array(rows.length).fill(1),
  });
  const some = wantedRows(edges([1, 1, 4, 5]), 7);
  assertEquals([...some.rows!], [1, 4, 5]);
  assertEquals([...some.edges.rows], [0, 0, 1, 2]);
  assertEquals([...some.edges.targets], [1, 1, 4, 5]);
  for (const whole of [edges([0, 1, 1, 2]), edges([]), edges([1, 0]), edges([0, 9])]) {
    assertEquals(wantedRows(whole, 3), { edges: whole });
  }
});
