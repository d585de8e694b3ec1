import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import fc from "fast-check";
import type { GgufMetadata, GgufWritable } from "../../../lib/weights/gguf/format.ts";
import { openGguf } from "../../../lib/weights/gguf/read.ts";
import { type GgufEntry, writeGguf } from "../../../lib/weights/gguf/write.ts";
import { sha256File } from "../../../lib/weights/sha256.ts";
import { findPython } from "../../support.ts";
import { TemporaryDirectory } from "../temporary.ts";

const integer = (type: string, least: bigint, most: bigint) =>
  fc.bigInt(least, most).map((value) => ({ [type]: value }));

const writable: fc.Arbitrary<GgufWritable> = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.boolean(),
  integer("uint8", 0n, 255n),
  integer("int8", -128n, 127n),
  integer("uint16", 0n, 65535n),
  integer("int16", -32768n, 32767n),
  integer("uint32", 0n, 2n ** 32n - 1n),
  integer("int32", -(2n ** 31n), 2n ** 31n - 1n),
  integer("uint64", 0n, 2n ** 64n - 1n),
  integer("int64", -(2n ** 63n), 2n ** 63n - 1n),
  fc.float().map((value) => ({ float32: value })),
  fc.double().map((value) => ({ float64: value })),
  fc.array(fc.string({ unit: "grapheme" })),
  fc.array(fc.boolean(), { minLength: 1 }),
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
);

const tensor = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 3 }),
  blocks: fc.integer({ min: 1, max: 2 }),
  type: fc.constantFrom("F32", "F16", "BF16", "Q8_0" as const),
  seed: fc.integer(),
});

/** A number as the reader gives it back. */
function asRead(value: GgufWritable): unknown {
  if (typeof value !== "object" || Array.isArray(value) || ArrayBuffer.isView(value)) return value;
  const [[type, number]] = Object.entries(value as Record<string, number | bigint>);
  if (type === "float32") return Math.fround(number as number);
  if (typeof number === "bigint" && Number.isSafeInteger(Number(number))) return Number(number);
  return number;
}

/** Whole numbers that every type holds, but that no two tensors share. */
function valuesFor(shape: number[], seed: number): Float32Array {
  const count = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: count }, (_, i) => (i % 32 === 0 ? 127 : (seed + i) % 127));
}

Deno.test("writeGguf() writes what openGguf() reads, whatever is written", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("any.gguf");
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ unit: "grapheme", minLength: 1 }), writable),
      fc.array(tensor, { maxLength: 5 }),
      async (metadata, tensors) => {
        const entries = tensors.map(({ shape, blocks, type, seed }, i) => {
          const whole = [...shape, blocks * (type === "Q8_0" ? 32 : 3)];
          const data = valuesFor(whole, seed);
          return { name: `blk.${i}.weight`, shape: whole, type, data } as GgufEntry;
        });
        const written = await writeGguf(path, entries, { metadata });
        assertEquals(written.bytes, Deno.statSync(path).size);
        assertEquals(written.sha256, await sha256File(path));
        using file = await openGguf(path);
        assertEquals(
          [...file.metadata],
          Object.entries(metadata).map(([key, value]) => [key, asRead(value)]),
        );
        assertEquals([...file.tensors.keys()], entries.map(({ name }) => name));
        for (const { name, shape, type, data } of entries) {
          const info = file.info(name);
          assertEquals([info.shape, info.type, info.byteOffsets[0] % 32], [shape, type!, 0]);
          assertEquals(await file.read(name), data as Float32Array, `${name} as ${type}`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("writeGguf() takes one tensor at a time, crosses pieces, and tells how far it is", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("large.gguf");
  const count = 300_000 - 300_000 % 32;
  const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i) * 3);
  const order: string[] = [];
  let last = 0, total = 0;
  const entry = (name: string, type: GgufEntry["type"]): GgufEntry => ({
    name,
    shape: [count / 32, 32],
    type,
    data: async () => {
      order.push(name);
      await Promise.resolve();
      return data;
    },
  });
  await writeGguf(path, [entry("b", "Q8_0"), entry("a", "F16")], {
    onProgress: (done, all) => {
      assert(done >= last && all >= done);
      [last, total] = [done, all];
    },
  });
  assertEquals([order, last], [["b", "a"], total]);
  using file = await openGguf(path);
  const q8 = await file.read("b");
  const f16 = await file.read("a");
  for (let i = 0; i < count; i++) {
    // half of a step of a block, whose largest is at most 3, and the scale's own rounding
    assert(Math.abs(q8[i] - data[i]) <= 3 / 127 / 2 + 3 / 2048, `${i}`);
    assertEquals(f16[i], Math.f16round(data[i]));
  }
});

Deno.test("writeGguf() writes a vocabulary of any length", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("words.gguf");
  const words = Array.from({ length: 30_000 }, (_, i) => `${"▁word".repeat(i % 5)}${i}`);
  await writeGguf(path, [], { metadata: { words, "last": { uint64: 7 } } });
  using file = await openGguf(path);
  assertEquals([...file.metadata], [["words", words], ["last", 7]]);
});

