import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { openSafetensors, type Safetensors } from "../../../lib/weights/safetensors/read.ts";
import { writeSafetensors } from "../../../lib/weights/safetensors/write.ts";
import { TemporaryDirectory } from "../temporary.ts";
import { entry, rawFile } from "./files.ts";

Deno.test("openSafetensors() lists tensors and metadata and read() widens each type", async () => {
  using temporary = new TemporaryDirectory();
  const header = {
    __metadata__: { format: "pt", note: "é" },
    half: entry("F16", [2], 24, 28),
    brain: entry("BF16", [1, 2], 28, 32),
    double: entry("F64", [1], 0, 8),
    single: entry("F32", [2, 2], 8, 24),
    scalar: entry("F32", [], 32, 36),
    empty: entry("F32", [0, 5], 36, 36),
    flags: entry("BOOL", [3], 36, 39),
  };
  const bytes = rawFile(header, 39);
  const data = new DataView(bytes.buffer, bytes.length - 39);
  data.setFloat64(0, Math.PI, true);
  [1, -2, 3.5, 1e-40].forEach((value, i) => data.setFloat32(8 + 4 * i, value, true));
  data.setUint16(24, 0x3c00, true);
  data.setUint16(26, 0xfc00, true);
  data.setUint16(28, 0x3f80, true);
  data.setUint16(30, 0xc000, true);
  data.setFloat32(32, 42, true);
  [1, 0, 1].forEach((value, i) => data.setUint8(36 + i, value));
  const path = temporary.file("model.safetensors", bytes);

  using model = await openSafetensors(path);
  assertEquals(model.files, [path]);
  assertEquals({ ...model.metadata }, { format: "pt", note: "é" });
  assertEquals([...model.tensors.keys()].sort(), Object.keys(header).slice(1).sort());
  const start = bytes.length - 39;
  assertEquals(model.info("half"), {
    name: "half",
    dtype: "F16",
    shape: [2],
    byteOffsets: [start + 24, start + 28],
    file: path,
  });
  assertEquals([...await model.read("single")], [1, -2, 3.5, Math.fround(1e-40)]);
  assertEquals([...await model.read("half")], [1, -Infinity]);
  assertEquals([...await model.read("brain")], [1, -2]);
  assertEquals([...await model.read("double")], [Math.fround(Math.PI)]);
  assertEquals([...await model.read("scalar")], [42]);
  assertEquals([...await model.read("empty")], []);
  assertEquals([...await model.readBytes("flags")], [1, 0, 1]);
  await assertRejects(() => model.read("flags"), TypeError, 'tensor "flags" of');
  await assertRejects(() => model.read("singel"), RangeError, 'did you mean "single"');
});

Deno.test("read() fills the caller's memory, shared or not, whole or by rows, across pieces", async () => {
  using temporary = new TemporaryDirectory();
  const rows = 1234, columns = 1001; // more than one piece of a megabyte
  const values = Float32Array.from({ length: rows * columns }, (_, i) => (i % 509) - 254);
  for (const dtype of ["F32", "F16", "BF16"] as const) {
    const path = temporary.file("model.safetensors");
    const first = { name: "a", shape: [3], data: Float32Array.of(1, 2, 3), dtype };
    await writeSafetensors(path, [first, {
      name: "w",
      shape: [rows, columns],
      data: values,
      dtype,
    }]);
    using model = await openSafetensors(path);
    const shared = new Float32Array(new SharedArrayBuffer(4 * (rows * columns + 5)));
    const into = shared.subarray(2, 2 + rows * columns);
    assert(await model.read("w", { into }) === into);
    assertEquals(bytesText(into), bytesText(values), dtype);
    assertEquals([...shared.subarray(0, 2), ...shared.subarray(-3)], [0, 0, 0, 0, 0]);
    const part = await model.read("w", { rows: [700, 702] });
    assertEquals(bytesText(part), bytesText(values.subarray(700 * columns, 702 * columns)), dtype);
    assertEquals((await model.read("w", { rows: [5, 5] })).length, 0);
    for (const bad of [[-1, 2], [0, rows + 1], [3, 2], [0.5, 1]] as [number, number][]) {
      await assertRejects(
        () => model.read("w", { rows: bad }),
        RangeError,
        `Cannot read rows ${bad[0]} to ${
          bad[1]
        } of tensor "w" of "${path}" with shape (1234, 1001)`,
      );
    }
    await assertRejects(
      () => model.read("w", { into: new Float32Array(7) }),
      RangeError,
      "into an array of 7",
    );
  }
});

/** One string of the values' bytes: quicker to compare than element by element. */
function bytesText(values: Float32Array): string {
  const copy = Float32Array.from(values);
  return new TextDecoder("latin1").decode(copy.buffer);
}

