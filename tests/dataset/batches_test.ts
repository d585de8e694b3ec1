import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { orderBatches, readOrder } from "../../lib/dataset/batches.ts";

Deno.test("orderBatches() takes the examples as they are", () => {
  assertEquals(orderBatches(5, { batchSize: 2, order: "given" }), [[0, 1], [2, 3], [4]]);
  assertEquals(orderBatches(5, { batchSize: 2, order: "given", dropLast: true }), [[0, 1], [2, 3]]);
});

Deno.test("orderBatches() shuffles every example into one batch, by seed and epoch", () => {
  const first = orderBatches(935, { seed: 1 });
  assertEquals(first.length, 117);
  assertEquals(first.flat().toSorted((a, b) => a - b), Array.from({ length: 935 }, (_, i) => i));
  assertEquals(orderBatches(935, { seed: 1 }), first);
  assertNotEquals(orderBatches(935, { seed: 2 }), first);
  assertNotEquals(orderBatches(935, { seed: 1, epoch: 1 }), first);
  assertEquals(orderBatches(935, { dropLast: true }).length, 116);
  // the default seed's order is part of what "same seed, same bits" promises
  assertEquals(orderBatches(10, { batchSize: 5 }), [[0, 7, 2, 6, 3], [1, 9, 5, 8, 4]]);
});

Deno.test("orderBatches() keeps a given order, whatever its batches' sizes", () => {
  assertEquals(orderBatches(4, { order: [[3, 0], [1]], dropLast: true }), [[3, 0], [1]]);
});

Deno.test("orderBatches() refuses what makes no batch", () => {
  for (const batchSize of [0, -8, 2.5, NaN]) {
    assertThrows(() => orderBatches(5, { batchSize }), RangeError, `Cannot batch by ${batchSize}`);
  }
  const error = assertThrows(() => orderBatches(5, { dropLast: true }), RangeError);
  assertEquals(
    error.message,
    "Cannot make a full batch of 8 from 5 examples: take a smaller batchSize, or keep the last batch",
  );
  assertThrows(() => orderBatches(5, { order: "sorted" as "given" }), RangeError, '"sorted"');
});

Deno.test("readOrder() reads batches, and names what is wrong with them", async () => {
  const path = await Deno.makeTempFile();
  try {
    const cases: [string, string | number[][]][] = [
      ["[[1,0],[2]]", [[1, 0], [2]]],
      ["[[1,0],[3]]", "batch 2 of 2 has 3, and examples are 0 to 2"],
      ["[[-1]]", "batch 1 of 1 has -1"],
      ["[[0.5]]", "batch 1 of 1 has 0.5"],
      ['[["0"]]', 'batch 1 of 1 has "0"'],
      ["[[0],[]]", "batch 2 of 2 is empty"],
      ["[]", "it has no batches"],
      ["[0,1]", "expected an array of batches"],
      ['{"order":[]}', "expected an array of batches"],
      ["[[0]", "as JSON"],
    ];
    for (const [text, expected] of cases) {
      await Deno.writeTextFile(path, text);
      if (typeof expected !== "string") assertEquals(await readOrder(path, 3), expected);
      else {
        const error = await assertRejects(() => readOrder(path, 3), Error);
        assert(error.message.includes(expected) && error.message.includes(path), error.message);
      }
    }
  } finally {
    await Deno.remove(path);
  }
});
