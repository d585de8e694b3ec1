// Packed weights: their values are ggml's and bitsandbytes', and products and look-ups with them those of wide ones.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { packNf4 } from "../../lib/tensor/nf4.ts";
import {
  backward,
  embedding,
  isPacked,
  linearCrossEntropy,
  matmul,
  PACKED_FORMATS,
  type PackedType,
  scope,
  Tensor,
} from "../../lib/tensor/mod.ts";
import { dequantizeInto } from "../../lib/tensor/ops/dequantize/dequantize.ts";
import { openGguf } from "../../lib/weights/mod.ts";
import { numbers, randomPacked } from "./random_packed.ts";
import { onEveryDevice, openWebGpu, webGpuNeed } from "../devices.ts";
import { loadGolden, readGoldenTensors } from "../golden/golden.ts";
import { assertClose } from "../support.ts";

const blocksFile = fromFileUrl(new URL("../golden/gguf_blocks.gguf", import.meta.url));
const types = Object.keys(PACKED_FORMATS).filter(isPacked);

onEveryDevice("packed tensors have ggml's values, bit for bit", async (device) => {
  using file = await openGguf(blocksFile);
  const expected = readGoldenTensors(new URL("../golden/gguf_blocks.safetensors", import.meta.url));
  let tested = 0;
  for (const [name, { type, shape }] of file.tensors) {
    const packed = type.toLowerCase();
    if (!isPacked(packed)) continue;
    const tensor = Tensor.pack(device, await file.readBytes(name), shape, packed);
    const found = await tensor.data();
    // GPUs may take numbers below the smallest normal one for 0.
    const flushed = (values: Float32Array) =>
      device.kind === "webgpu" ? values.map((x) => Math.abs(x) < 1.2e-38 ? 0 : x) : values;
    assertEquals(flushed(found), flushed(expected[name].data as Float32Array), name);
    tested++;
  }
  assert(tested >= 10, `${tested} types`);
});

onEveryDevice("NF4, plain and doubly quantised, is bitsandbytes'", async (device) => {
  for (const { name, tensors } of loadGolden("nf4").cases("nf4")) {
    const { data, shape: [rows, width] } = tensors.weight;
    for (const [type, output] of [["nf4", "plain"], ["nf4_double", "double"]] as const) {
      const bytes = packNf4(data as Float32Array, rows, width, type);
      const all = await Tensor.pack(device, bytes, [rows, width], type).data();
      const expected = tensors[output].data;
      const tolerance = { relative: type === "nf4" ? 1e-7 : 1e-6 };
      assertClose(all.subarray(-expected.length), expected, tolerance, `${name} ${type}`);
    }
  }
});

onEveryDevice("products with packed matrices are those with wide ones", async (device) => {
  for (const type of ["q4_0", "q4_k", "q6_k", "q8_0", "bf16", "nf4_double"] as const) {
    for (const rows of [1, 9]) {
      const [out, width] = [64, 256];
      const packed = randomPacked(device, type, out, width);
      const wide = Tensor.from(device, await packed.data(), [out, width]);
      const bias = Tensor.from(device, numbers(out, 3));
      for (const transposeB of [true, false]) {
        const [inWidth, outWidth] = transposeB ? [width, out] : [out, width];
        const values = numbers(rows * inWidth, 2);
        const results = [packed, wide].map((weight) => {
          const x = Tensor.from(device, values, [rows, inWidth]);
          x.requiresGrad = true;
          const y = matmul(x, weight, { transposeB, ...(transposeB && { bias }) });
          const edges = {
            rows: Int32Array.of(rows - 1),
            targets: Int32Array.of(1),
            counts: Float32Array.of(1),
          };
          // Small, for a softmax of large numbers would magnify what rounding leaves.
          const weights = numbers(3 * outWidth, 4).map((x) => x / 256);
          const head = Tensor.from(device, weights, [3, outWidth]);
          backward(linearCrossEntropy(y, head, edges));
          return [y, x.grad!];
        });
        for (const i of [0, 1]) {
          const [actual, expected] = await Promise.all(results.map((pair) => pair[i].data()));
          // Sums are taken in different orders.
          assertClose(actual, expected, { relative: 3e-6 }, `${type} ${rows} ${transposeB} ${i}`);
        }
      }
    }
  }
});

