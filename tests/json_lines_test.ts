import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { JsonLines } from "../lib/json_lines.ts";

Deno.test("lines are whole and in order, after those that were there and a half one", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "log", "lines.jsonl");
  {
    await using log = await JsonLines.open(path);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => log.write({ i, text: "é\n".repeat(i) })),
    );
    const lines = (await Deno.readTextFile(path)).split("\n");
    assertEquals(lines.length, 21);
    assertEquals(lines.slice(0, -1).map((line) => JSON.parse(line).i), [...Array(20).keys()]);
  }
  await Deno.writeTextFile(path, '{"i": 20, "te', { append: true }); // a process was killed
  {
    await using log = await JsonLines.open(path);
    log.write({ i: 21 });
  }
  assertEquals((await Deno.readTextFile(path)).split("\n").slice(-3), [
    '{"i": 20, "te',
    '{"i":21}',
    "",
  ]);
  await Deno.remove(folder, { recursive: true });
});
