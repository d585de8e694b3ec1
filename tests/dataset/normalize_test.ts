// normalizeText() changes what a step is about, and nothing else; a second time, nothing.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Normalization, NORMALIZATIONS, normalizeText } from "../../lib/dataset/normalize.ts";

const cases: Record<Normalization, [text: string, expected: string][]> = {
  unicode: [
    ["caf\u0065\u0301\u200B\uFEFF", "café"],
    ["a\u00A0b\u2009c", "a b c"],
    ["\u202Eabc\u0007", "abc"],
    ["👩\u200D🚀 نمی\u200Cدانم", "👩\u200D🚀 نمی\u200Cدانم"], // joiners that mean something
  ],
  punctuation: [
    ["“Yes”, he said… it’s a non‑issue !!", '"Yes", he said... it\'s a non-issue!'],
    ["Is it 5 , or 6 ?", "Is it 5, or 6?"],
    ["3 .5 and .NET ... x", "3 .5 and .NET ... x"],
  ],
  whitespace: [
    ["a  b \r\n\r\n\r\n\r\n c\t\n", "a b\n\n c"],
    ["    x  =  1\n\ty  =  2", "    x  =  1\n\ty  =  2"],
  ],
  case: [
    ["WHERE IS MY PARCEL? I WANT IT.", "Where is my parcel? I want it."],
    ["where is it?", "Where is it?"],
    ["NASA and ESA", "NASA and ESA"],
    ["iPhone works", "iPhone works"],
    ["https://example.org is it", "https://example.org is it"],
  ],
  steps: [
    ["Step 1: open it. Step 2: close it.", "1. Open it.\n2. Close it."],
    ["To pay:\n(1) open it;\n(2) press Pay.", "To pay:\n1. Open it.\n2. Press Pay."],
    ["1) one\n2) two", "1. One\n2. Two"],
    ["- one\n* two\n", "1. One\n2. Two"],
    ["It is 3. 4 is more.", "It is 3. 4 is more."],
    ["1. one\n3. three", "1. one\n3. three"],
    ["- one\n- two\nThe end.", "- one\n- two\nThe end."],
    ["Version 1. 2 is out. Take 1) or 2) now", "Version 1. 2 is out. Take 1) or 2) now"],
  ],
};

for (const [step, rows] of Object.entries(cases)) {
  Deno.test(`normalizeText() ${step}`, () => {
    for (const [text, expected] of rows) {
      assertEquals(normalizeText(text, [step as Normalization]), expected);
    }
  });
}

Deno.test("normalizeText() leaves code between fences as it is", () => {
  const code = "```\nx  =  “1”  \n\n\n\n```";
  assertEquals(
    normalizeText(`Run  “this” :\n${code}\n\n\n\nand  wait`, NORMALIZATIONS),
    `Run "this":\n${code}\n\n\n\nand wait`,
  );
  assertEquals(normalizeText("```open  fence", ["whitespace"]), "```open  fence");
});

Deno.test("normalizeText() changes nothing the second time", () => {
  const piece = fc.constantFrom(
    ..."a|B| |  |\n|\t|.|,|!|?|“|’|…|1.|2)|Step 1:|- |```|\u00A0|\u200B|é|e\u0301|(|)".split("|"),
  );
  const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(""));
  for (const step of ["unicode", "whitespace"] as const) {
    fc.assert(fc.property(text, (one) => {
      const once = normalizeText(one, [step]);
      assertEquals(normalizeText(once, [step]), once);
    }));
  }
});
