// README's code, run from a folder with the data beside it.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { readRecord } from "../../lib/pipeline/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

Deno.test("README's code loads, trains, answers, scores, saves and exports a model", async () => {
  using temporary = new TemporaryDirectory();
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const [, code] = /^## In code\n+```ts\n(.*?)^```/ms.exec(readme) ?? [];
  assert(code, "README has its code under “In code”");
  await Deno.symlink(join(root, "data"), join(temporary.path, "data"));
  const file = temporary.file("readme.ts", code);
  const { code: exit, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--check", "--config", join(root, "deno.json"), toFileUrl(file).href],
    cwd: temporary.path,
    env: { NO_COLOR: "1", TUNEBOOK_DEVICE: "cpu" },
  }).output();
  assertEquals(exit, 0, new TextDecoder().decode(stderr));
  assert(/^20 \d/m.test(new TextDecoder().decode(stdout)));
  const record = await readRecord(join(temporary.path, "out/mine"));
  assertEquals([record?.base, record?.trainings[0].steps], ["nano", 20]);
  assert((await Deno.stat(join(temporary.path, "out/mine.gguf"))).size > 1e6);
});
