// What is read of hostile zips and folders: within limits, never elsewhere, and one bad entry does not void the rest.

import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { join } from "@std/path";
import { listArchive, openArchive } from "../../lib/grade/collect/archive.ts";
import { openFolder } from "../../lib/grade/collect/folder.ts";
import { quoted, safeFileName, splitPath } from "../../lib/grade/collect/names.ts";
import type { SourceFile } from "../../lib/grade/collect/source_file.ts";
import { type RawEntry, rawZip } from "./raw_zip.ts";

const LIMIT = 2 ** 20;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What each entry gives: its text, or why not. */
async function outcome(files: readonly SourceFile[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const result = file.fault ??
      await file.read(LIMIT).then(text, (error) => `error: ${error.message}`);
    found.push(`${file.path.join("/")}: ${result}`);
  }
  return found;
}

const zipped = async (entries: RawEntry[]) =>
  outcome(await listArchive(rawZip(entries), "x.zip", 100));

Deno.test("an honest zip is read, from memory and from a file", async () => {
  const entries = [{ name: "a.txt", data: "one" }, { name: "b/", mode: 0o040755 }, {
    name: "b/c.txt",
    data: "two",
  }];
  const expected = ["a.txt: one", "b/c.txt: two"];
  assertEquals(await zipped(entries), expected);
  const path = await Deno.makeTempFile({ suffix: ".zip" });
  try {
    await Deno.writeFile(path, rawZip(entries));
    await using archive = await openArchive(path, 100);
    assertEquals(await outcome(archive.files), expected);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("slips, links, devices and encrypted entries are refused, and the rest is read", async () => {
  assertEquals(
    await zipped([
      { name: "../../etc/cron.d/x", data: "x" },
      { name: "/etc/passwd", data: "x" },
      { name: "C:\\Windows\\x", data: "x" },
      { name: "a\\..\\..\\x", data: "x" },
      { name: "\\\\host\\share", data: "x" },
      { name: "a/.. /x", data: "x" },
      { name: "link", data: "/etc/passwd", mode: 0o120777 },
      { name: "pipe", mode: 0o010644 },
      { name: "disk", mode: 0o060644 },
      { name: "secret", data: "x".repeat(20), flags: 1 },
      { name: "windows\\good.txt", data: "good" },
      { name: "./also/./good.txt", data: "good" },
    ]),
    [
      "../../etc/cron.d/x: its path leads out of the folder",
      "etc/passwd: its path is absolute",
      "C:/Windows/x: its path is absolute",
      "a/../../x: its path leads out of the folder",
      "host/share: its path is absolute",
      "a/.. /x: its path leads out of the folder",
      "link: it is a symbolic link",
      "pipe: it is not a plain file",
      "disk: it is not a plain file",
      "secret: it is encrypted",
      "windows/good.txt: good",
      "also/good.txt: good",
    ],
  );
});

Deno.test("sizes that lie, wrong checksums and damaged data are errors of their entry alone", async () => {
  const data = new Uint8Array(300_000);
  const found = await zipped([
    { name: "says less", data, size: 10 },
    { name: "says more", data: "abc", size: 1000 },
    { name: "checksum", data: "abc", crc: 1 },
    { name: "damaged", data: "abc", packed: new Uint8Array([255, 255, 255]) },
    { name: "good", data: "good" },
  ]);
  assertEquals(found[0], "says less: error: it does not hold the 10 bytes that it declares");
  assertEquals(found.slice(1, 4).map((line) => line.includes(": error: ")), [true, true, true]);
  assertEquals(found[4], "good: good");
});

Deno.test("a bomb is stopped at the limit, declared or not", async () => {
  const data = new Uint8Array(20 * LIMIT);
  assertEquals(
    await zipped([
      { name: "declared", data },
      { name: "hidden", data, size: LIMIT },
      { name: "zip64", data: "x", size: 0xfffffffe },
    ]),
    [
      `declared: error: it holds more than ${LIMIT} bytes`,
      `hidden: error: it does not hold the ${LIMIT} bytes that it declares`,
      `zip64: error: it holds more than ${LIMIT} bytes`,
    ],
  );
});

Deno.test("entries that share their bytes are read once", async () => {
  const data = "kernel".repeat(100);
  const found = await zipped([
    { name: "first", data },
    ...Array.from({ length: 5 }, (_, i) => ({ name: `again${i}`, data, offset: 0 })),
  ]);
  assertEquals(found[0], `first: ${data}`);
  assertEquals(found.slice(1).map((line) => line.includes(": error: ")), Array(5).fill(true));
});

Deno.test("too many entries, and what is not a zip, are refused in words", async () => {
  const many = rawZip(Array.from({ length: 101 }, (_, i) => ({ name: `${i}` })));
  await assertRejects(
    () => listArchive(many, "x.zip", 100),
    RangeError,
    'Cannot open "x.zip": it has more than 100',
  );
  for (
    const bytes of [
      new Uint8Array(),
      new Uint8Array(1000),
      many.slice(0, -30),
      rawZip([], { count: 9 }).slice(0, 21),
    ]
  ) {
    await assertRejects(
      () => listArchive(bytes, "x.zip", 100),
      SyntaxError,
      'Cannot open "x.zip" as a zip',
    );
  }
});

Deno.test("whatever a zip holds, listing and reading end in values or errors", async () => {
  const entry = fc.record({
    name: fc.string({ unit: "binary", maxLength: 30 }),
    data: fc.string({ maxLength: 50 }),
  }, { requiredKeys: ["name"] });
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      async (entries, changes) => {
        const bytes = rawZip(entries);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        let files: SourceFile[];
        try {
          files = await listArchive(bytes, "x.zip", 100);
        } catch (error) {
          if (error instanceof SyntaxError || error instanceof RangeError) return;
          throw error;
        }
        for (const { path, fault, read } of files) {
          if (fault === undefined) {
            assertEquals(path.some((part) => part === ".." || /[/\\]/.test(part)), false);
          }
          const read_ = await read(1000).catch((error) => error);
          assertEquals(
            read_ instanceof Uint8Array ? read_.length <= 1000 : read_ instanceof Error,
            true,
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("in a folder links of both kinds, pipes and what was replaced are not read", async () => {
  const root = await Deno.makeTempDir();
  try {
    const folder = join(root, "in");
    await Deno.mkdir(join(folder, "sub"), { recursive: true });
    await Deno.writeTextFile(join(root, "secret"), "secret");
    await Deno.writeTextFile(join(folder, "good"), "good");
    await Deno.writeTextFile(join(folder, "sub", "later"), "later");
    await Deno.symlink(join(root, "secret"), join(folder, "link"));
    await Deno.symlink(root, join(folder, "up"));
    await Deno.link(join(root, "secret"), join(folder, "hard"));
    if (Deno.build.os === "linux") {
      // A name that is not UTF-8.
      const args = ["-c", `touch "$(printf '${folder}/\\377.md')"`];
      await new Deno.Command("sh", { args }).output();
    }
    if (Deno.build.os !== "windows") {
      await new Deno.Command("mkfifo", { args: [join(folder, "pipe")] }).output();
    }
    await using source = await openFolder(folder, 100);
    await Deno.remove(join(folder, "sub", "later"));
    await Deno.symlink(join(root, "secret"), join(folder, "sub", "later"));
    assertEquals(await outcome(source.files), [
      "good: good",
      "hard: it is a hard link: other names lead to its file",
      "link: it is a symbolic link",
      ...Deno.build.os === "windows" ? [] : ["pipe: it is not a plain file"],
      "sub/later: error: it was replaced while it was being collected",
      "up: it is a symbolic link",
      ...Deno.build.os === "linux"
        ? ["\ufffd.md: its name is not valid, or it was removed meanwhile"]
        : [],
    ]);
    await assertRejects(() => openFolder(folder, 3), RangeError, "more than 3 files");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("safe names: what they become, and what stays", () => {
  for (
    const [name, expected] of [
      ["week 1 (2).ipynb", "week 1 (2).ipynb"],
      ["naïve.md", "naïve.md"],
      ["nai\u0308ve.md", "naïve.md"],
      ["作业.pdf", "作业.pdf"],
      ["../x.md", "__x.md"],
      ["CON.md", "_CON.md"],
      ["aux", "_aux"],
      ["a\u0000b\n\u202ecod.md", "a_b_cod.md"],
      ["a:b|c?.md. .", "a_b_c_.md_"],
      [".hidden", "_hidden"],
      ["", "_"],
      ["=cmd()!A1.md", "_cmd()_A1.md"],
    ]
  ) assertEquals(safeFileName(name), expected, quoted(name));
  const long = safeFileName(`${"é".repeat(200)}.ipynb`);
  assertEquals([new TextEncoder().encode(long).length <= 120, long.endsWith("é.ipynb")], [
    true,
    true,
  ]);
});

Deno.test("a safe name is one component, stays as it is, and is never hidden or a device", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (name) => {
      const safe = safeFileName(name);
      assertEquals(safeFileName(safe), safe);
      // deno-lint-ignore no-control-regex
      assertEquals(/^$|[\x00-\x1f\x7f/\\:*?"<>|\p{Cf}]|^[. ]|[. ]$/u.test(safe), false);
      assertEquals(new TextEncoder().encode(safe).length <= 120, true);
      assertEquals(splitPath(safe), { components: [safe] });
    }),
    { numRuns: 2000 },
  );
});
