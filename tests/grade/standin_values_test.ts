// Values between the student's process and the examiner: they come back as they were, and no text does harm.

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  decodeValue,
  encodeValue,
  type Reader,
  type Reference,
  VALUE_LIMITS,
  type ValueCodec,
  type Writer,
} from "../../lib/grade/standins/codec.ts";

class Point {
  constructor(readonly x: number, readonly y: number) {}
}

const point: ValueCodec = {
  name: "point",
  test: (value) => value instanceof Point,
  encode: (value) => [(value as Point).x, (value as Point).y],
  decode(parts) {
    const [x, y] = parts as number[];
    if (typeof x !== "number" || typeof y !== "number") throw new TypeError("not a point");
    return new Point(x, y);
  },
};

const writer: Writer = {
  codecs: [point],
  refer(thing) {
    throw new TypeError(`${typeof thing} cannot cross`);
  },
  classesOf: () => [],
};
const reader: Reader = {
  codecs: [point],
  resolve: (reference) => reference,
};
const copy = (value: unknown) => decodeValue(encodeValue(value, writer), reader);

Deno.test("values come back as they were", () => {
  const leaf = fc.oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
    }),
    fc.constantFrom(undefined, NaN, -0, Infinity, -Infinity, 2n ** 70n, /a.b/giu, new Date(NaN)),
    fc.string({ unit: "binary" }),
    fc.uint8Array().map((bytes) => new Uint8Array([0, ...bytes]).subarray(1)),
    fc.tuple(fc.double(), fc.double()).map(([x, y]) => new Point(x, y)),
  );
  fc.assert(fc.property(fc.array(leaf), (value) => {
    assertEquals(copy(value), value);
  }));
});

Deno.test("signs, kinds and shared parts survive", () => {
  assert(Object.is(copy(-0), -0));
  const shared = { a: 1 };
  const [first, second] = copy([shared, shared]) as unknown[];
  assertStrictEquals(first, second);
  const ring: { self?: unknown } = {};
  ring.self = ring;
  const back = copy(ring) as typeof ring;
  assertStrictEquals(back.self, back);
  const big = new Float32Array(1000);
  const part = copy(big.subarray(3, 5)) as Float32Array;
  assertEquals(part.buffer.byteLength, 8);
});

Deno.test("errors keep their class, name, message and cause", () => {
  const error = copy(new RangeError("no", { cause: new TypeError("why") })) as RangeError;
  assert(error instanceof RangeError);
  assertEquals(error.message, "no");
  assert(error.cause instanceof TypeError);
  const own = copy(Object.assign(new Error("x"), { name: "Refused" })) as Error;
  assertEquals([own.name, own instanceof Error], ["Refused", true]);
  const all = copy(new AggregateError([new Error("a")], "b")) as AggregateError;
  assertEquals([all.message, all.errors.length], ["b", 1]);
});

Deno.test("what cannot cross is refused with its place", () => {
  assertThrows(() => copy({ a: [() => 1] }), TypeError, "function cannot cross");
  assertThrows(() => copy(Symbol()), TypeError);
  let deep: unknown = 1;
  for (let i = 0; i < 1e5; i++) deep = [deep];
  assertThrows(() => copy(deep), TypeError, "the value is nested too deep to be copied");
});

Deno.test("no text throws anything but a SyntaxError, or changes a prototype", () => {
  const node = fc.oneof(
    fc.integer({ min: -8, max: 12 }),
    fc.constantFrom(
      ...[
        "Map",
        "Set",
        "Date",
        "RegExp",
        "Uint8Array",
        "ArrayBuffer",
        "Error",
        "Reference",
        "Codec",
      ],
      ...["View", "null", "Object", "BigInt", "URL", "__proto__", "constructor", "point"],
    ),
    fc.string(),
    fc.constant(null),
  );
  const item = fc.oneof(
    node,
    fc.array(node),
    fc.dictionary(fc.constantFrom("a", "__proto__", "constructor", "name", "message", "id"), node),
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(item), item), (flat) => {
      try {
        decodeValue(JSON.stringify(flat), reader);
      } catch (error) {
        assert(error instanceof SyntaxError, String(error));
      }
      assertEquals(Object.keys(Object.prototype), []);
      assertEquals(({} as { polluted?: unknown }).polluted, undefined);
    }),
    { numRuns: 2000 },
  );
  for (const text of ["", "{", "[", "null", '"a"', '[{"__proto__":1},{"polluted":2},1]']) {
    assertThrows(() => decodeValue(text, reader), SyntaxError);
  }
});

Deno.test("sizes are bounded before anything is made", () => {
  const message = (text: string) =>
    assertThrows(() => decodeValue(text, reader), SyntaxError).message;
  const depth = VALUE_LIMITS.depth + 2;
  const chain = Array.from({ length: depth }, (_, i) => i + 1 < depth ? [i + 1] : 1);
  assertMatch(message(JSON.stringify(chain)), /nested deeper than 1000 levels/);
  assertMatch(message(JSON.stringify([[-7, 4e9]])), /a list has 4000000000 places/);
  assertMatch(message(`["${"x".repeat(VALUE_LIMITS.size)}"]`), /expected at most/);
  const forged: Reference = { id: 1, kind: "function", name: "x".repeat(1e5), classes: [] };
  const sent = [
    ["Reference", 1],
    { id: 2, kind: 3, name: 4, classes: 5 },
    1,
    forged.kind,
    forged.name,
    [],
  ];
  assertEquals((decodeValue(JSON.stringify(sent), reader) as Reference).name.length, 200);
});
