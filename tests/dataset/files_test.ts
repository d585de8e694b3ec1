// Data sets in the kinds of files that people have, held to what pandas reads from them.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { fromFileUrl } from "@std/path";
import { openFile } from "../../lib/dataset/files/open.ts";
import { parquetRows } from "../../lib/dataset/files/parquet.ts";
import { readRows } from "../../lib/dataset/files/rows.ts";
import { splitsOf } from "../../lib/dataset/files/splits.ts";
import { loadDataset, loadEntries } from "../../lib/dataset/load.ts";
import type { DatasetEntry } from "../../lib/dataset/mod.ts";
import { writeDataset, WRITTEN_ENDINGS } from "../../lib/dataset/write.ts";
import golden from "../golden/data_files.json" with { type: "json" };
import { recorded } from "../../lib/provenance.ts";
import { HubError } from "../../lib/weights/mod.ts";
import { COMMIT, FakeHub } from "../weights/hub/fake_hub.ts";
import { findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const path = (name: string) =>
  fromFileUrl(new URL(`../golden/data_files/${name}`, import.meta.url));
const rowsOf = async (name: string) => await Array.fromAsync(readRows(await openFile(path(name))));

const WHOLE = [
  ...["plain", "snappy", "gzip", "brotli", "zstd", "lz4"].map((name) => `${name}.parquet`),
  ...["records.json", "lines.jsonl", "lines.jsonl.gz"],
];
for (const name of WHOLE) {
  Deno.test(`readRows() reads ${name} as pandas does`, async () => {
    assertEquals(await rowsOf(name), golden.rows);
  });
}

for (const [name, rows] of Object.entries(golden.csv)) {
  Deno.test(`readRows() reads ${name} as pandas does, all columns as text`, async () => {
    assertEquals(await rowsOf(name), rows as unknown[]);
  });
}

Deno.test("readRows() reads CSV in gzip", async () => {
  assertEquals(await rowsOf("table.csv.gz"), golden.csv["table.csv"] as unknown[]);
});

Deno.test("loadDataset() gives the same entries from every kind of file", async () => {
  const entries = golden.rows.map(({ input, ...row }) => ({ ...row, input: input ?? "" }));
  for (const name of WHOLE) assertEquals(await loadDataset(path(name)), entries as unknown[], name);
  const ids = entries.map((entry) => ({ ...entry, id: `${entry.id}` }));
  for (const name of ["table.csv", "table.tsv", "semicolons.csv", "table.csv.gz"]) {
    assertEquals(await loadDataset(path(name)), ids as unknown[], name);
  }
  // pandas' row numbers are a column that is not understood.
  await assertRejects(
    () => loadDataset(path("index.csv")),
    TypeError,
    'the field "Unnamed: 0" (6 of 6) would be lost',
  );
  const ignore = ["Unnamed: 0"];
  assertEquals(await loadDataset(path("index.csv"), { ignore }), ids as unknown[]);
});

Deno.test("loadDataset() reads conversations from Parquet, and rows of many groups in their order", async () => {
  const [first, second] = await loadDataset(path("chats.parquet"));
  assertEquals(first, {
    messages: [
      { role: "user", content: "Is it warm?" },
      { role: "assistant", content: "Where?", weight: 0 },
      { role: "user", content: "In Oslo." },
      { role: "assistant", content: "No.", weight: 1 },
    ],
  });
  assertEquals(second, {
    messages: [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }],
  });
  const many = await loadEntries(path("many.parquet"));
  assertEquals(
    many,
    Array.from(
      { length: 9000 },
      (_, i) => ({ instruction: `Say ${i}.`, input: "", output: `${i}` }),
    ),
  );
});

Deno.test("parquetRows() reads one row group after the other, when its rows are asked for", async () => {
  const bytes = await Deno.readFile(path("many.parquet"));
  const asked: number[] = [];
  const file = {
    byteLength: bytes.length,
    slice(start: number, end = bytes.length) {
      if (start < 0) start += bytes.length;
      asked.push(end - start);
      return bytes.buffer.slice(start, end);
    },
  };
  const sum = () => asked.reduce((total, length) => total + length, 0);
  const rows = parquetRows(file, "many.parquet");
  const before: number[] = [];
  for (let i = 0; !(await rows.next()).done; i++) if (i % 2000 === 0) before.push(sum());
  assertEquals(before.length, 5);
  for (let i = 1; i < 5; i++) assert(before[i] > before[i - 1], `group ${i} was read before`);
  assert(sum() < 3 * bytes.length, "nothing is read again and again");
});

