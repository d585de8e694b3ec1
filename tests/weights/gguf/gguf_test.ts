import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { fromFileUrl } from "@std/path";
import fc from "fast-check";
import { type Gguf, openGguf } from "../../../lib/weights/gguf/read.ts";
import { readGoldenTensors } from "../../golden/golden.ts";
import { findPython } from "../../support.ts";
import { TemporaryDirectory } from "../temporary.ts";
import { join, type RawFile, rawGguf, text, u32, u64 } from "./files.ts";

const PARTS = fromFileUrl(import.meta.resolve("./parts.py"));
const GOLDEN = fromFileUrl(import.meta.resolve("../../golden/gguf_blocks.gguf"));
const expected = readGoldenTensors(
  new URL("../../golden/gguf_blocks.safetensors", import.meta.url),
);

Deno.test("openGguf() reads every kind of metadata as PyPI's gguf wrote it", async () => {
  using file = await openGguf(GOLDEN);
  assertEquals(file.version, 3);
  const { metadata } = file;
  const test = Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith("test."))
      .map(([key, value]) => [key.slice(5), value]),
  );
  assertEquals(test, {
    u8: 255,
    i8: -128,
    u16: 65535,
    i16: -32768,
    u32: 4294967295,
    i32: -2147483648,
    f32: Math.fround(0.1),
    u64: 2n ** 64n - 1n,
    i64: -(2n ** 53n),
    f64: 0.1,
    true: true,
    false: false,
    string: "Grüße, \u2603 \u{1f600}",
    strings: ["\ufeffmark", "", "Ġthe", "<0x0A>"],
    ints: Int32Array.of(1, -2, 3),
    floats: Float32Array.of(0.5, -1000, 1e-30),
    bools: [true, false, true],
  });
  assertEquals(metadata.get("general.architecture"), "test");
});

Deno.test("read() dequantizes every type to the very bits of PyPI's gguf", async () => {
  using file = await openGguf(GOLDEN);
  assertEquals([...file.tensors.keys()].sort(), Object.keys(expected).sort());
  for (const [name, { shape, data }] of Object.entries(expected)) {
    const info = file.info(name);
    assertEquals([info.type, info.shape], [name, shape]);
    const values = await file.read(name);
    const bits = (array: Float32Array) => [...new Uint32Array(array.slice().buffer)];
    assertEquals(bits(values), bits(data as Float32Array), name);
    // some rows, into shared memory
    const into = new Float32Array(new SharedArrayBuffer(4 * 2 * 512));
    assert(await file.read(name, { rows: [1, 3], into }) === into);
    assertEquals([...into], [...data.subarray(512, 3 * 512)], `rows of ${name}`);
  }
});

Deno.test("read() crosses pieces, stops at a signal and refuses what it cannot read", async () => {
  using temporary = new TemporaryDirectory();
  const blocks = 70_001; // of Q8_0: more than one piece
  const elements = blocks * 32;
  const bytes = rawGguf({
    tensors: [
      { name: "w", shape: [elements], type: 8, offset: 0 },
      { name: "odd", shape: [256], type: 16, offset: Math.ceil(blocks * 34 / 32) * 32 },
    ],
    dataBytes: Math.ceil(blocks * 34 / 32) * 32 + 66,
  });
  const path = temporary.file("model.gguf", bytes);
  using file = await openGguf(path);
  const start = file.info("w").byteOffsets[0];
  const changed = bytes.slice();
  for (let block = 0; block < blocks; block++) {
    changed.set([0x00, 0x3c], start + block * 34); // scale 1
    for (let j = 0; j < 32; j++) changed[start + block * 34 + 2 + j] = (block + j) % 256;
  }
  Deno.writeFileSync(path, changed);
  const values = await file.read("w");
  for (let i = 0; i < elements; i++) {
    const value = ((i >> 5) + (i & 31)) << 24 >> 24;
    if (values[i] !== value) assertEquals(values[i], value, `element ${i}`);
  }
  const reason = new Error("stop");
  const error = await assertRejects(() => file.read("w", { signal: AbortSignal.abort(reason) }));
  assert(error === reason);
  await assertRejects(
    () => file.read("odd"),
    TypeError,
    "its type is IQ2_XXS; take the model in another",
  );
  assertEquals((await file.readBytes("odd")).length, 66);
  await assertRejects(() => file.read("none"), RangeError, 'Cannot find tensor "none"');
  await assertRejects(() => file.read("w", { rows: [5, 37] }), RangeError, "Q8_0 has blocks of 32");
  file.close();
  await assertRejects(() => file.read("w"), Error, "it was closed");
});

const splitting = findPython("gguf");

