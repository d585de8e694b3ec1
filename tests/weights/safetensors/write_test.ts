import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { sha256File } from "../../../lib/weights/sha256.ts";
import { openSafetensors } from "../../../lib/weights/safetensors/read.ts";
import { type TensorEntry, writeSafetensors } from "../../../lib/weights/safetensors/write.ts";
import { TemporaryDirectory } from "../temporary.ts";

const namesIn = (directory: string) => [...Deno.readDirSync(directory)].map((e) => e.name).sort();

Deno.test("writeSafetensors() and openSafetensors() round-trip any tensors", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors");
  const tensor = fc.record({
    name: fc.string({ unit: "grapheme", maxLength: 8 }).filter((name) => name !== "__metadata__"),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    dtype: fc.constantFrom("F32", "F16", "BF16" as const),
    lazy: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 6 }),
      fc.dictionary(fc.string({ unit: "grapheme", maxLength: 5 }), fc.string({ unit: "grapheme" })),
      async (tensors, metadata) => {
        const expected = new Map<string, Float32Array>();
        const entries = tensors.map(({ name, shape, dtype, lazy }): TensorEntry => {
          const count = shape.reduce((a, b) => a * b, 1);
          // small whole numbers are exact in every type
          const data = Float32Array.from({ length: count }, (_, i) => (i * 37) % 255 - 127);
          expected.set(name, data);
          return { name, shape, dtype: dtype as "F32", data: lazy ? async () => data : data };
        });
        const written = await writeSafetensors(path, entries, { metadata });
        assertEquals(written.bytes, (await Deno.stat(path)).size);
        assertEquals(written.sha256, await sha256File(path));
        using model = await openSafetensors(path);
        assertEquals({ ...model.metadata }, { ...metadata });
        assertEquals(model.tensors.size, tensors.length);
        for (const { name, shape, dtype } of tensors) {
          const info = model.info(name);
          assertEquals([info.dtype, info.shape], [dtype, shape]);
          const bytes = dtype === "F32" ? 4 : 2;
          assertEquals(info.byteOffsets[0] % bytes, 0, "aligned");
          assertEquals(await model.read(name), expected.get(name));
        }
      },
    ),
    { numRuns: 60, seed: 4 },
  );
});

Deno.test("writeSafetensors() gives equal bytes whatever the order, and asks for data in turn", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors");
  const asked: string[] = [];
  let inMemory = 0;
  const lazy = (name: string, dtype: "F32" | "F16") => ({
    name,
    shape: [300_000],
    dtype,
    data: async () => {
      asked.push(name);
      assertEquals(++inMemory, 1, "one tensor at a time");
      await new Promise((resolve) => setTimeout(resolve, 1));
      inMemory--;
      return new Float32Array(300_000).fill(asked.length);
    },
  });
  const entries = [lazy("b", "F16"), lazy("c", "F32"), lazy("a", "F32")];
  const one = await writeSafetensors(path, entries);
  assertEquals(asked, ["a", "c", "b"]);
  asked.length = 0;
  const two = await writeSafetensors(path, entries.reverse());
  assertEquals(one, two);
});

Deno.test("writeSafetensors() takes a tensor in parts, and writes the same bytes as of the whole", async () => {
  using temporary = new TemporaryDirectory();
  const values = Float32Array.from({ length: 600_001 }, (_, i) => Math.sin(i));
  async function* inParts() {
    const memory = new Float32Array(300_032); // used again for each part
    for (let start = 0; start < values.length; start += memory.length) {
      await Promise.resolve();
      const part = values.subarray(start, start + memory.length);
      memory.set(part);
      yield memory.subarray(0, part.length);
    }
  }
  for (const dtype of ["F32", "BF16"] as const) {
    const write = (name: string, data: TensorEntry["data"]) =>
      writeSafetensors(temporary.file(name), [{ name: "a", shape: [600_001], dtype, data }]);
    const { sha256 } = await write("parts.safetensors", inParts);
    assertEquals(sha256, (await write("whole.safetensors", values)).sha256);
  }
});

Deno.test("writeSafetensors() leaves the old file where it fails, and nothing beside", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors", "old");
  const good = { name: "a", shape: [2], data: new Float32Array(2) };
  const stop = new AbortController();
  const cases: [TensorEntry[], new (message: string) => Error, string][] = [
    [[good, good], TypeError, 'Cannot write tensor "a" to'],
    [[{ ...good, name: "__metadata__" }], TypeError, "the format reserves this name"],
    [[{ ...good, shape: [3] }], RangeError, "its shape (3) needs 3 values and it has 2"],
    [[{ ...good, shape: [-2] }], TypeError, "must be of whole numbers"],
    [[{ ...good, shape: [2 ** 30, 2 ** 30] }], RangeError, "is too large"],
    [
      [{ ...good, dtype: "I8" as "F32" }],
      TypeError,
      "its dtype must be F32, F16 or BF16, got I8",
    ],
    [[good, { ...good, name: "b", data: () => new Float32Array(3) }], RangeError, "and it has 3"],
    [
      [good, { ...good, name: "b", data: () => [1, 2] as never }],
      TypeError,
      "must be a Float32Array",
    ],
    [
      [good, { ...good, name: "b", data: () => parts(new Float32Array(1)) }],
      RangeError,
      "needs 2 values and it has 1",
    ],
    [
      [good, { ...good, name: "b", data: () => parts(new Float32Array(2), new Float32Array(1)) }],
      RangeError,
      "a part begins at value 2, expected a multiple of 256",
    ],
    [
      [good, { ...good, name: "b", data: () => parts(new Float32Array(3)) }],
      RangeError,
      "and it has 3",
    ],
    [
      [good, { ...good, name: "b", dtype: "F16", data: Float32Array.of(0, 70000) }],
      RangeError,
      "as F16: value 70000 at index 1 is too large",
    ],
    [
      [good, { ...good, name: "b", data: () => Promise.reject(new RangeError("lost the device")) }],
      RangeError,
      "lost the device",
    ],
    [
      [good, {
        ...good,
        name: "b",
        data: () => {
          stop.abort(new RangeError("stopped"));
          return new Float32Array(2);
        },
      }],
      RangeError,
      "stopped",
    ],
  ];
  for (const [entries, type, message] of cases) {
    await assertRejects(
      () => writeSafetensors(path, entries, { signal: stop.signal }),
      type,
      message,
    );
    assertEquals(namesIn(temporary.path), ["model.safetensors"]);
    assertEquals(await Deno.readTextFile(path), "old");
  }
  await assertRejects(
    () => writeSafetensors(path, [good], { metadata: { a: 1 as never } }),
    TypeError,
    'Cannot write metadata "a"',
  );
});

Deno.test("writeSafetensors() reports progress up to the whole file", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors");
  const seen: [number, number][] = [];
  const { bytes } = await writeSafetensors(
    path,
    [{ name: "a", shape: [600_000], data: new Float32Array(600_000) }],
    { onProgress: (done, total) => seen.push([done, total]) },
  );
  assert(seen.length > 2);
  assertEquals(seen.at(-1), [bytes, bytes]);
});

/** A tensor's parts. */
async function* parts(...all: Float32Array[]): AsyncGenerator<Float32Array, void, void> {
  for (const part of all) yield await Promise.resolve(part);
}
