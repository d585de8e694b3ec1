import { assert, assertEquals, assertThrows } from "@std/assert";
import { collate } from "../../lib/dataset/collate.ts";
import { encodeExamples } from "../../lib/dataset/encode.ts";
import { reportLengths, toSequence } from "../../lib/dataset/sequences.ts";
import { loadEntries } from "../../lib/dataset/load.ts";
import { splitEntries } from "../../lib/dataset/split.ts";
import { orderBatches } from "../../lib/dataset/batches.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { type Mask, MASKS } from "../../lib/text/mask.ts";
import { findTestData } from "../support.ts";
import golden from "../golden/dataset.json" with { type: "json" };

const testData = findTestData();
const tokenizer = gpt2Tokenizer();
const examples = encodeExamples(golden.entries, tokenizer);

Deno.test("collate() makes the reference's batch under each mask and allowed length", () => {
  assertEquals(golden.cases.length, 12);
  for (const { mask, maxLength, inputs, targets } of golden.cases) {
    const batch = collate(examples, {
      mask: mask as Mask,
      maxLength: maxLength ?? undefined,
    });
    const name = `mask ${mask}, maxLength ${maxLength}`;
    assertEquals(batch.batchSize, inputs.length, name);
    assertEquals(batch.length, inputs[0]!.length, name);
    assertEquals([...batch.inputs], inputs.flat(), name);
    assertEquals([...batch.targets], targets.flat(), name);
    assertEquals(batch.tokensCounted, targets.flat().filter((target) => target !== -100).length);
    assertEquals(batch.tokensPadded, inputs.flat().length);
  }
});

Deno.test({
  name: "collate() makes the reference's 117 batches of the 1,100 pairs" + testData.needs,
  ignore: !testData.found,
  async fn() {
    const entries = await loadEntries(`${testData.path}/instruction-data.json`);
    const train = encodeExamples(splitEntries(entries, { order: "given" }).train, tokenizer);
    for (const mask of MASKS) {
      const parts: Uint8Array[] = [];
      for (const indices of orderBatches(train.length, { order: "given" })) {
        const batch = collate(indices.map((i) => train[i]!), { mask, maxLength: 1024 });
        for (const array of [batch.inputs, batch.targets]) {
          parts.push(new Uint8Array(array.buffer as ArrayBuffer));
        }
      }
      const bytes = await new Blob(parts as BlobPart[]).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      assertEquals(digest, golden.instructionDataSha256[mask], mask);
    }
  },
});

Deno.test("collate() takes another padding and another ignored target", () => {
  const batch = collate([
    { promptIds: [1], responseIds: [2, 0], instructionLength: 1 },
    { promptIds: [1], responseIds: [0], instructionLength: 1 },
  ], { padId: 0, ignoreIndex: -1 });
  assertEquals([...batch.inputs], [1, 2, 1, 0]);
  assertEquals([...batch.targets], [2, 0, 0, -1]);
});

Deno.test("collate() counts a closing token inside the response, and the one at its end", () => {
  const batch = collate([{ promptIds: [1], responseIds: [50256, 2, 50256], instructionLength: 1 }]);
  assertEquals([...batch.targets], [50256, 2, 50256]);
});

Deno.test("collate() refuses no examples", () => {
  assertThrows(() => collate([]), RangeError, "Cannot make a batch of no examples");
});

Deno.test("toSequence() refuses a length that is not a positive integer", () => {
  for (const maxLength of [0, -1, 1.5, NaN]) {
    assertThrows(() => toSequence(examples[0]!, { maxLength }), RangeError, `${maxLength}`);
  }
});

Deno.test("reportLengths() says how many are cut, and which have nothing left to learn", () => {
  assertEquals(reportLengths(examples, { maxLength: 1024 }).message, undefined);
  const report = reportLengths(examples, { mask: "prompt", maxLength: 45 });
  assert(report.cut.length > 0 && report.uncounted.length > 0);
  for (const [index, example] of examples.entries()) {
    const { promptIds, responseIds } = example;
    assertEquals(report.cut.includes(index), promptIds.length + responseIds.length - 1 > 45);
    assertEquals(report.uncounted.includes(index), promptIds.length > 45);
  }
  assertEquals(
    report.message,
    `${report.cut.length} of 10 examples are cut to 45 tokens; ${report.uncounted.length} of 10 ` +
      `have no token that counts under the mask "prompt" (the first is example ${
        report.uncounted[0]! + 1
      })`,
  );
  assertEquals(reportLengths(examples, { mask: "none", maxLength: 45 }).uncounted, []);
});