onEveryDevice("look-ups and losses take packed tables", async (device) => {
  const [rows, width] = [256, 256];
  for (const type of ["q4_k", "nf4_double"] as const) {
    const packed = randomPacked(device, type, rows, width);
    const values = await packed.data();
    const ids = Int32Array.of(255, 0, 7, 7);
    const looked = await embedding(packed, ids).data();
    assertEquals(
      looked,
      Float32Array.from([...ids].flatMap((id) => [
        ...values.subarray(id * width, (id + 1) * width),
      ])),
    );
    const edges = {
      rows: Int32Array.of(0, 1, 2),
      targets: Int32Array.of(3, 200, 64),
      counts: Float32Array.of(1, 2, 1),
    };
    const wide = Tensor.from(device, values, [rows, width]);
    const results = [packed, wide].map((weight) => {
      const hidden = Tensor.from(device, numbers(3 * width, 8).map((x) => x / 16), [3, width]);
      hidden.requiresGrad = true;
      const loss = linearCrossEntropy(hidden, weight, edges, { chunkSize: 64 });
      backward(loss);
      return [loss, hidden.grad!];
    });
    for (const i of [0, 1]) {
      const [actual, expected] = await Promise.all(results.map((pair) => pair[i].data()));
      assertClose(actual, expected, { relative: 2e-6 }, `${type} ${i}`);
    }
  }
});

onEveryDevice("a part of a packed matrix is widened alone", async (device) => {
  for (const type of types) {
    const packed = randomPacked(device, type, 12, 512);
    const values = await packed.data();
    const y = Tensor.empty(device, [3, 256]);
    dequantizeInto(y, packed, { firstRow: 7, rows: 3, firstColumn: 256, columns: 256 });
    const expected = [7, 8, 9].flatMap((row) => [
      ...values.subarray(row * 512 + 256, (row + 1) * 512),
    ]);
    assertEquals(await y.data(), Float32Array.from(expected), type);
  }
});

Deno.test({
  name: `packed matrices larger than a binding are widened in parts${
    webGpuNeed ? `; ${webGpuNeed}` : ""
  }`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const device = await openWebGpu({ maxBindingSize: 256 * 1024 });
    for (const type of ["q4_0", "q6_k", "nf4_double"] as const) {
      const [rows, width] = [700, 1024];
      const packed = randomPacked(device, type, rows, width);
      const parts = scope(() => {
        const ids = Int32Array.of(699, 0, 350);
        return [embedding(packed, ids), embedding(packed, Int32Array.of(350))];
      });
      const [some, one] = await Promise.all(parts.map((part) => part.data()));
      assertEquals(some.subarray(2 * width), one);
      const x = Tensor.from(device, numbers(5 * width, 1), [5, width]);
      const y = await matmul(x, packed, { transposeB: true }).data();
      // The last row's products, from what the look-up gave.
      const last = some.subarray(0, width);
      const values = await x.data();
      const expected = Array.from(
        { length: 5 },
        (_, i) => last.reduce((sum, value, j) => sum + value * values[i * width + j], 0),
      );
      assertClose(expected.map((_, i) => y[i * rows + rows - 1]), expected, { relative: 1e-5 });
    }
    device.close();
  },
});

onEveryDevice("packed tensors refuse what cannot be", async (device) => {
  const pack = (length: number, shape: number[], type: PackedType) => () =>
    Tensor.pack(device, new Uint8Array(length), shape, type);
  assertThrows(pack(18, [1, 33], "q4_0"), TypeError, "expected a multiple of 32");
  assertThrows(pack(17, [1, 32], "q4_0"), TypeError, "from 17 bytes: it needs 18");
  const packed = randomPacked(device, "q4_0", 4, 64);
  const y = Tensor.empty(device, [4, 64]);
  assertThrows(
    () => dequantizeInto(y, packed, { rows: 1, columns: 16 }),
    TypeError,
    "expected multiples of 32",
  );
  assertThrows(() => dequantizeInto(y, packed, { rows: 5 }), RangeError, "shape (4, 64)");
  assertThrows(() => dequantizeInto(y, y, { rows: 1 }), TypeError, "it is not packed");
  assertThrows(() => matmul(packed, y, { transposeB: true }), TypeError, "from the left");
  assertThrows(() => embedding(packed, Int32Array.of(4)), RangeError, "rows 0 to 3");
  assertThrows(() => packed.add(1), TypeError, "use `dequantize` first");
  await device.sync();
});