Deno.test({
  name: `openGguf() reads the parts that PyPI's gguf writes as one file${splitting.needs}`,
  ignore: !splitting.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    await splitting.run(PARTS, temporary.file("whole.gguf"));
    const named = (part: number) => temporary.file(`whole-0000${part}-of-00003.gguf`);
    for (const path of [named(1), named(3)]) {
      using file = await openGguf(path);
      assertEquals(file.path, named(1));
      assertEquals(file.files, [named(1), named(2), named(3)]);
      assertEquals(file.metadata.get("test.key"), "of the first");
      assertEquals([...file.tensors.keys()], ["t0", "t1", "t2", "t3", "t4"]);
      for (const [i, name] of [...file.tensors.keys()].entries()) {
        assertEquals(await file.read(name), Float32Array.of(i, i + 0.5, -i));
        assertEquals((await file.readBytes(name)).length, 12);
      }
      const all = join(...[1, 2, 3].map((part) => Deno.readFileSync(named(part))));
      const hash = await crypto.subtle.digest("SHA-256", all);
      assertEquals(await file.sha256(), encodeHex(hash));
    }
    const parts = [1, 2, 3].map((part) => Deno.readFileSync(named(part)));
    Deno.writeFileSync(named(3), parts[1]!);
    await assertRejects(
      () => openGguf(named(1)),
      SyntaxError,
      "by its metadata it is part 2 of 3, by its name part 3 of 3",
    );
    Deno.writeFileSync(temporary.file("alone.gguf"), parts[0]!);
    await assertRejects(
      () => openGguf(temporary.file("alone.gguf")),
      SyntaxError,
      "by its metadata it is part 1 of 3, by its name part 1 of 1",
    );
    Deno.removeSync(named(3));
    await assertRejects(
      () => openGguf(named(2)),
      Deno.errors.NotFound,
      `Cannot open "${named(3)}": there is no such file`,
    );
  },
});

Deno.test({
  name:
    `openGguf() reads parts whose alignment only the first names, as PyPI's gguf writes them${splitting.needs}`,
  ignore: !splitting.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    for (const alignment of ["8", "64", "4096"]) {
      await splitting.run(PARTS, temporary.file("whole.gguf"), alignment);
      const path = temporary.file("whole-00001-of-00003.gguf");
      {
        using file = await openGguf(path);
        for (let i = 0; i < 5; i++) {
          assertEquals(await file.read(`t${i}`), Float32Array.of(i, i + 0.5, -i));
        }
      }
      // One that is cut short fits no alignment.
      const third = temporary.file("whole-00003-of-00003.gguf");
      Deno.writeFileSync(third, Deno.readFileSync(third).subarray(0, -4));
      await assertRejects(() => openGguf(path), SyntaxError, "it has no general.alignment");
    }
  },
});

const tensor = { name: "a", shape: [32], type: 2, offset: 0 };
const BROKEN: [what: string, file: RawFile | Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), 'does not begin with "GGUF"'],
  ["another format", { magic: "GGML" }, 'does not begin with "GGUF"'],
  ["version 1", { version: 1 }, "its version is 1, expected 2 or 3"],
  ["big-endian", { version: 0x03000000 }, "it is big-endian"],
  ["too many tensors", { tensorCount: 2n ** 40n }, "it announces 1099511627776 tensors"],
  [
    "endless tensors",
    { tensorCount: 2n ** 64n - 1n },
    "the number of tensors has the number 18446",
  ],
  ["too much metadata", { pairCount: 1000 }, "it announces 1000 metadata entries"],
  [
    "a long key",
    join(rawGguf({ pairCount: 1 }), u64(2n ** 40n), new Uint8Array(20)),
    "announces a text of",
  ],
  [
    "a key cut short",
    join(rawGguf({ pairCount: 1 }), u64(13), new Uint8Array(12)),
    "announces a text of 13",
  ],
  [
    "a value cut short",
    join(rawGguf({ pairCount: 1 }), text("key"), u32(10), u32(0)),
    "its header is cut short",
  ],
  [
    "an unknown value type",
    { pairs: [["k", 13, u64(0)]] },
    'metadata "k" has the unknown value type 13',
  ],
  [
    "an unknown element type",
    { pairs: [["k", 9, join(u32(99), u64(0))]] },
    'metadata "k" has the unknown element type 99',
  ],
  [
    "a long array",
    { pairs: [["k", 9, join(u32(4), u64(2n ** 50n))]] },
    'elements of metadata "k", more than',
  ],
  [
    "a repeated key",
    { pairs: [["k", 0, new Uint8Array(1)], ["k", 0, new Uint8Array(1)]] },
    'the metadata key "k" twice',
  ],
  [
    "nested arrays",
    {
      pairs: [[
        "k",
        9,
        join(...Array.from({ length: 9 }, () => join(u32(9), u64(1))), new Uint8Array(12)),
      ]],
    },
    'metadata "k" nests arrays more than 4 deep',
  ],
  [
    "an odd alignment",
    { pairs: [["general.alignment", 4, u32(24)]] },
    "its general.alignment is 24",
  ],
  [
    "an alignment of 0",
    { pairs: [["general.alignment", 4, u32(0)]] },
    "its general.alignment is 0",
  ],
  [
    "a repeated tensor",
    { tensors: [tensor, tensor], dataBytes: 64 },
    'it holds the tensor "a" twice',
  ],
  ["an unknown type", { tensors: [{ ...tensor, type: 4 }] }, 'tensor "a" has the unknown type 4'],
  ["no axes", { tensors: [{ ...tensor, shape: [] }, tensor] }, 'tensor "a" has 0 axes'],
  ["five axes", { tensors: [{ ...tensor, shape: [1, 1, 1, 1, 1] }] }, 'tensor "a" has 5 axes'],
  [
    "an overflowing shape",
    { tensors: [{ ...tensor, shape: [2n ** 40n, 2n ** 40n] }] },
    "is too large",
  ],
  ["half a block", { tensors: [{ ...tensor, shape: [33] }] }, "its rows must be multiples of 32"],
  [
    "an offset off its line",
    { tensors: [{ ...tensor, offset: 8 }], dataBytes: 64 },
    "expected a multiple of 32",
  ],
  [
    "a cut file",
    { tensors: [tensor], dataBytes: 17 },
    'tensor "a" ends at byte 18 of the data and the file holds 17',
  ],
  [
    "a tensor far away",
    { tensors: [{ ...tensor, offset: 2n ** 53n - 32n }] },
    "so it is cut short",
  ],
  [
    "overlap",
    { tensors: [tensor, { ...tensor, name: "b" }], dataBytes: 64 },
    'tensor "b" begins at byte 0 of the data, inside tensor "a"',
  ],
];