Deno.test("loadDataset() says what is wrong with a file", async () => {
  using folder = new TemporaryDirectory();
  const write = async (name: string, contents: string | Uint8Array) => {
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    await Deno.writeFile(folder.file(name), bytes);
    return folder.file(name);
  };
  const parquet = await Deno.readFile(path("snappy.parquet"));
  const gzip = await Deno.readFile(path("table.csv.gz"));
  const cases: [string, string | Uint8Array, string][] = [
    ["cut.parquet", parquet.slice(0, 900), "as Parquet: "],
    ["cut.csv.gz", gzip.slice(0, 60), "as gzip: "],
    ["odd.csv", "instruction,output\na,b\nc\n", "as CSV: row 3 has 1 columns and the first line 2"],
    ["open.csv", 'instruction,output\n"a,b\n', "as CSV: "],
    ["twice.csv", "output,output\na,b\n", 'as CSV: it has two columns "output"'],
    ["none.csv", "instruction,output\n", "it holds no entries"],
    ["empty.csv", "", "it holds no entries"],
    ["empty.json", " \n", "it holds no entries"],
    [
      "emoji.jsonl",
      '{"text": "\\ud83d\\ude00"}\n{"text": "\\ud83d"}',
      'as JSON Lines: line 2: "text" has half of a surrogate pair, ',
    ],
    ["empty.jsonl", "", "it holds no entries"],
    ["more.csv.gz", concat([gzip, new Uint8Array([1, 2, 3])]), "as gzip: "],
    ["sum.csv.gz", gzip.with(-8, gzip.at(-8)! ^ 1), "as gzip: "],
    ["book.xlsx", new Uint8Array([0x50, 0x4b, 3, 4, 0]), "it is a ZIP archive, "],
    [
      "rows.jsonl.zst",
      new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0]),
      "it is compressed by Zstandard",
    ],
    [
      "field.json",
      '[{"output":"a","output":"b"}]',
      'as JSON: An object has the field "output" twice',
    ],
    [
      "field.jsonl",
      '{}\n{"\\u0061":"a","a":"b"}',
      'as JSON Lines: line 2: An object has the field "a" twice',
    ],
    ["wide.jsonl", new Uint8Array([0xff, 0xfe, 0x7b, 0]), "it is UTF-16 text, expected UTF-8"],
    ["latin.csv", new Uint8Array([0x61, 0xe9, 0x0a]), "it is not UTF-8 text"],
    ["line.jsonl", '{"text": "a"}\n\n{"text": \n', "as JSON Lines: line 3: "],
    ["table.jsonl", "instruction,output\na,b\n", "as JSON: "],
  ];
  for (const [name, contents, reason] of cases) {
    const file = await write(name, contents);
    const error = await assertRejects(() => loadDataset(file), Error);
    const expected = `Cannot read "${file}"${reason.startsWith("as ") ? " " : ": "}${reason}`;
    assertEquals(error.message.slice(0, expected.length), expected);
  }
  await assertRejects(() => loadDataset(folder.path), Error, "it is a directory");
});

Deno.test("loadDataset() reads all members of a gzip file, as cat and bgzip make them", async () => {
  using folder = new TemporaryDirectory();
  const zip = async (text: string) =>
    await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")))
      .bytes();
  const members = [await zip('{"text": "a"}\n{"te'), await zip(""), await zip('xt": "b"}\n')];
  await Deno.writeFile(folder.file("rows.jsonl.gz"), concat(members));
  assertEquals(await loadDataset(folder.file("rows.jsonl.gz")), [{ text: "a" }, { text: "b" }]);
});

Deno.test("loadDataset() reads JSON Lines however its bytes arrive", async () => {
  const text = '\uFEFF\n{"text": "é"}\r\n\n{"text": "b\\nc"}';
  const bytes = new TextEncoder().encode(text);
  let size = 1;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () =>
      new Response(
        ReadableStream.from(
          Array.from(
            { length: Math.ceil(bytes.length / size) },
            (_, i) => bytes.slice(i * size, (i + 1) * size),
          ),
        ),
      ),
  );
  try {
    for (size of [1, 2, 3, 7, 1000]) {
      assertEquals(await loadDataset(`http://127.0.0.1:${server.addr.port}/data.jsonl`), [
        { text: "é" },
        { text: "b\nc" },
      ]);
    }
  } finally {
    await server.shutdown();
  }
});