Deno.test("read() stops at an abort signal, and after close() it is an error", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors");
  await writeSafetensors(path, [{ name: "w", shape: [4], data: new Float32Array(4) }]);
  const model = await openSafetensors(path);
  const reason = new Error("stop");
  const error = await assertRejects(() => model.read("w", { signal: AbortSignal.abort(reason) }));
  assert(error === reason);
  model.close();
  model.close();
  await assertRejects(() => model.read("w"), Error, `Cannot read "${path}": it was closed`);
});

Deno.test("read() says so when the file has become shorter", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors");
  const { bytes } = await writeSafetensors(path, [
    { name: "w", shape: [4], data: new Float32Array(4) },
  ]);
  using model = await openSafetensors(path);
  await Deno.truncate(path, bytes - 4);
  await assertRejects(
    () => model.read("w"),
    SyntaxError,
    `Cannot read "${path}": it ends after ${bytes - 4} bytes and had ${bytes}`,
  );
});

const f32 = (start: number, end: number, shape = [(end - start) / 4]) =>
  entry("F32", shape, start, end);

const BROKEN: [what: string, file: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), "it has 0 bytes and a header needs at least 10"],
  ["seven bytes", new Uint8Array(7), "it has 7 bytes"],
  ["a header of no bytes", new Uint8Array(8), "a header of 0 bytes cannot hold a JSON object"],
  ["a header past the end", rawFile({}, 0, 1000n), "announces a header of 1000 bytes"],
  ["a huge header", rawFile({}, 0, 100_000_001n), "at most 100000000 are allowed"],
  ["a 64-bit header", rawFile({}, 0, 2n ** 64n - 1n), "a header of 18446744073709551615 bytes"],
  [
    "a header that is not UTF-8",
    rawFile("{\xff}").map((b) => b > 127 ? 0xff : b),
    "not valid UTF-8",
  ],
  ["no JSON", rawFile(`{"a":`), "it is not valid JSON"],
  ["a pickle", rawFile("\x80\x02ctorch"), 'it must begin with "{"'],
  ["an array", rawFile("[]"), 'it must begin with "{"'],
  [
    "a repeated tensor",
    rawFile(`{"a":${JSON.stringify(f32(0, 4))},"a":${JSON.stringify(f32(0, 4))}}`, 4),
    'the key "a" twice',
  ],
  ["a number as tensor", rawFile({ a: 1 }), 'tensor "a" must be an object'],
  [
    "an unknown dtype",
    rawFile({ a: entry("F128", [1], 0, 16) }, 16),
    'tensor "a" has the dtype "F128"',
  ],
  ["an inherited dtype", rawFile({ a: entry("toString", [1], 0, 4) }, 4), 'the dtype "toString"'],
  ["no dtype", rawFile({ a: { shape: [], data_offsets: [0, 4] } }, 4), 'the dtype "undefined"'],
  ["a negative size", rawFile({ a: entry("F32", [-1], 0, 4) }, 4), 'tensor "a" must have a shape'],
  ["half a size", rawFile({ a: entry("F32", [0.5], 0, 2) }, 2), 'tensor "a" must have a shape'],
  ["a size as text", rawFile({ a: entry("F32", ["1"], 0, 4) }, 4), 'tensor "a" must have a shape'],
  ["no shape", rawFile({ a: entry("F32", null, 0, 4) }, 4), 'tensor "a" must have a shape'],
  [
    "one offset",
    rawFile({ a: { dtype: "F32", shape: [], data_offsets: [0] } }),
    "two data_offsets",
  ],
  ["a negative offset", rawFile({ a: entry("F32", [1], -4, 0) }), "two data_offsets"],
  ["a vast offset", rawFile({ a: entry("F32", [1], 1e300, 1e300) }), "two data_offsets"],
  ["backward offsets", rawFile({ a: entry("F32", [1], 8, 4) }, 8), "before its beginning at 8"],
  [
    "an overflowing shape",
    rawFile({ a: entry("F32", [2 ** 30, 2 ** 30], 0, 4) }, 4),
    "is too large",
  ],
  [
    "an overflow hidden by 0",
    rawFile({ a: entry("F32", [2 ** 50, 2 ** 50, 0], 0, 0) }),
    "too large",
  ],
  ["too few bytes", rawFile({ a: entry("F32", [2], 0, 4) }, 4), "needs 8 bytes and has 4"],
  ["half a byte", rawFile({ a: entry("F4", [3], 0, 2) }, 2), "does not fill whole bytes"],
  [
    "overlap",
    rawFile({ a: f32(0, 8), b: f32(4, 12) }, 12),
    'tensor "b" begins at byte 4 of the data, inside tensor "a"',
  ],
  ["equal places", rawFile({ a: f32(0, 4), b: f32(0, 4) }, 4), 'inside tensor "a"'],
  ["a hole", rawFile({ a: f32(0, 4), b: f32(8, 12) }, 12), 'the 4 bytes of data before tensor "b"'],
  ["a hole in front", rawFile({ a: f32(4, 8) }, 8), 'the 4 bytes of data before tensor "a"'],
  [
    "a cut file",
    rawFile({ a: f32(0, 4), b: f32(4, 12) }, 11),
    'tensor "b" ends at byte 12 of the data and the file holds 11',
  ],
  [
    "bytes after the end",
    rawFile({ a: f32(0, 4) }, 5),
    "it describes 4 bytes of data and the file holds 5",
  ],
  [
    "metadata that is not an object",
    rawFile({ __metadata__: [] }),
    '"__metadata__" must be an object',
  ],
  ["metadata of numbers", rawFile({ __metadata__: { a: 1 } }), '"a" is not one'],
];

