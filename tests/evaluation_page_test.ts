// The code of docs/evaluation.md runs, and the commands of it and of docs/cleaning.md exist, with the options that they have.

import { assert } from "@std/assert";
import { runHere } from "./cli/in_process.ts";

const readPage = (name: string) => Deno.readTextFile(new URL(`../docs/${name}`, import.meta.url));

Deno.test("the code of docs/evaluation.md runs", async () => {
  const page = await readPage("evaluation.md");
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  assert(blocks.length >= 3);
  const { log } = console;
  console.log = () => {};
  try {
    for (const code of blocks) {
      await import(`data:application/typescript,${encodeURIComponent(code)}`);
    }
  } finally {
    console.log = log;
  }
});

Deno.test("commands of docs/evaluation.md and docs/cleaning.md exist, with their options", async () => {
  for (const name of ["evaluation.md", "cleaning.md"]) {
    const lines = (await readPage(name)).match(/^tunebook .*$/gm) ?? [];
    assert(lines.length > 5, name);
    for (const line of lines) {
      const [, first, second] = line.split(" ");
      const command = ["data", "sheet"].includes(first) ? [first, second] : [first];
      const { stdout: help } = await runHere([...command, "--help"]);
      assert(help.startsWith(`Usage: tunebook ${command.join(" ")}`), line);
      for (const [option] of line.matchAll(/--[a-z-]+/g)) {
        assert(new RegExp(`^  ${option}[ ,]`, "m").test(help), `${line}: ${option}`);
      }
    }
  }
});