for (const [what, file, message] of BROKEN) {
  Deno.test(`openGguf() refuses ${what}`, async () => {
    using temporary = new TemporaryDirectory();
    const bytes = file instanceof Uint8Array ? file : rawGguf(file);
    const path = temporary.file("model.gguf", bytes);
    const error = await assertRejects(() => openGguf(path), SyntaxError, message);
    assert(error.message.startsWith(`Cannot read "${path}" as GGUF: `), error.message);
  });
}

Deno.test("openGguf() gives a file or a SyntaxError on any mutation of one", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.gguf");
  const sound = rawGguf({
    pairs: [
      ["general.alignment", 4, u32(32)],
      ["tokens", 9, join(u32(8), u64(3), text("a"), text("bc"), text(""))],
      ["nested", 9, join(u32(9), u64(1), u32(0), u64(2), new Uint8Array(2))],
      ["large", 10, u64(7)],
      ["flag", 7, new Uint8Array(1)],
    ],
    tensors: [
      { name: "a", shape: [32, 2], type: 2, offset: 0 },
      { name: "b", shape: [4], type: 0, offset: 64 },
      { name: "c", shape: [256], type: 14, offset: 96 },
    ],
    dataBytes: 96 + 210,
  });
  const header = sound.length - 96 - 210;
  const change = fc.oneof(
    fc.record({ at: fc.nat(header - 1), byte: fc.nat(255) })
      .map(({ at, byte }) => (file: Uint8Array) => {
        if (at < file.length) file[at] = byte;
        return file;
      }),
    // small numbers are what lengths, counts and types are made of
    fc.record({ at: fc.nat(header - 1), byte: fc.nat(14) })
      .map(({ at, byte }) => (file: Uint8Array) => {
        if (at < file.length) file[at] = byte;
        return file;
      }),
    fc.record({ at: fc.nat(header - 8), value: fc.bigInt(0n, 2n ** 64n - 1n) })
      .map(({ at, value }) => (file: Uint8Array) => {
        if (at + 8 <= file.length) file.set(u64(value), at);
        return file;
      }),
    fc.nat(210).map((at) => (file: Uint8Array) => {
      if (file.length > 0) file[file.length - 1 - at % file.length] ^= 0xff;
      return file;
    }),
    fc.nat(sound.length).map((length) => (file: Uint8Array) => file.slice(0, length)),
  );
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      await Deno.writeFile(path, changes.reduce<Uint8Array>((b, apply) => apply(b), sound.slice()));
      let file: Gguf;
      try {
        file = await openGguf(path);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        assert(error.message.includes(path) && !error.message.includes("\n"), error.message);
        return;
      }
      using _ = file;
      opened++;
      for (const { name, shape } of file.tensors.values()) {
        const values = await file.read(name).catch((error) => {
          if (!(error instanceof TypeError)) throw error; // a type that is not read
        });
        if (values) assertEquals(values.length, shape.reduce((a, b) => a * b, 1));
      }
    }),
    { numRuns: 800, seed: 5 },
  );
  assert(opened > 50, `only ${opened} mutations could be opened: the test sees too little`);
});

const python = findPython("gguf", "safetensors", "numpy");

Deno.test({
  name: `golden "gguf_blocks" is what its script makes again${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    using temporary = new TemporaryDirectory();
    const script = fromFileUrl(import.meta.resolve("../../golden/gguf_blocks.py"));
    await python.run(script, temporary.path);
    assertEquals(
      Deno.readFileSync(`${temporary.path}/gguf_blocks.gguf`),
      Deno.readFileSync(GOLDEN),
    );
    assertEquals(readGoldenTensors(`${temporary.path}/gguf_blocks.safetensors`), expected);
  },
});
