// The sandbox's walls against each attack, as root and as nobody: a notebook run by root must be able
// to do no more than one that a user runs.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { sandboxFault, sandboxGroup } from "../../lib/runtime/sandbox/outer.ts";
import { isRoot, runnerCommand } from "../../lib/runtime/sandbox/runner_wall.ts";
import { innerEnvironment, LIBRARY_ROOT } from "../../lib/runtime/sandbox/walls.ts";
import { code, notebookOf } from "../runtime/report/sample.ts";
import { ATTACKS, FATAL } from "./attacks.ts";
import { type AttackReport, runAttacks } from "./run_attacks.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

/** Runs the attacks as nobody, who sees of this machine what the outer wall lets be seen. */
async function runAsNobody(): Promise<AttackReport> {
  const deno = await Deno.realPath(Deno.execPath());
  const denoDir = JSON.parse(new TextDecoder().decode(
    (await new Deno.Command(deno, { args: ["info", "--json"] }).output()).stdout,
  )).denoDir;
  const script = fromFileUrl(new URL("./run_attacks.ts", import.meta.url));
  const config = join(LIBRARY_ROOT, "deno.json");
  const [program, ...args] = runnerCommand({
    bound: [LIBRARY_ROOT, deno].map((path) => ({ source: path, path })),
    denoDir,
    command: [deno, "run", "-A", "--no-check", "--cached-only", "--config", config, script],
  });
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: "/",
    env: innerEnvironment(),
    clearEnv: true,
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

async function hold(t: Deno.TestContext, run: () => Promise<AttackReport>) {
  const { fault, seen, ends, hashed } = await run();
  assertEquals(fault, undefined);
  assertEquals(hashed, []);
  for (const [i, { tries, holds }] of ATTACKS.entries()) {
    await t.step(tries, () => {
      let value: unknown;
      try {
        value = JSON.parse(seen[i]);
      } catch {
        throw new Error(`The cell did not come to its end: ${seen[i]}`);
      }
      assert(holds(value), `The wall does not hold: ${seen[i]}`);
    });
  }
  for (const [i, { tries }] of FATAL.entries()) {
    await t.step(tries, () => assertStringIncludes(ends[i], "runs out of memory"));
  }
}

Deno.test({
  name: `the sandbox holds, as ${
    isRoot() ? "root" : "this user"
  }, against a notebook that tries${needs}`,
  ignore: fault !== undefined,
  fn: (t) => hold(t, runAttacks),
});

const cannotBeNobody = fault ?? (isRoot() ? undefined : "needs root, to become nobody");
Deno.test({
  name: "the sandbox holds, as nobody, against a notebook that tries" +
    (cannotBeNobody === undefined ? "" : ` (${cannotBeNobody})`),
  ignore: cannotBeNobody !== undefined,
  fn: (t) => hold(t, runAsNobody),
});

Deno.test({
  name: `the sandbox lets no socket, pipe or link of an allowed folder lead out${needs}`,
  ignore: fault !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const read = join(folder, "read"), write = join(folder, "write");
      await Deno.mkdir(read);
      await Deno.mkdir(write);
      await Deno.writeTextFile(join(folder, "secret.txt"), "secret");
      await Deno.writeTextFile(join(write, "kept.txt"), "before");
      await Deno.symlink(join(folder, "secret.txt"), join(read, "link.ts"));
      await new Deno.Command("mkfifo", { args: [join(read, "pipe.ts")] }).output();
      using server = Deno.listen({ transport: "unix", path: join(read, "socket") });
      let visits = 0;
      (async () => {
        for await (const visitor of server) {
          visits++;
          visitor.close();
        }
      })().catch(() => {});
      const began = performance.now();
      const { notebook, manifest } = await runNotebook(
        notebookOf(code(`
if (false) { await import("${read}/pipe.ts"); await import("${read}/link.ts"); }
const seen = [];
for (const attempt of [
  () => Deno.connect({ transport: "unix", path: "${read}/socket" }),
  () => Deno.readTextFile("${read}/link.ts"),
  () => Deno.writeTextFile("${read}/new.txt", ""),
]) seen.push(await attempt().then(() => "through", () => "refused"));
await Deno.writeTextFile("${write}/kept.txt", "after");
await Deno.writeTextFile("${write}/new.txt", "new");
await Deno.symlink("${folder}/secret.txt", "${write}/link.txt");
console.log(seen.join());`)),
        { cwd: folder, sandbox: { read: [read], write: [write], memory: 256 }, totalTimeout: 120 },
      );
      const [cell] = notebook.cells;
      const [output] = cell.cell_type === "code" ? cell.outputs : [];
      assertEquals(
        output?.output_type === "stream" ? output.text : output,
        "refused,refused,refused\n",
      );
      assertEquals(visits, 0);
      assertEquals(manifest.modules, undefined);
      assert(performance.now() - began < 100_000);
      assertEquals(await Deno.readTextFile(join(write, "kept.txt")), "after");
      assertEquals(await Deno.readTextFile(join(write, "new.txt")), "new");
      assertEquals(await Deno.readTextFile(join(folder, "secret.txt")), "secret");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: `the sandbox may write no folder whose programs run outside${needs}`,
  ignore: fault !== undefined,
  async fn() {
    const folders = [join(LIBRARY_ROOT, "lib"), dirname(await Deno.realPath(Deno.execPath()))];
    for (const folder of folders) {
      const run = () => runNotebook(notebookOf(code("1")), { sandbox: { write: [folder] } });
      const error = await run().then(() => undefined, (error) => error);
      assert(error instanceof RangeError, String(error));
    }
  },
});

Deno.test({
  name:
    `the sandbox's memory and threads are counted by a control group where root makes one${needs}`,
  ignore: fault !== undefined || !isRoot(),
  async fn() {
    // Where the control groups cannot be written, as in many containers, the other limits hold.
    const group = await sandboxGroup();
    assert([undefined, "cgroup v1", "cgroup v2", "systemd scope"].includes(group), group);
    const left = [...(await Deno.readTextFile("/proc/self/cgroup")).matchAll(/tunebook-/g)];
    assertEquals(left.length, 0);
  },
});

Deno.test({
  name: `the sandbox reads no settings through a link, and nothing of the system's own${needs}`,
  ignore: fault !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const refused = async (options: Parameters<typeof runNotebook>[1], part: string) => {
        const run = () => runNotebook(notebookOf(code("1")), { ...options });
        const { message } = await assertRejects(run, RangeError);
        assertStringIncludes(message, part);
      };
      for (const read of ["/", "/proc", "/proc/1/root", "/sys", "/dev", "/dev/mem"]) {
        if (await Deno.stat(read).catch(() => undefined) === undefined) continue;
        await refused({ sandbox: { read: [read] } }, `Cannot let the sandbox read "${read}"`);
        await refused({ sandbox: { write: [read] } }, `Cannot let the sandbox write "${read}"`);
      }
      // A stranger's folder chooses what its links lead to.
      await Deno.writeTextFile(join(folder, "secret.txt"), "secret");
      for (const name of ["deno.json", "deno.jsonc", "deno.lock"]) {
        const cwd = await Deno.makeTempDir({ dir: folder });
        await Deno.symlink(join(folder, "secret.txt"), join(cwd, name));
        await refused({ cwd, sandbox: {} }, `${name}": it is a link`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: `what a sandboxed notebook removes is removed, and nothing that others put there${needs}`,
  ignore: fault !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      for (const name of ["kept.txt", "removed.txt"]) {
        await Deno.writeTextFile(join(folder, name), "");
      }
      await Deno.mkdir(join(folder, "removed/inner"), { recursive: true });
      const { ok, failure } = await runNotebook(
        notebookOf(code(`for (const name of ["removed.txt", "removed"]) {
  Deno.removeSync(${JSON.stringify(folder)} + "/" + name, { recursive: true });
}`)),
        {
          sandbox: { write: [folder] },
          onProgress: ({ type }) => {
            if (type === "cell-end") Deno.writeTextFileSync(join(folder, "meanwhile.txt"), "");
          },
        },
      );
      assert(ok, failure?.summary);
      const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
      assertEquals(names, ["kept.txt", "meanwhile.txt"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: `root without the right to make namespaces is told so${needs}`,
  ignore: fault !== undefined || !isRoot(),
  async fn() {
    const script = await Deno.makeTempFile({ suffix: ".ts" });
    const outer = new URL("../../lib/runtime/sandbox/outer.ts", import.meta.url).href;
    const code = `import { sandboxFault } from ${JSON.stringify(outer)};
console.log(await sandboxFault());`;
    try {
      await Deno.writeTextFile(script, code);
      const { stdout } = await new Deno.Command("setpriv", {
        args: [
          ...["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", Deno.execPath(), "run", "-A"],
          ...["--no-check", "--config", join(LIBRARY_ROOT, "deno.json"), script],
        ],
      }).output();
      assertStringIncludes(new TextDecoder().decode(stdout), "root has no CAP_SYS_ADMIN here");
    } finally {
      await Deno.remove(script);
    }
  },
});
