// tunebook data split writes the parts, and says what leaks from one into another; training takes the same options.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { tunebook } from "./tunebook.ts";

/** 40 entries of two topics; each answer is that of two prompts. */
const ENTRIES = Array.from({ length: 40 }, (_, i) => ({
  instruction: `Question w${i} x${i} y${i}`,
  input: "",
  output: `Answer a${i >> 1} b${i >> 1} c${i >> 1}`,
  topic: i % 4 < 2 ? "orders" : "returns",
}));

async function withFolder(use: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/data.json`, JSON.stringify(ENTRIES));
    await use((name) => `${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const read = async (path: string) => JSON.parse(await Deno.readTextFile(path));

Deno.test("tunebook data split writes stratified parts that share no completion", async () => {
  await withFolder(async (path) => {
    const args = [
      "data",
      "split",
      path("data.json"),
      "--out",
      path("parts"),
      "--split",
      "0.5,0.3,0.2",
    ];
    const { code, stdout, stderr } = await tunebook([
      ...args,
      ...["--stratify", "topic", "--group", "completion", "--report", path("report.json")],
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `40 entries: 20 train, 12 test, 8 validation; written to`);
    assertStringIncludes(stdout, "  orders: 10 train, 6 test, 4 validation\n");
    assertStringIncludes(stdout, "No leaks");
    const [train, test, validation] = await Promise.all(
      ["train", "test", "validation"].map((part) => read(path(`parts/${part}.json`))),
    );
    const outputs = [train, test, validation].map((part: typeof ENTRIES) =>
      new Set(part.map(({ output }) => output)).size
    );
    assertEquals(outputs, [10, 6, 4]);
    const report = await read(path("report.json"));
    assertEquals(report.sizes, { train: 20, test: 12, validation: 8 });
    assertEquals(report.leaks, []);
  });
});

Deno.test("tunebook data split lists leaks, and takes slices of the file where asked", async () => {
  await withFolder(async (path) => {
    const twice = [...ENTRIES.slice(0, 5), ...ENTRIES.slice(0, 5)];
    await Deno.writeTextFile(path("twice.json"), JSON.stringify(twice));
    const args = ["data", "split", path("twice.json"), "--out", path("parts"), "--type", "jsonl"];
    const { code, stdout } = await tunebook([
      ...args,
      ...["--split", "0.5,0.5,0", "--split-order", "given", "--json"],
    ]);
    assertEquals(code, 0);
    const { leaks, files } = JSON.parse(stdout);
    assertEquals(leaks[0], {
      from: { entry: 1, part: "train" },
      to: { entry: 1, part: "test" },
      similarity: 1,
    });
    assertEquals(leaks.length, 5);
    assertEquals(Object.keys(files), ["train", "test"]);
    const lines = (await Deno.readTextFile(path("parts/train.jsonl"))).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line)), twice.slice(0, 5));
  });
});

Deno.test("tunebook plan takes separate files for parts, and refuses a share of a part that has one", async () => {
  await withFolder(async (path) => {
    await Deno.writeTextFile(path("other.json"), JSON.stringify(ENTRIES.slice(0, 3)));
    const plan = ["plan", "--model", "nano", "--data", path("data.json"), "--json"];
    const run = async (...args: string[]) => await tunebook([...plan, ...args]);
    const [one, twice, given] = await Promise.all([
      run("--test", path("other.json")),
      run("--test", path("other.json"), "--split", "0.8,0.1,0.1"),
      run("--split-order", "given", "--split-seed", "1"),
    ]);
    assertEquals(JSON.parse(one.stdout).examples, 38);
    assertStringIncludes(twice.stderr, 'Cannot split by "0.8,0.1,0.1" with --test');
    assertStringIncludes(given.stderr, 'Cannot split in the order "given" with "seed"');
  });
});
