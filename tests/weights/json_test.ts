import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseStrictJson } from "../../lib/weights/json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("parseStrictJson() agrees with JSON.parse on any JSON value", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    assertEquals(parseStrictJson(bytes(text), "test"), JSON.parse(text));
  }));
});

Deno.test("parseStrictJson() refuses repeated keys at any depth, however they are escaped", () => {
  for (
    const [text, key] of [
      [`{"a":1,"a":1}`, "a"],
      [`{"a":{"b":1 , "b" :2}}`, "b"],
      [`[{"a":1},{"é":"é","\\u00e9":2}]`, "é"],
      [`{"\\"":1,"x":"\\"","\\"":2}`, '\\"'],
    ]
  ) {
    assertThrows(
      () => parseStrictJson(bytes(text), "test"),
      SyntaxError,
      `Cannot read the test: it holds the key "${key}" twice`,
    );
  }
  for (const text of [`{"a":"a","b":{"a":1},"c":[{"a":1},{"a":1}]}`, `{"a":"{\\"a\\":1,"}`]) {
    assertEquals(parseStrictJson(bytes(text), "test"), JSON.parse(text));
  }
});

Deno.test("parseStrictJson() refuses invalid UTF-8 and invalid JSON with one sentence", () => {
  assertThrows(
    () => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), "test"),
    SyntaxError,
    "Cannot read the test: it is not valid UTF-8",
  );
  const error = assertThrows(() => parseStrictJson(bytes(`{"a":\n\n1`), "test"), SyntaxError);
  assertEquals(error.message.includes("\n"), false);
});
