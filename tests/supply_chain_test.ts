// What comes from others: the lock holds what is imported and nothing else, what is mapped is used, and
// the project runs itself with its lock frozen.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { runNotebook } from "../lib/runtime/mod.ts";
import { code as codeCell, notebookOf } from "./runtime/report/sample.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

interface Lock {
  specifiers: Record<string, string>;
  npm: Record<
    string,
    { integrity: string; dependencies?: string[]; optionalDependencies?: string[] }
  >;
  workspace: { dependencies: string[] };
}
const lock: Lock = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.lock")));

/** All code: modules, and the cells and pages that hold some. */
function* texts(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (name.startsWith(".") || ["out", "node_modules", "shared"].includes(name)) continue;
    const path = join(folder, name);
    if (isDirectory) yield* texts(path);
    else if (/\.(ts|tsx|js|ipynb|md)$/.test(name)) yield Deno.readTextFileSync(path);
  }
}
const code = [...texts(ROOT)];

Deno.test("every name of the import map is imported somewhere", () => {
  const unused = Object.keys(config.imports).filter((name) => {
    const imported = new RegExp(`["'\`]${name.replace(/[.*+?^$()|[\]\\/]/g, "\\$&")}["'\`/\\\\]`);
    return !code.some((text) => imported.test(text));
  });
  assertEquals(unused, []);
});

Deno.test("the lock names no package that nothing imports", () => {
  const mapped = Object.values(config.imports);
  const strays = Object.keys(lock.specifiers).filter((specifier) =>
    !mapped.some((target) => target === specifier || target.startsWith(`${specifier}/`)) &&
    !code.some((text) => text.includes(specifier))
  );
  assertEquals(strays, []);
});

Deno.test("the lock holds no package that no other needs, each with the hash of its bytes", () => {
  const known = Object.keys(lock.npm);
  const find = (dependency: string) =>
    known.filter((key) =>
      key === dependency || key.startsWith(`${dependency}@`) || key.startsWith(`${dependency}_`)
    );
  const needed = new Set<string>();
  const need = (key: string) => {
    if (needed.has(key)) return;
    needed.add(key);
    const { dependencies = [], optionalDependencies = [], ...rest } = lock.npm[key];
    const peers = (rest as { optionalPeers?: string[] }).optionalPeers ?? [];
    for (const one of [...dependencies, ...optionalDependencies, ...peers]) {
      // Where it has two names, `alias@npm:name@version`.
      for (const found of find(one.replace(/^.*@npm:/, ""))) need(found);
    }
  };
  for (const [specifier, version] of Object.entries(lock.specifiers)) {
    const name = specifier.replace(/^npm:/, "").replace(/(.)@.*$/, "$1");
    need(`${name}@${version}`);
  }
  assertEquals(known.filter((key) => !needed.has(key)), []);
  assert(known.every((key) => /^sha512-[A-Za-z0-9+/]{86}==$/.test(lock.npm[key].integrity)));
});

Deno.test("the project runs itself with its lock frozen", () => {
  assertEquals(config.lock.frozen, true);
  for (const [name, { command }] of Object.entries(config.tasks)) {
    assert(/\bdeno (run|test) (.* )?--frozen\b/.test(command), `task ${name}: ${command}`);
  }
});

Deno.test("a cell that imports what a frozen lock does not hold fails, and the lock stays as it is", async () => {
  const cwd = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(cwd, "deno.json"), JSON.stringify({ lock: config.lock }));
    const empty = '{ "version": "5" }\n';
    await Deno.writeTextFile(join(cwd, "deno.lock"), empty);
    const specifier = config.imports["zod"];
    const cell = codeCell(`import { z } from ${JSON.stringify(specifier)}; z;`);
    const { failure } = await runNotebook(notebookOf(cell), { cwd });
    assertEquals(
      failure?.message,
      `Cannot import "${specifier}": the lock file of this folder's deno.json does not have it and ` +
        'is frozen; add it with "deno add --frozen=false", or move the notebook to a folder of its own',
    );
    assertEquals(await Deno.readTextFile(join(cwd, "deno.lock")), empty);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