const CHATS: DatasetEntry[] = [
  { instruction: "a, b", input: '"c"\r\n', output: " d\n", topic: "letters", weight: 0.5 },
  {
    messages: [
      { role: "system", content: "s" },
      { role: "user", content: "q" },
      { role: "assistant", content: "r" },
      { role: "user", content: "é" },
      { role: "assistant", content: "🦊" },
    ],
  },
];

Deno.test("writeDataset() writes files that loadDataset() reads as the same entries", async () => {
  using folder = new TemporaryDirectory();
  const tools = [{ type: "function", function: { name: "f" } }];
  const called = { role: "assistant", content: "", tool_calls: [{ function: { name: "f" } }] };
  const entries: DatasetEntry[] = [
    ...CHATS,
    { messages: [{ role: "user", content: "a" }, { ...called, weight: 0 }], tools },
    { text: "Once\tupon" },
  ];
  for (const ending of WRITTEN_ENDINGS) {
    const path = folder.file(`data${ending}`);
    await writeDataset(path, entries);
    assertEquals(await loadDataset(path), entries, ending);
  }
  await assertRejects(() => writeDataset("data.parquet", entries), RangeError, 'ends with ".json"');
});

Deno.test("writeDataset() writes all entries in one form, or says which cannot be", async () => {
  using folder = new TemporaryDirectory();
  const path = folder.file("data.jsonl");
  await writeDataset(path, CHATS, { form: "alpaca" });
  const [first, second] = (await Deno.readTextFile(path)).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(first, CHATS[0]);
  assertEquals(second, {
    ...{ instruction: "é", input: "", output: "🦊" },
    ...{ system: "s", history: [["q", "r"]] },
  });
  assertEquals(await loadDataset(path), CHATS);
  await writeDataset(path, CHATS, { form: "chat" });
  assertEquals((await loadDataset(path))[0], {
    messages: [
      { role: "user", content: 'a, b\n\n"c"\r\n' },
      { role: "assistant", content: " d\n" },
    ],
    ...{ topic: "letters", weight: 0.5 },
  });
  const refused: [DatasetEntry, string][] = [
    [{ text: "a" }, "a text has no instruction"],
    [{ messages: [{ role: "user", content: "a" }] }, "its messages are not a user's and an"],
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "assistant", content: "b", weight: 0 },
        ],
      },
      '"weight" of a message has no field there',
    ],
  ];
  for (const [entry, reason] of refused) {
    await assertRejects(
      () => writeDataset(path, [...CHATS, entry], { form: "alpaca" }),
      TypeError,
      `Cannot write entry 3 of 3 in the form "alpaca": ${reason}`,
    );
  }
});