for (const [what, file, message] of BROKEN) {
  Deno.test(`openSafetensors() refuses ${what}`, async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.file("model.safetensors", file);
    const error = await assertRejects(() => openSafetensors(path), SyntaxError, message);
    assert(error.message.includes(`"${path}"`), error.message);
    assert(!error.message.includes("\n"), error.message);
  });
}

Deno.test("openSafetensors() names what is missing", async () => {
  using temporary = new TemporaryDirectory();
  await assertRejects(
    () => openSafetensors(temporary.file("none.safetensors")),
    Deno.errors.NotFound,
    "there is no such file",
  );
  await assertRejects(
    () => openSafetensors(temporary.path),
    Deno.errors.NotFound,
    'looked for "model.safetensors" and "model.safetensors.index.json", and it is empty',
  );
  temporary.file("pytorch_model.bin", "");
  await assertRejects(
    () => openSafetensors(temporary.path),
    Deno.errors.NotFound,
    'it holds "pytorch_model.bin"',
  );
});

Deno.test({
  name: "openSafetensors() does not wait for a named pipe",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.file("model.safetensors");
    await new Deno.Command("mkfifo", { args: [path] }).output();
    await assertRejects(() => openSafetensors(path), TypeError, "it is not a regular file");
  },
});

Deno.test("openSafetensors() takes tensors in any order and names like object properties", async () => {
  using temporary = new TemporaryDirectory();
  const header = `{"10":${JSON.stringify(f32(4, 8))},"__proto__":${JSON.stringify(f32(0, 4))},"9":${
    JSON.stringify(f32(8, 8, [0]))
  },"__metadata__":{"__proto__":"x"}}`;
  using model = await openSafetensors(temporary.file("model.safetensors", rawFile(header, 8)));
  assertEquals([...model.tensors.keys()], ["__proto__", "10", "9"]);
  assertEquals(Object.entries(model.metadata), [["__proto__", "x"]]);
});

Deno.test("openSafetensors() opens a sharded model by directory or index", async () => {
  using temporary = new TemporaryDirectory();
  await writeSafetensors(temporary.file("model-00001-of-00002.safetensors"), [
    { name: "a", shape: [2], data: Float32Array.of(1, 2) },
    { name: "not in the index", shape: [1], data: Float32Array.of(9) },
  ], { metadata: { format: "pt", one: "1" } });
  const second = await writeSafetensors(temporary.file("model-00002-of-00002.safetensors"), [
    { name: "b", shape: [1], data: Float32Array.of(3), dtype: "BF16" },
  ]);
  const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 10 }, weight_map: map });
  const path = temporary.file(
    "model.safetensors.index.json",
    index({ a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" }),
  );
  for (const opened of [path, temporary.path]) {
    using model = await openSafetensors(opened);
    assertEquals([...model.tensors.keys()], ["a", "not in the index", "b"]);
    assertEquals(model.files.length, 2);
    assertEquals([...await model.read("a"), ...await model.read("b")], [1, 2, 3]);
    assertEquals({ ...model.metadata }, { format: "pt", one: "1" });
    assertEquals((await model.sha256())["model-00002-of-00002.safetensors"], second.sha256);
  }

  const refused: [unknown, new (message: string) => Error, string][] = [
    [
      { a: "../model.safetensors" },
      SyntaxError,
      "must be in a .safetensors file of the same directory",
    ],
    [{ a: "/etc/passwd" }, SyntaxError, "must be in a .safetensors file of the same directory"],
    [{ a: 1 }, SyntaxError, "same directory"],
    [{}, SyntaxError, "names no tensor"],
    [[], SyntaxError, 'it must be an object with a "weight_map"'],
    [{ a: "model-00009-of-00009.safetensors" }, Deno.errors.NotFound, "there is no such file"],
  ];
  for (const [map, type, message] of refused) {
    temporary.file("model.safetensors.index.json", index(map));
    await assertRejects(() => openSafetensors(path), type, message);
  }
  // What no file holds matters when it is read: indexes of tied models name a head.
  temporary.file("model.safetensors.index.json", index({ c: "model-00001-of-00002.safetensors" }));
  using model = await openSafetensors(path);
  assertThrows(() => model.info("c"), SyntaxError, 'tensor "c" should be in');
});

