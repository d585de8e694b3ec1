import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseEntries } from "../../lib/dataset/entry.ts";
import { loadEntries } from "../../lib/dataset/load.ts";
import { recorded } from "../../lib/provenance.ts";

const GOOD = { instruction: "Add 1 and 2.", input: "", output: "3" };

Deno.test("parseEntries() reads entries, an absent input as none, and drops other fields", () => {
  const text = JSON.stringify([GOOD, { instruction: "a", output: "b", id: 7 }]);
  assertEquals(parseEntries("\uFEFF" + text), [GOOD, { instruction: "a", input: "", output: "b" }]);
});

Deno.test("loadEntries() knows the instructions that come with the library by name", async () => {
  const file = new URL("../../data/instructions/instruction-data.json", import.meta.url);
  const entries = await loadEntries("instructions");
  assertEquals(entries, parseEntries(await Deno.readTextFile(file)));
  assertEquals(entries.length, 1100);
  assertEquals(recorded().at(-1)?.source, "instructions");
});

Deno.test("parseEntries() names the entry and the field that are wrong", () => {
  const cases: [unknown, string][] = [
    [[GOOD, { ...GOOD, output: 3 }], 'entry 2 of 2: "output" must be a string, got a number'],
    [[{ input: "", output: "" }], 'entry 1 of 1: "instruction" is missing'],
    [[{ ...GOOD, input: null }], 'entry 1 of 1: "input" must be a string, got null'],
    [[GOOD, null], "entry 2 of 2: it must be an object, got null"],
    [["text"], "entry 1 of 1: it must be an object, got a string"],
    [[{ ...GOOD, output: ["3"] }], 'entry 1 of 1: "output" must be a string, got an array'],
    [{ data: [GOOD] }, "it must be an array of entries, got an object"],
    [7, "it must be an array of entries, got a number"],
    [[], "it holds no entries"],
  ];
  for (const [value, reason] of cases) {
    const error = assertThrows(() => parseEntries(JSON.stringify(value), "d.json"), TypeError);
    assertEquals(error.message, `Cannot read "d.json": ${reason}`);
  }
});

Deno.test("parseEntries() lists three faults and counts the rest", () => {
  const error = assertThrows(() => parseEntries(JSON.stringify(new Array(50).fill({}))), TypeError);
  assertEquals(
    error.message,
    'Cannot read "data": entry 1 of 50: "instruction" is missing; entry 2 of 50: "instruction" is ' +
      'missing; entry 3 of 50: "instruction" is missing; and 47 more',
  );
});

Deno.test("parseEntries() says where text is not JSON", () => {
  const error = assertThrows(() => parseEntries('[{"instruction": "a",}]', "d.json"), SyntaxError);
  assertEquals(error.message.startsWith('Cannot read "d.json" as JSON: '), true);
  assertEquals(error.message.includes("line 1 column 22"), true, error.message);
  const lines = `${JSON.stringify(GOOD)}\n${JSON.stringify(GOOD)}\n`;
  assertThrows(() => parseEntries(lines), SyntaxError, "it looks like JSON Lines");
  assertThrows(() => parseEntries(""), SyntaxError, "Unexpected end of JSON input");
});

Deno.test("loadEntries() reads a file, by path or URL, and records its hash", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify([GOOD]));
    assertEquals(await loadEntries(path), [GOOD]);
    assertEquals(await loadEntries(new URL(`file://${path}`)), [GOOD]);
    const bytes = await Deno.readFile(path);
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    assertEquals(recorded().at(-2), { kind: "data", source: path, sha256, entries: 1 });
    await Deno.writeFile(path, new Uint8Array([0x5b, 0xff, 0x5d]));
    await assertRejects(
      () => loadEntries(path),
      SyntaxError,
      `Cannot read "${path}": it is not UTF-8 text`,
    );
  } finally {
    await Deno.remove(path);
  }
  await assertRejects(
    () => loadEntries(path),
    Error,
    `Cannot read "${path}": there is no such file`,
  );
});

Deno.test("loadEntries() downloads, and says why where it cannot", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) =>
      new URL(request.url).pathname === "/data.json"
        ? Response.json([GOOD])
        : new Response("gone", { status: 404, statusText: "Not Found" }),
  );
  const base = `http://127.0.0.1:${server.addr.port}`;
  try {
    assertEquals(await loadEntries(`${base}/data.json`), [GOOD]);
    await assertRejects(
      () => loadEntries(`http://user:secret@127.0.0.1:${server.addr.port}/other.json`),
      Error,
      `Cannot download "${base}/other.json": the server answered 404 Not Found`,
    );
    const aborted = AbortSignal.abort(new DOMException("Stopped", "AbortError"));
    await assertRejects(
      () => loadEntries(`${base}/data.json`, { signal: aborted }),
      DOMException,
      "Stopped",
    );
  } finally {
    await server.shutdown();
  }
  const error = await assertRejects(() => loadEntries(`${base}/data.json`), Error);
  assertEquals(error.message.startsWith(`Cannot download "${base}/data.json": `), true);
});
