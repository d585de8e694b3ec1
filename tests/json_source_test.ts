// JSON whose numbers keep how they were written: what Python's json reads from both texts is held in tests/text/jinja/jinja_test.ts.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { loadDataset, writeDataset } from "../lib/dataset/mod.ts";
import { parseJson, stringifyJson, writtenKeys, writtenNumber } from "../lib/json_source.ts";

Deno.test("parseJson() gives the values of JSON.parse(), and stringifyJson() the numbers as written", () => {
  const text = '{"a":10.0,"b":[1E5,2,-0.0,1e999],"c":{"d":9007199254740993,"e":0.1},"f":"1.0"}';
  const value = parseJson(text) as { a: number; b: number[]; c: { d: number } };
  assertEquals(value, JSON.parse(text));
  assertEquals(value.a + 1, 11);
  assertEquals(stringifyJson(value), text);
  assertEquals(
    stringifyJson({ ...value.c, n: 10n ** 20n }),
    '{"d":9007199254740992,"e":0.1,"n":100000000000000000000}',
  );
  assertEquals(writtenNumber(value, "a"), "10.0");
  assertEquals(writtenNumber(value.b, 0), "1E5");
  assertEquals(writtenNumber(value.b, 1), undefined);
});

Deno.test("a number that was set after reading is written as it is now", () => {
  const value = parseJson('{"a": 10.0, "b": [3.0]}') as { a: number; b: number[] };
  value.a = 4;
  value.b.unshift(5);
  assertEquals(writtenNumber(value, "a"), undefined);
  assertEquals(stringifyJson(value), '{"a":4,"b":[5,3]}');
});

Deno.test("parseJson() and stringifyJson() keep the order of keys that JavaScript takes for indices", () => {
  const text = '{"b":1,"2":{"z":1.0,"1":[{"k":0,"0":9007199254740993}]},"1":"\\"5\\":"}';
  const value = parseJson(text) as Record<string, unknown>;
  assertEquals(value, JSON.parse(text));
  assertEquals(stringifyJson(value), text);
  assertEquals(JSON.parse(stringifyJson(value, 2)), value);
  value["0"] = 3;
  delete value.b;
  assertEquals(writtenKeys(value), ["2", "1", "0"]);
});

Deno.test("parseJson() revives as JSON.parse() does", () => {
  const revive = (key: string, value: unknown) => key === "a" ? `${value}!` : value;
  for (const text of ['{"a":1,"b":[2]}', '{"a":1.0,"b":[2.0]}']) {
    assertEquals(parseJson(text, revive), JSON.parse(text, revive));
  }
});

const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("1", "2.0", "1e5", "-0.0", "1E999", "9007199254740993", "null", '"\\"1\\":"'),
    fc.array(tie("json"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
    fc.uniqueArray(fc.tuple(fc.constantFrom("1", "0", "10", "a", "b", "-1", ""), tie("json")), {
      selector: ([key]) => key,
    }).map((pairs) => `{${pairs.map(([key, item]) => `"${key}":${item}`).join(",")}}`),
  ),
}));

Deno.test("parseJson() reads what JSON.parse() reads, and stringifyJson() writes the same text again", () => {
  // a number that nothing holds has no place for a note
  fc.assert(fc.property(json.map((each) => `[${each}]`), (text) => {
    assertEquals(parseJson(text), JSON.parse(text));
    assertEquals(stringifyJson(parseJson(text)), text);
  }));
  fc.assert(fc.property(fc.json(), (text) => {
    assertEquals(parseJson(text), JSON.parse(text));
    assertEquals(JSON.parse(stringifyJson(parseJson(text), 2)), JSON.parse(text));
  }));
});

Deno.test("writeDataset() writes the numbers of calls as they were read", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-json-" });
  try {
    const call = '{"name":"f","arguments":{"a":10.0,"b":[1e5,9007199254740993]}}';
    const line =
      `{"messages":[{"role":"user","content":"Go."},{"role":"assistant","content":"","tool_calls":[${call}]}]}\n`;
    await Deno.writeTextFile(`${folder}/a.jsonl`, line);
    let from = "a.jsonl";
    for (const to of ["b.json", "c.csv", "d.jsonl"]) {
      await writeDataset(`${folder}/${to}`, await loadDataset(`${folder}/${from}`));
      from = to;
    }
    assertEquals(await Deno.readTextFile(`${folder}/d.jsonl`), line);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