Deno.test("openSafetensors() gives a model or a SyntaxError on any mutation of a file", async () => {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.safetensors");
  await writeSafetensors(path, [
    { name: "a", shape: [2, 3], data: new Float32Array(6), dtype: "F16" },
    { name: "b", shape: [4], data: new Float32Array(4) },
    { name: "c", shape: [], data: new Float32Array(1), dtype: "BF16" },
  ], { metadata: { format: "pt" } });
  const sound = await Deno.readFile(path);

  const change = fc.oneof(
    // one byte, mostly in the header
    fc.record({ at: fc.nat(sound.length - 1), byte: fc.nat(255) })
      .map(({ at, byte }) => (file: Uint8Array) => {
        if (at < file.length) file[at] = byte;
        return file;
      }),
    // a digit becomes another, or a quote, brace or comma: mostly still JSON
    fc.record({ at: fc.nat(400), text: fc.constantFrom(...'0123456789-.e"{}[],: ') })
      .map(({ at, text }) => (file: Uint8Array) => {
        const digits = [...file.keys()].filter((i) => file[i] >= 48 && file[i] <= 57);
        if (digits.length > 0) file[digits[at % digits.length]] = text.charCodeAt(0);
        return file;
      }),
    // a byte of the data
    fc.nat(30).map((at) => (file: Uint8Array) => {
      file[file.length - at]++;
      return file;
    }),
    fc.nat(sound.length).map((length) => (file: Uint8Array) => file.slice(0, length)),
    fc.uint8Array({ maxLength: 64 }).map((more) => (file: Uint8Array) => {
      const longer = new Uint8Array(file.length + more.length);
      longer.set(file);
      longer.set(more, file.length);
      return longer;
    }),
    fc.bigInt(0n, 2n ** 64n - 1n).map((length) => (file: Uint8Array) => {
      if (file.length >= 8) new DataView(file.buffer).setBigUint64(0, length, true);
      return file;
    }),
  );
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const file = changes.reduce<Uint8Array>((bytes, apply) => apply(bytes), sound.slice());
      await Deno.writeFile(path, file);
      let model: Safetensors;
      try {
        model = await openSafetensors(path);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        assert(error.message.includes(path) && !error.message.includes("\n"), error.message);
        return;
      }
      using _ = model;
      opened++;
      for (const { name, shape, dtype, byteOffsets: [start, end] } of model.tensors.values()) {
        assert(start >= 8 && end <= file.length);
        if (["F32", "F16", "BF16", "F64"].includes(dtype)) {
          assertEquals((await model.read(name)).length, shape.reduce((a, b) => a * b, 1));
        } else await model.readBytes(name);
      }
    }),
    { numRuns: 600, seed: 3 },
  );
  assert(opened > 20, `only ${opened} mutations could be opened: the test sees too little`);
});

Deno.test("openSafetensors() reads a header of a hundred thousand tensors in a moment", async () => {
  using temporary = new TemporaryDirectory();
  const members = Array.from(
    { length: 100_000 },
    (_, i) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
  );
  const path = temporary.file("model.safetensors", rawFile(`{${members.join(",")}}`, 100_000));
  using model = await openSafetensors(path);
  assertEquals(model.tensors.size, 100_000);
  assertThrows(() => model.info("absent"), RangeError);
});

Deno.test("read() reaches beyond 4 GiB", async () => {
  using temporary = new TemporaryDirectory();
  const large = 5 * 2 ** 30;
  const bytes = rawFile({ large: entry("U8", [large], 0, large), w: f32(large, large + 8) });
  const path = temporary.file("model.safetensors", bytes);
  const size = bytes.length + large + 8;
  await Deno.truncate(path, size); // a file of holes: it takes no space
  using file = await Deno.open(path, { write: true });
  await file.seek(size - 8, Deno.SeekMode.Start);
  await file.write(new Uint8Array(Float32Array.of(1.5, -2).buffer));
  using model = await openSafetensors(path);
  assertEquals([...await model.read("w")], [1.5, -2]);
});
