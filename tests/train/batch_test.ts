// However the sequences of a batch are laid out, they teach the same.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { EncodedExample } from "../../lib/dataset/mod.ts";
import { type Gpt2, lossOf } from "../../lib/model/mod.ts";
import type { ForestBatch } from "../../lib/dataset/mod.ts";
import { backward, scope } from "../../lib/tensor/mod.ts";
import { type Mask, MASKS } from "../../lib/text/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import { release, smallModel } from "./small.ts";

/** Few tokens, so that examples often branch off one another or are the same. */
const exampleOfFew: fc.Arbitrary<EncodedExample> = fc.record({
  instruction: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
  marker: fc.array(fc.integer({ min: 3, max: 4 }), { minLength: 1, maxLength: 2 }),
  response: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 }),
}).map(({ instruction, marker, response }) => ({
  promptIds: [...instruction, ...marker],
  responseIds: [...response, 60],
  instructionLength: instruction.length,
}));

/** A loss and all gradients. */
async function learn(model: Gpt2, batch: ForestBatch): Promise<Map<string, ArrayLike<number>>> {
  using loss = scope(() => {
    const loss = lossOf(model, batch);
    backward(loss);
    return loss;
  });
  const results = new Map<string, ArrayLike<number>>([["loss", [await loss.item()]]]);
  for (const [name, parameter] of model.parameters) {
    results.set(name, await parameter.grad!.data());
    parameter.grad!.dispose();
    parameter.grad = undefined;
  }
  return results;
}

onEveryDevice(
  "forest() gives the same loss and gradients padded, packed and as a forest",
  async (device) => {
    // Padding is GPT-2's end-of-text token, so the vocabulary must reach that far.
    const model = smallModel(device, { vocabularySize: 50257, width: 8 });
    const branching: EncodedExample[] = [
      { promptIds: [1, 2, 3], responseIds: [5, 6, 60], instructionLength: 2 },
      { promptIds: [1, 2, 3], responseIds: [5, 6, 60], instructionLength: 2 }, // a duplicate
      { promptIds: [1, 2, 3], responseIds: [5, 7, 60], instructionLength: 2 }, // branches late
      { promptIds: [1, 2], responseIds: [3, 5, 60], instructionLength: 1 }, // one's prompt in another's response
      { promptIds: [9], responseIds: [60], instructionLength: 1 }, // shares nothing, answers nothing
    ];
    // Few rows take a kernel that shares out long sums on a GPU, more rows one that adds a term at a time.
    const relative = device.kind === "webgpu" ? 3e-5 : 1e-5;
    await fc.assert(
      fc.asyncProperty(
        fc.array(exampleOfFew, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...MASKS),
        fc.constantFrom(undefined, 6),
        async (examples, mask, maxLength) => {
          const options = { mask, maxLength };
          const uncut = Math.max(...examples.map(({ promptIds }) => promptIds.length)) <= 6;
          fc.pre(maxLength === undefined || uncut); // something counts
          const padded = await learn(model, forest(examples, { ...options, layout: "padded" }));
          for (const layout of ["packed", "forest"] as const) {
            const other = await learn(model, forest(examples, { ...options, layout }));
            for (const [name, expected] of padded) {
              const tolerance = { relative, absolute: 1e-8 };
              assertClose(other.get(name)!, expected, tolerance, `${layout} ${mask} ${name}`);
            }
          }
        },
      ),
      {
        numRuns: device.kind === "webgpu" ? MASKS.length : 8, // software WebGPU takes seconds a run
        seed: 20240607,
        examples: MASKS.map((mask): [EncodedExample[], Mask, undefined] => [
          branching,
          mask,
          undefined,
        ]),
      },
    );
    release(model);
  },
);

Deno.test("forest() computes the fewest tokens as a forest, and counts as many in each layout", () => {
  const examples = [[5, 60], [5, 60], [6, 7, 60]].map((responseIds) => ({
    promptIds: [1, 2, 3],
    responseIds,
    instructionLength: 2,
  }));
  const batches = (["padded", "packed", "forest"] as const).map((layout) =>
    forest(examples, { layout })
  );
  assertEquals(batches.map(({ tokensComputed }) => tokensComputed), [15, 13, 6]);
  assertEquals(batches.map(({ tokensCounted }) => tokensCounted), [7, 7, 7]);
  // vocabularies end sooner than GPT-2's
  for (const { tokens } of batches) assert(Math.max(...tokens) <= 60);
});

Deno.test("forest() refuses a batch in which nothing counts, in each layout", () => {
  const examples = [{ promptIds: [1, 2, 3], responseIds: [4, 60], instructionLength: 2 }];
  for (const layout of ["padded", "packed", "forest"] as const) {
    assertThrows(
      () => forest(examples, { layout, maxLength: 2 }),
      RangeError,
      'under the mask "prompt" and with at most 2 tokens per sequence, no token of its 1 examples is left',
    );
  }
});
