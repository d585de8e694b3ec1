// What README.md and the other pages say exists: commands with their options, and what they link to.

import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { pages, withoutCode } from "./pages.ts";

const root = fromFileUrl(new URL("../", import.meta.url));

Deno.test("links between the project's files lead somewhere", async () => {
  const broken: string[] = [];
  for (const { path, text } of await pages()) {
    for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:|#)/.test(target)) continue;
      const file = join(root, dirname(path), decodeURIComponent(target.split("#")[0]));
      if (!await Deno.stat(file).then(() => true, () => false)) broken.push(`${path}: ${target}`);
    }
  }
  assertEquals(broken, []);
});

Deno.test("commands of README.md exist, with the options that it gives them", async () => {
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const lines = [...readme.matchAll(/^(?:npx -y deno@\S+|deno) task (\S+)([^#\n]*)/gm)];
  assert(lines.length > 10);
  const helps = new Map<string, string>();
  for (const [line, task, rest] of lines) {
    assert(task in tasks, `there is no task "${task}"`);
    if (task !== "tunebook") continue;
    const words = rest.trim().split(/\s+/);
    // `kernel install` and `data split` are commands in a command
    const command = words.slice(0, ["kernel", "data"].includes(words[0]) ? 2 : 1);
    const key = command.join(" ");
    if (!helps.has(key)) {
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", join(root, "lib/cli.ts"), ...command, "--help"],
        env: { NO_COLOR: "1" },
      }).output();
      assertEquals(code, 0, line);
      helps.set(key, new TextDecoder().decode(stdout));
    }
    for (const [flag] of rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
      assert(new RegExp(`(^|[\\s,])${flag}[\\s,]`, "m").test(helps.get(key)!), `${line}: ${flag}`);
    }
  }
});
