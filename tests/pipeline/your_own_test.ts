// docs/your_own.md, run: its blocks as one module, in a project of its own.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { tunebook } from "../cli/tunebook.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano } from "./nano.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const page = await Deno.readTextFile(join(root, "docs/your_own.md"));
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text);

Deno.test("docs/your_own.md runs from its first block to its last", async () => {
  using temporary = new TemporaryDirectory();
  const project = temporary.path;
  using nano = await loadNano();
  await nano.save(join(project, "models/base"));
  await Deno.writeTextFile(join(project, "data.json"), JSON.stringify(ENTRIES));
  const code = blocks("ts");
  assert(code.length > 10);
  await Deno.writeTextFile(join(project, "page.ts"), code.join("\n"));
  // the blocks import what a project of one's own would: the library by its name
  const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const imports = Object.fromEntries(
    Object.entries<string>(config.imports).map(([name, target]) =>
      [name, target.startsWith("./") ? toFileUrl(join(root, target)).href : target] as const
    ),
  );
  const { compilerOptions, nodeModulesDir } = config;
  const own = JSON.stringify({ imports, compilerOptions, nodeModulesDir });
  await Deno.writeTextFile(join(project, "deno.json"), own);
  const { code: exit, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--check", "page.ts"],
    cwd: project,
    env: { NO_COLOR: "1", TUNEBOOK_DEVICE: "cpu" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assertEquals(exit, 0, new TextDecoder().decode(stderr));
  assert(said.includes("Question: "), said); // nothing is asked in another prompt than that which was taught
  assert(/^support /m.test(said), said);
  const record = JSON.parse(await Deno.readTextFile(join(project, "models/mine/taught.json")));
  assertEquals(record.program, { kind: "script", name: "../../page.ts" });
  assertEquals(record.base, "../base");
  assert((await Deno.stat(join(project, "models/mine.gguf"))).size > 1e6);
});

Deno.test("the data and the commands of docs/your_own.md are accepted", async () => {
  using temporary = new TemporaryDirectory();
  using nano = await loadNano();
  const model = join(temporary.path, "models/base");
  await nano.save(model);
  const [data] = blocks("json");
  const file = temporary.file("data.json", data);
  const [command] = blocks("sh");
  const args = command.trim().split(" ").slice(1)
    .map((word) => ({ "./models/base": model, "./data.json": file })[word] ?? word);
  // conversations need a template
  const { code, stdout, stderr } = await tunebook([...args, "--format", "zephyr"]);
  assertEquals(code, 0, stderr);
  assert(stdout.includes("Memory"), stdout);
});
