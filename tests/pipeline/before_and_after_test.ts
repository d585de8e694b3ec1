// docs/before_and_after.md: its numbers are counted, and what is after type-checks.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));
const page = await Deno.readTextFile(join(root, "docs/before_and_after.md"));

interface Task {
  title: string;
  before: string;
  after: string;
}

const tasks = page.split(/^## /m).flatMap((section): Task[] => {
  const [title] = section.split("\n");
  const code = (language: string) =>
    new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms").exec(section)?.[1];
  const [before, after] = [code("typescript"), code("ts")];
  return before && after ? [{ title, before, after }] : [];
});

const countLines = (code: string) => code.split("\n").filter((line) => line.trim() !== "").length;
const countNames = (code: string) =>
  [...code.matchAll(/^import (.*?) from/gm)]
    .reduce((sum, [, names]) => sum + (names.startsWith("{") ? names.split(",").length : 1), 0);

Deno.test("docs/before_and_after.md counts its twenty tasks", () => {
  assertEquals(tasks.length, 20);
  const rows = tasks.map(({ title, before, after }) => [
    ...[title, countLines(before), countLines(after), countNames(before), countNames(after)],
  ]);
  const sum = (column: number) => rows.reduce((total, row) => total + Number(row[column]), 0);
  const all = ["**All**", ...[1, 2, 3, 4].map(sum)];
  const expected = [...rows, all].map((row) => `| ${row.join(" | ")} |`);
  const first = page.split("\n").indexOf(expected[0]);
  assertEquals(page.split("\n").slice(first, first + expected.length), expected);
});

Deno.test("what docs/before_and_after.md has after type-checks", async () => {
  const folder = await Deno.makeTempDir({ dir: join(root, "tests"), prefix: ".before_and_after_" });
  try {
    const files = tasks.map((_, i) => join(folder, `${i}.ts`));
    for (const [i, { after }] of tasks.entries()) {
      await Deno.writeTextFile(files[i], `${after}\nexport {};\n`);
    }
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", ...files],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
