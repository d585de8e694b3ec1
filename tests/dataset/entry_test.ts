import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseEntries } from "../../lib/dataset/parse.ts";
import { loadEntries } from "../../lib/dataset/load.ts";
import { recorded } from "../../lib/provenance.ts";

const GOOD = { instruction: "Add 1 and 2.", input: "", output: "3" };

Deno.test("parseEntries() reads instructions, and refuses other entries", () => {
  const text = JSON.stringify([GOOD, { instruction: "a", output: "b" }]);
  assertEquals(parseEntries("\uFEFF" + text), [GOOD, { instruction: "a", input: "", output: "b" }]);
  assertThrows(
    () => parseEntries(JSON.stringify([GOOD, { text: "a" }]), "d.json"),
    TypeError,
    'Cannot read "d.json": entry 2 of 2 is a text, expected an instruction',
  );
});

Deno.test("loadEntries() knows the instructions that come with the library by name", async () => {
  const file = new URL("../../data/instructions/instruction-data.json", import.meta.url);
  const entries = await loadEntries("instructions");
  assertEquals(entries, parseEntries(await Deno.readTextFile(file)));
  assertEquals(entries.length, 1100);
  assertEquals(recorded().at(-1)?.source, "instructions");
});

Deno.test("parseEntries() reads an array, JSON Lines, and a single object", () => {
  const [first, second] = [GOOD, { ...GOOD, output: "4" }].map((entry) => JSON.stringify(entry));
  assertEquals(parseEntries(`\uFEFF${first}\r\n\r\n${second}\n`), [GOOD, { ...GOOD, output: "4" }]);
  assertEquals(parseEntries(first), [GOOD]);
  assertEquals(parseEntries(JSON.stringify(GOOD, null, 2)), [GOOD]);
});

Deno.test("parseEntries() says what text is that holds no entries", () => {
  const cases: [string, string][] = [
    ['{"data": [{"output": "3"}]}', 'entry 1 of 1: its fields are "data", expected those of a'],
    ['{"instruction": {"0": "a"}}', 'entry 1 of 1: "instruction" must be a string, got an object'],
    ["7", "it must be an array of entries, got a number"],
    ["[]", "it holds no entries"],
    ["", "it holds no entries"],
  ];
  for (const [text, reason] of cases) {
    assertThrows(() => parseEntries(text, "d.json"), TypeError, `Cannot read "d.json": ${reason}`);
  }
});

Deno.test("parseEntries() says where text is not JSON", () => {
  const error = assertThrows(() => parseEntries('[{"instruction": "a",}]', "d.json"), SyntaxError);
  assertEquals(error.message.startsWith('Cannot read "d.json" as JSON: '), true);
  assertEquals(error.message.includes("line 1 column 22"), true, error.message);
  const lines = `${JSON.stringify(GOOD)}\n\n{"instruction": "a",}\n`;
  assertThrows(
    () => parseEntries(lines, "d.jsonl"),
    SyntaxError,
    'Cannot read "d.jsonl" as JSON Lines: line 3: Expected double-quoted property name',
  );
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
