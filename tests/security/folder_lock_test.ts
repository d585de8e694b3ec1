// One process at a time in a training's folder: the second is refused, a dead one's lock is nobody's.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { lockFolder } from "../../lib/folder_lock.ts";
import { abandoned, makeOwnTempDir } from "../../lib/own_temp.ts";
import { sayFull } from "../../lib/write_beside.ts";

const TRAINING = { verb: "train", work: "training" };
const LOCK = new URL("../../lib/folder_lock.ts", import.meta.url).href;

/** Another process that locks a folder and then waits for its end. */
async function holder(folder: string): Promise<Deno.ChildProcess> {
  const code = `import { lockFolder } from ${JSON.stringify(LOCK)};
    const lock = await lockFolder(${JSON.stringify(folder)}, ${JSON.stringify(TRAINING)});
    console.log("locked");
    await Deno.stdin.read(new Uint8Array(1));
    await lock[Symbol.asyncDispose]();`;
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(script, code);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", "deno.json", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertStringIncludes(new TextDecoder().decode(value), "locked");
  reader.releaseLock();
  await Deno.remove(script);
  return child;
}

Deno.test("lockFolder() refuses a second process, with the first one's number, and takes over from a dead one", async () => {
  const parent = await Deno.makeTempDir();
  const folder = join(parent, "training");
  const first = await holder(folder);
  const { message } = await assertRejects(
    () => lockFolder(folder, TRAINING),
    Deno.errors.Busy,
    `Cannot train in "${folder}": another training (process ${first.pid}) is under way there, since 2`,
  );
  assertEquals(message.includes("\n"), false);
  first.kill("SIGKILL");
  await first.status;
  await first.stdin.close().catch(() => {});
  await first.stdout.cancel();
  {
    await using _lock = await lockFolder(folder, TRAINING);
    await assertRejects(() => lockFolder(folder, TRAINING), Deno.errors.Busy);
  }
  await using _again = await lockFolder(folder, TRAINING);
  await Deno.remove(parent, { recursive: true });
});

Deno.test("makeOwnTempDir() removes what processes that have ended left, and nothing else", async () => {
  const root = await Deno.makeTempDir();
  const dead = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  await dead.status;
  const left = join(root, `tunebook-kernel-${dead.pid}-00000000`);
  const others = ["tunebook-kernel-mine", `tunebook-${dead.pid}-00000000`].map((name) =>
    join(root, name)
  );
  for (const path of [left, ...others]) await Deno.mkdir(path);
  const first = await makeOwnTempDir("tunebook-kernel-", root);
  const second = await makeOwnTempDir("tunebook-kernel-", root);
  const there = Array.from(Deno.readDirSync(root), ({ name }) => join(root, name)).sort();
  assertEquals(there, [...others, first, second].sort());
  assertEquals(await abandoned(root, "tunebook-kernel-"), []);
  await Deno.remove(root, { recursive: true });
});

Deno.test("a full disk is told with the file and what to do", () => {
  const full = new Error("No space left on device (os error 28)");
  const told = sayFull(full, "out/model.safetensors") as Error;
  assertEquals(
    told.message,
    'Cannot write "out/model.safetensors": the disk is full; make room there, or write to another disk',
  );
  const other = new Error("Permission denied (os error 13)");
  assertEquals(sayFull(other, "x"), other);
});
