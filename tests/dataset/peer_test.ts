// Odd data files as Python's libraries read them: numbers as text and in calls of tools, bytes, tables by hand.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { openFile } from "../../lib/dataset/files/open.ts";
import { readRows } from "../../lib/dataset/files/rows.ts";
import { type ChatEntry, type InstructionEntry, loadDataset } from "../../lib/dataset/mod.ts";
import { writeDataset } from "../../lib/dataset/write.ts";
import { ChatTemplate } from "../../lib/text/mod.ts";
import { findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const python = findPython("pandas", "pyarrow");
const script = fromFileUrl(import.meta.resolve("./peer.py"));

/** Tables as people and their programs write them. */
const TABLES: Record<string, string> = {
  "returns.csv": "a,b\r1,2\r3,4\r",
  "blank.csv": "\r\n\na,b\r\n\r\n1,2\n\n",
  "quotes.csv": 'a,b\n5" disk,Say "hi" now\n"a ""b""",""\n',
  "quotes.tsv": 'a\tb\nHe said "no"\t"it\'s\t""so"""\n',
  "comma.tsv": "a\tb, if any\n1, 2\t3\n",
  "unnamed.csv": "a,,b,,\n1,,2,,\n3,x,4,,y\n",
  "lines.csv": 'a,b\n"1\r\n2","3\r4"\n',
};

interface Peer {
  numbers: string[];
  floats: string[];
  calls: string[];
  tables: Record<string, unknown[]>;
}

Deno.test({
  name: `loadDataset() reads odd files as Python does${python.needs}`,
  ignore: !python.found,
  async fn(context) {
    using folder = new TemporaryDirectory();
    for (const [name, text] of Object.entries(TABLES)) {
      await Deno.writeTextFile(folder.file(name), text);
    }
    const peer: Peer = JSON.parse(await python.run(script, folder.path));
    const rowsOf = async (name: string) =>
      await Array.fromAsync(readRows(await openFile(folder.file(name))));
    const outputs = async (name: string) =>
      (await loadDataset(folder.file(name)) as InstructionEntry[]).map(({ output }) => output);
    await context.step("tables", async () => {
      assertEquals(Object.keys(peer.tables).length, Object.keys(TABLES).length);
      for (const [name, rows] of Object.entries(peer.tables)) {
        assertEquals(await rowsOf(name), rows, name);
      }
    });
    await context.step("numbers that are learnt", async () => {
      assertEquals(await outputs("numbers.json"), peer.numbers);
      assertEquals(await outputs("numbers.parquet"), peer.floats);
    });
    await context.step("numbers in calls of tools", async () => {
      const template = new ChatTemplate(
        "{{ messages[1].tool_calls[0].function.arguments | tojson }}",
        { name: "calls" },
      );
      const written = (entries: unknown[]) =>
        (entries as ChatEntry[]).map(({ messages }) => template.render(messages));
      for (const name of ["calls.json", "calls.parquet"]) {
        const entries = await loadDataset(folder.file(name));
        assertEquals(written(entries), peer.calls);
        for (const ending of [".json", ".jsonl", ".csv"]) {
          const again = folder.file(`again${ending}`);
          await writeDataset(again, entries);
          assertEquals(written(await loadDataset(again)), peer.calls, ending);
        }
      }
    });
    await context.step("bytes that are not text, and marks in texts", async () => {
      const [first, second] = await rowsOf("texts.parquet") as Record<string, unknown>[];
      assertEquals(first, { marked: "\ufeffa", bytes: "café" });
      assertEquals(second, { marked: "b\ufeff", bytes: Uint8Array.of(0x63, 0x61, 0x66, 0xe9) });
    });
  },
});

Deno.test("loadDataset() names what is not a data file, and what to do", async () => {
  using folder = new TemporaryDirectory();
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
  const tar = new Uint8Array(600);
  tar.set(new TextEncoder().encode("a.json"));
  tar.set(new TextEncoder().encode("ustar"), 257);
  const zipped = new Blob(['{"text": "a"}']).stream()
    .pipeThrough(new CompressionStream("gzip")).pipeThrough(new CompressionStream("gzip"));
  const cases: [string, string | Uint8Array, string][] = [
    ["a.jsonl", pointer, 'it is a pointer of Git LFS, not the file itself; "git lfs pull" in its'],
    ["a.csv", pointer, "it is a pointer of Git LFS"],
    ["a.parquet", pointer, "it is a pointer of Git LFS"],
    ["a.tar", tar, "it is a tar archive, expected JSON"],
    ["a.json.gz", await new Response(zipped).bytes(), "it is compressed by gzip twice"],
    ["a.arrow", "ARROW1\0\0", "it is an Arrow file, as Dataset.save_to_disk() writes"],
    ["a.db", "SQLite format 3\0", "it is an SQLite database"],
    ["a.html", "<!DOCTYPE html><title>404</title>", "it is an HTML page"],
    ["a.json", '[{"text": NaN}]', "Python writes NaN where a value is missing, expected null"],
    ["a", "text\na\n", 'is read from a file whose name ends with ".csv" or ".tsv"'],
  ];
  for (const [name, content, reason] of cases) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(folder.file(name), bytes);
    const { message } = await assertRejects(() => loadDataset(folder.file(name)), Error);
    assert(message.startsWith(`Cannot read "${folder.file(name)}"`), message);
    assert(message.includes(reason), message);
  }
});

Deno.test("loadDataset() reads JSON and what a browser unpacked by what they are, not by name", async () => {
  using folder = new TemporaryDirectory();
  for (
    const [name, text] of [
      ["a.csv", '{"text": "a"}\n'],
      ["b.csv", '[\n {"text": "a"}]'],
      ["c.csv.gz", "text\na\n"],
      ["d.jsonl.gz", '{"text": "a"}\n'],
    ] as const
  ) {
    await Deno.writeTextFile(folder.file(name), text);
    assertEquals(await loadDataset(folder.file(name)), [{ text: "a" }], name);
  }
});
