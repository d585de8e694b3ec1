import { assertEquals, assertRejects } from "@std/assert";
import { Command } from "commander";
import { configOption, withConfigFile } from "../../lib/cli/config_file.ts";

Deno.test("--config puts a file's options before those of the command line", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tunebook_config_" });
  const path = `${folder}/run.yaml`;
  const write = (text: string) => Deno.writeTextFile(path, text);
  const command = () =>
    new Command("train").exitOverride()
      .option("--lr <rate>", "a rate", Number)
      .option("--batch-size <n>", "a number", Number)
      .option("--stop <text>", "texts", (text, before: string[] = []) => [...before, text])
      .option("--resume", "a switch", false)
      .option("--no-code", "a switch that is on")
      .option("--out <dir>", "a folder")
      .addOption(configOption());
  const parse = async (...args: string[]) => {
    const parsed = command();
    parsed.parse(await withConfigFile(parsed, args), { from: "user" });
    return parsed.opts();
  };
  await write('lr: 2e-4\nbatch-size: 4\nstop: ["a", "-b"]\nresume: true\ncode: false\nout: x y\n');
  const rest = { resume: true, code: false, out: "x y", stop: ["a", "-b"] };
  assertEquals(await parse("--config", path), { lr: 2e-4, batchSize: 4, ...rest });
  assertEquals(await parse("--lr", "1", `--config=${path}`), { lr: 1, batchSize: 4, ...rest });
  await write("batch_size: 2\nbatchSize: 3\nresume: false\n");
  assertEquals(await parse("--config", path), { batchSize: 3, code: true, resume: false });
  const wrong: [string, string][] = [
    ["lrr: 1", `Cannot take "lrr" from "${path}": "train" has no such option; did you mean "lr"?`],
    ["banana: 1", `Cannot take "banana" from "${path}": "train" has no such option`],
    ["resume: 1", `Cannot take "resume" from "${path}": expected true or false`],
    ["lr: {a: 1}", `Cannot take "lr" from "${path}": expected a text or a number`],
    ["- lr", `Cannot read options from "${path}": expected lines such as`],
    ["lr: [", `Cannot read "${path}": `],
  ];
  for (const [text, message] of wrong) {
    await write(text);
    await assertRejects(() => parse("--config", path), Error, message);
  }
  const missing = `${folder}/missing.yaml`;
  await assertRejects(
    () => parse("--config", missing),
    Deno.errors.NotFound,
    `Cannot read options from "${missing}": there is no such file`,
  );
  await Deno.remove(folder, { recursive: true });
});