Deno.test("writeGguf() refuses what the format cannot hold, and leaves nothing", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("bad.gguf");
  const data = new Float32Array(32);
  const good: GgufEntry = { name: "a", shape: [32], data };
  const cases: [Partial<GgufEntry>[], GgufMetadata, new () => Error, string][] = [
    [[{}, {}], {}, TypeError, 'tensor "a" to "' + path + '": the name occurs twice'],
    [[{ name: "x".repeat(64) }], {}, RangeError, "its name has 64 bytes, expected at most 63"],
    [[{ type: "Q4_0" as "F32" }], {}, TypeError, "must be F32, F16, BF16 or Q8_0, got Q4_0"],
    [[{ shape: [] }], {}, TypeError, "its shape () must be of 1 to 4 positive integers"],
    [[{ shape: [2, 0] }], {}, TypeError, "its shape (2, 0) must be of 1 to 4 positive integers"],
    [[{ shape: [1, 1, 1, 1, 32] }], {}, TypeError, "must be of 1 to 4 positive integers"],
    [[{ shape: [33] }], {}, RangeError, "its shape (33) needs 33 values and it has 32"],
    [[{ data: () => new Float32Array(3) }], {}, RangeError, "needs 32 values and it has 3"],
    [
      [{ shape: [2, 16], type: "Q8_0" }],
      {},
      RangeError,
      "rows of 16 values must be multiples of 32",
    ],
    [
      [{ type: "F16", data: data.map((_, i) => i === 3 ? 1e6 : 0) }],
      {},
      RangeError,
      "as F16: value 1000000 at index 3 is too large",
    ],
    [
      [{ type: "Q8_0", data: data.map((_, i) => i === 7 ? NaN : i) }],
      {},
      RangeError,
      "as Q8_0: value NaN at index 7 is not finite",
    ],
    [
      [{ type: "Q8_0", data: data.map((_, i) => i === 9 ? -1e8 : i) }],
      {},
      RangeError,
      "as Q8_0: value -100000000 at index 9 is too large",
    ],
    [
      [{}],
      { k: 1 as unknown as string },
      TypeError,
      "a number with its type such as { uint32: 1 }",
    ],
    [[{}], { k: { uint32: 1, int8: 1 } }, TypeError, "a number with its type"],
    [
      [{}],
      { k: { uint8: 256 } },
      RangeError,
      'metadata "k" to "' + path + '": 256 is not a valid uint8',
    ],
    [[{}], { "general.alignment": { uint32: 64 } }, TypeError, "it is always 32"],
    [[{}], { k: { int32: 0.5 } }, RangeError, "0.5 is not a valid int32"],
    [[{}], { k: ["a", 1 as unknown as string] }, TypeError, "expected an array of strings"],
  ];
  for (const [changes, metadata, type, message] of cases) {
    const entries = changes.map((change) => ({ ...good, ...change }));
    await assertRejects(() => writeGguf(path, entries, { metadata }), type, message);
  }
  const stop = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => writeGguf(path, [good], { signal: stop }), Error, "enough");
  assertEquals([...Deno.readDirSync(temporary.path)], []);
});

const python = findPython("gguf");

Deno.test({
  name: `writeGguf() writes what PyPI's gguf reads, and its very Q8_0 blocks${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.file("peer.gguf");
    const random = fc.sample(fc.float({ noNaN: true, min: -8, max: 8 }), {
      numRuns: 1024,
      seed: 1,
    });
    const data = Float32Array.from(random);
    data.fill(0, 32, 64); // a block of zeros
    data.set(Array.from({ length: 32 }, (_, i) => (i === 0 ? 127 : i - 15.5)), 64); // halves
    const metadata: GgufMetadata = {
      "general.architecture": "test",
      "test.count": { uint32: 7 },
      "test.epsilon": { float32: 1e-5 },
      "test.long": { uint64: 2n ** 60n },
      "test.yes": true,
      "test.tokens": ["Ġthe", "", "\u2603"],
      "test.scores": Float32Array.of(0.5, -1000),
      "test.types": Int32Array.of(1, 3),
    };
    const entries = (["F32", "F16", "BF16", "Q8_0"] as const).map((type) => ({
      name: type === "F32" ? "values" : type,
      shape: [8, 128],
      type,
      data,
    }));
    await writeGguf(path, entries, { metadata });
    const script = fromFileUrl(import.meta.resolve("./peer.py"));
    const blocks = temporary.file("blocks");
    const { fields, tensors } = JSON.parse(await python.run(script, path, blocks));
    assertEquals(
      Object.fromEntries(
        Object.entries(fields).filter(([key]) => !key.startsWith("GGUF.")),
      ),
      {
        "general.architecture": [["STRING"], "test"],
        "test.count": [["UINT32"], 7],
        "test.epsilon": [["FLOAT32"], Math.fround(1e-5)],
        "test.long": [["UINT64"], 2 ** 60],
        "test.yes": [["BOOL"], true],
        "test.tokens": [["ARRAY", "STRING"], ["Ġthe", "", "\u2603"]],
        "test.scores": [["ARRAY", "FLOAT32"], [0.5, -1000]],
        "test.types": [["ARRAY", "INT32"], [1, 3]],
      },
    );
    using file = await openGguf(path);
    for (const { name, shape, type } of entries) {
      const { values, ...rest } = tensors[name];
      assertEquals(rest, { type, shape });
      assertEquals(Float32Array.from(values), await file.read(name), name);
    }
    assertEquals(await file.readBytes("Q8_0"), Deno.readFileSync(blocks));
  },
});
