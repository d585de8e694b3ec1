// A class with a codec, as a course may have.

import type { ValueCodec } from "../../lib/grade/standins/codec.ts";

export class Fraction {
  constructor(readonly over: number, readonly under: number) {}
}

export const codecs: ValueCodec[] = [{
  name: "fraction",
  test: (value) => value instanceof Fraction,
  encode: (value) => [(value as Fraction).over, (value as Fraction).under],
  decode(parts) {
    const [over, under] = Array.isArray(parts) ? parts : [];
    if (typeof over !== "number" || typeof under !== "number") {
      throw new TypeError("not a fraction");
    }
    return new Fraction(over, under);
  },
}];