const python = findPython("pandas", "pyarrow");
Deno.test({
  name: `pandas reads what writeDataset() wrote${python.needs}`,
  ignore: !python.found,
  async fn() {
    using folder = new TemporaryDirectory();
    const rows = golden.rows.map(({ input, ...row }) => ({ ...row, input: input ?? "" }));
    for (const ending of WRITTEN_ENDINGS) {
      await writeDataset(folder.file(`data${ending}`), rows as DatasetEntry[]);
    }
    const script = `
import json, sys
import pandas as pd
folder = sys.argv[1]
read = {}
for zip in ["", ".gz"]:
    read["json" + zip] = pd.read_json(f"{folder}/data.json{zip}", dtype=False)
    read["jsonl" + zip] = pd.read_json(f"{folder}/data.jsonl{zip}", lines=True, dtype=False)
    read["csv" + zip] = pd.read_csv(f"{folder}/data.csv{zip}", dtype=str, keep_default_na=False).astype({"id": int})
print(json.dumps({name: json.loads(table.to_json(orient="records")) for name, table in read.items()}))
`;
    const { code, stdout, stderr } = await new Deno.Command(python.path, {
      args: ["-c", script, folder.path],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const read = JSON.parse(new TextDecoder().decode(stdout));
    for (const name of Object.keys(read)) assertEquals(read[name], rows, name);
    assertEquals(Object.keys(read).length, 6);
  },
});

Deno.test("loadDataset() reads files of data sets on the hub, and keeps them in its tools' cache", async () => {
  using folder = new TemporaryDirectory();
  await using hub = new FakeHub();
  hub.repository = "datasets/owner/fruit";
  hub.files.set("data/train.jsonl", new TextEncoder().encode('{"text": "An apple."}\n'));
  hub.files.set("data/train.parquet", await Deno.readFile(path("many.parquet")));
  const before = ["HF_ENDPOINT", "HF_HUB_CACHE"].map((name) => [name, Deno.env.get(name)] as const);
  Deno.env.set("HF_ENDPOINT", hub.endpoint);
  Deno.env.set("HF_HUB_CACHE", folder.path);
  try {
    for (
      const source of [
        "hf:owner/fruit/data/train.jsonl",
        "hf:datasets/owner/fruit/data/train.jsonl@main",
        `hf://datasets/owner/fruit@${COMMIT}/data/train.jsonl`,
      ]
    ) assertEquals(await loadDataset(source), [{ text: "An apple." }]);
    assertEquals(hub.count("GET", /train\.jsonl/), 1);
    assertEquals((await loadDataset("hf:owner/fruit/data/train.parquet")).length, 9000);
    const cached = `datasets--owner--fruit/snapshots/${COMMIT}/data/train.jsonl`;
    assertEquals(await Deno.readTextFile(folder.file(cached)), '{"text": "An apple."}\n');
    assertEquals(recorded().at(-1)!.source, `hf:datasets/owner/fruit@${COMMIT}/data/train.parquet`);
    await assertRejects(
      () => loadDataset("hf:owner/fruit/test.jsonl"),
      HubError,
      "there is no such",
    );
    // The whole split; a README would say otherwise, and so would other kinds of files.
    await assertRejects(() => loadDataset("hf:owner/fruit"), RangeError, "files of several kinds");
    hub.files.delete("data/train.parquet");
    const lines = (...texts: string[]) =>
      new TextEncoder().encode(texts.map((text) => `{"text": "${text}"}\n`).join(""));
    hub.files.set("data/train-2.jsonl", lines("A pear."));
    hub.files.set("dataset_infos.json", lines("no row"));
    const [apple, pear] = [{ text: "An apple." }, { text: "A pear." }];
    assertEquals(await loadDataset("hf:owner/fruit"), [pear, apple], "in the order of names");
    const { source, files } = recorded().at(-1) as unknown as {
      source: string;
      files?: object[];
    };
    assertEquals([source, files?.length], [`hf:datasets/owner/fruit@${COMMIT}:train`, 2]);
    hub.files.set("test/rows.jsonl", lines("A plum."));
    assertEquals(await loadDataset("hf:owner/fruit@main:test"), [{ text: "A plum." }]);
    for (
      const [source, message] of [
        ["hf:owner/fruit", 'the splits "train", "test"; name one, as in "hf:owner/fruit:train"'],
        ["hf:owner/fruit:dev", 'no files of the split "dev", but of "train", "test"'],
      ]
    ) await assertRejects(() => loadDataset(source), RangeError, message);
    await assertRejects(() => loadDataset("hf:owner/fruit@v9:test"), HubError, "no such revision");
    await assertRejects(() => loadDataset("hf:owner/none"), HubError, "no such repository");
    hub.files.set(
      "README.md",
      new TextEncoder().encode(
        "---\nconfigs:\n- config_name: all\n  data_files:\n  - split: ripe\n    path: data/*.jsonl\n---\n# Fruit\n",
      ),
    );
    assertEquals(await loadDataset("hf:owner/fruit"), [pear, apple]);
    assertEquals(recorded().at(-1)!.source, `hf:datasets/owner/fruit@${COMMIT}:ripe`);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});

Deno.test("splitsOf() finds splits by words in names, and by a README's configurations", () => {
  assertEquals(splitsOf(["b.csv", "a.csv", "README.md", ".github/x.json"]), {
    train: ["a.csv", "b.csv"],
  });
  assertEquals(
    splitsOf([
      "data/train-00000-of-00001.parquet",
      "data/my_dev_set.parquet",
      "testing/a.parquet",
      "trainer.parquet",
    ]),
    {
      train: ["data/train-00000-of-00001.parquet"],
      validation: ["data/my_dev_set.parquet"],
      test: ["testing/a.parquet"],
    },
  );
  assertEquals(splitsOf(["model.bin"]), {});
  const readme = (configs: string) => `---\nlicense: mit\nconfigs:\n${configs}---\nText.\n`;
  const files = ["a/x.csv", "a/y.csv", "b/x.csv"];
  const two = (more: string) =>
    `- config_name: a\n  data_files: a/*.csv\n- config_name: b\n${more}  data_files:\n  - {split: best, path: [b/x.csv]}\n`;
  assertEquals(splitsOf(files, readme(two("  default: true\n"))), { best: ["b/x.csv"] });
  assertThrows(() => splitsOf(files, readme(two(""))), RangeError, 'configurations "a", "b"');
  assertEquals(splitsOf(files, "---\nlicense: mit\n---\n"), { train: files });
  assertThrows(() => splitsOf(files, readme("- [\n")), SyntaxError, "front matter");
});
