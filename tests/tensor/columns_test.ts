// Attention over columns of a joint projection, in place of tensors of their own: PyTorch's values and gradients on every
// device, and keys and values that enter a cache.

import { assertEquals, assertThrows } from "@std/assert";
import {
  attention,
  cachedAttention,
  columns,
  copyRows,
  noGrad,
  split,
  Tensor,
  zeros,
} from "../../lib/tensor/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { assertColumnsAttend } from "./attention_columns.ts";
import { differentiate, numbers } from "./gradients.ts";

/** Branches, shared heads, a window; widths that are and are not multiples of four. */
const CASES = ["grouped_forest_41", "window_4_forest_50"];

onEveryDevice("attention() over columns gives PyTorch's values and gradients", async (device) => {
  for (const golden of loadGolden("ops").cases("attention")) {
    if (!CASES.includes(golden.name.split("/")[1])) continue;
    await assertColumnsAttend(device, golden, 4);
    await assertColumnsAttend(device, golden, 3); // heads that begin at no multiple of four
  }
});

onEveryDevice("a tensor attends to itself, with the sum of three gradients", async (device) => {
  const shape = [5, 8];
  const forest = {
    end: Int32Array.of(5, 3, 3, 5, 5),
    positions: Int32Array.of(0, 1, 2, 1, 2),
  };
  const x = numbers(shape);
  const upstream = numbers(shape, 2).data;
  const one = await differentiate(
    device,
    { x },
    upstream,
    ({ x }) => attention(x, x, x, { heads: 2, forest }),
  );
  const three = await differentiate(
    device,
    { q: x, k: x, v: x },
    upstream,
    ({ q, k, v }) => attention(q, k, v, { heads: 2, forest }),
  );
  assertClose(one.output, three.output, { relative: 1e-6 }, "output");
  const sum = three.qGrad.map((value, i) => value + three.kGrad[i] + three.vGrad[i]);
  assertClose(one.xGrad, sum, { relative: 1e-5 }, "gradient");
});

onEveryDevice("a cache takes columns as it takes their copies", async (device) => {
  const joint = Tensor.from(device, numbers([3, 30]).data, [3, 30]);
  const widths = [3, 12, 6, 9];
  const results = [columns(joint, widths), noGrad(() => split(joint, widths))].map(([, q, k]) => {
    const keys = zeros([9, 6], { device });
    copyRows(keys, k, 4);
    const rows = [[4], [4, 5], [5, 6]];
    return [keys, cachedAttention(q, keys, keys, { heads: 4, kvHeads: 2, rows })];
  });
  for (const [view, copy] of [0, 1].map((i) => results.map((each) => each[i]))) {
    assertEquals(await view.data(), await copy.data());
  }
});

onEveryDevice("columns that do not fit are refused", (device) => {
  const joint = Tensor.from(device, numbers([2, 6]).data, [2, 6]);
  assertThrows(
    () => columns(joint, [2, 3]),
    TypeError,
    "Cannot divide the columns of a tensor of shape (2, 6) into widths 2, 3: they must add up to 6",
  );
  const forest = { end: Int32Array.of(2, 2), positions: Int32Array.of(0, 1) };
  const [q] = columns(joint, [4, 2]);
  assertThrows(
    () => attention(q, q, q, { heads: 2, forest }),
    TypeError,
    "Cannot attend with columns 0 to 4 and 0 to 4 of one tensor: expected columns that do not overlap",
  );
  assertThrows(
    () => attention(5 as unknown as Tensor, q, q, { heads: 2, forest }),
    TypeError,
    "Cannot attend with a number: expected a tensor; make one with tensor()",
  );
  return Promise.resolve();
});
