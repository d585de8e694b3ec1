import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readParameterFile } from "../../lib/runtime/parameter_files.ts";

async function reading(name: string, text: string) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, name), text);
    return await readParameterFile(join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readParameterFile() reads JSON and YAML, dates as text", async () => {
  const expected = { epochs: 2, lr: 1e-3, names: ["a"], day: "2026-01-02", none: null };
  assertEquals(await reading("p.json", JSON.stringify(expected)), expected);
  assertEquals(
    await reading("p.yaml", "epochs: 2\nlr: 1e-3\nnames: [a]\nday: 2026-01-02\nnone:\n"),
    expected,
  );
});

Deno.test("readParameterFile() says what is wrong, and with which file", async () => {
  const wrong: [string, string, string][] = [
    ["p.json", "[1]", "expected one object with values by name, got an array"],
    ["p.yml", "just text", "expected one object with values by name, got a string"],
    ["p.json", "{", "Expected property name"],
    ["p.yaml", "a: [", "Cannot read parameters"],
    ["p.toml", "a = 1", 'expected a name that ends in ".json", ".yaml" or ".yml"'],
  ];
  for (const [name, text, message] of wrong) {
    await assertRejects(() => reading(name, text), SyntaxError, message);
  }
  await assertRejects(
    () => readParameterFile("nowhere.json"),
    Deno.errors.NotFound,
    'Cannot read parameters "nowhere.json": there is no such file',
  );
});
