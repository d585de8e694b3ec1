// Imports between rooms point one way: lib/README.md's table, held.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join, relative } from "@std/path";
import { filesUnder } from "./check.ts";

const lib = fromFileUrl(new URL("../lib", import.meta.url));

/** What each room may import beside itself and the leaves. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  tensor: [],
  mpi: [],
  weights: [],
  text: ["weights"],
  dataset: ["text", "weights"],
  model: ["tensor", "weights"],
  train: ["mpi", "model", "tensor", "dataset", "text", "weights"],
  eval: ["dataset", "text", "weights"],
  pipeline: ["tensor", "weights", "text", "dataset", "model", "train", "eval"],
  serve: ["pipeline", "model", "eval", "dataset", "text"],
  show: ["text", "dataset"],
  course: ["show"],
  runtime: ["show"],
  grade: ["runtime"],
  cli: [
    ...["mpi", "tensor", "weights", "text", "dataset", "model", "train", "eval", "pipeline"],
    ...["serve", "show", "runtime", "grade"],
  ],
};

/** Files at the top that any room may import. */
const LEAVES = [
  "random.ts",
  "json_source.ts",
  "python_float.ts",
  "forest.ts",
  "provenance.ts",
  "stop.ts",
  "restorable.ts",
  "options.ts",
  "similar_name.ts",
  "kind_of.ts",
  "blas_variables.ts",
  "cache_folder.ts",
  "write_beside.ts",
  "own_temp.ts",
  "folder_lock.ts",
  "json_lines.ts",
  "zip_reader.ts",
];

const roomOf = (path: string) => relative(lib, path).replaceAll("\\", "/").split("/")[0];

/** Paths of the files that a module imports, those of its documentation's examples left out. */
function importsOf(path: string, options: { dynamic: boolean } = { dynamic: true }): string[] {
  const code = Deno.readTextFileSync(path).replace(/^ \*.*$/gm, "");
  return [...code.matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+)"|import\("(\.[^"]+)"/gm)]
    .filter(([, fixed]) => options.dynamic || fixed !== undefined)
    .map(([, fixed, dynamic]) => join(path, "..", fixed ?? dynamic));
}

/** The same without what a module loads later, when it is needed. */
function staticImportsOf(path: string): string[] {
  const code = Deno.readTextFileSync(path).replace(/^ \*.*$/gm, "");
  return [...code.matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+)"/gm)]
    .map(([, target]) => join(path, "..", target));
}

Deno.test("rooms import what lib/README.md says, and leaves import no room", () => {
  const wrong: string[] = [];
  for (const path of filesUnder(lib, (name) => name.endsWith(".ts") && !name.endsWith(".as.ts"))) {
    const room = roomOf(path);
    if (room === "mod.ts" || room === "cli.ts") continue;
    for (const target of importsOf(path)) {
      const other = roomOf(target);
      if (other === ".." || other === room || LEAVES.includes(other)) continue;
      if (!MAY_IMPORT[room]?.includes(other)) {
        wrong.push(`${relative(lib, path)} imports ${relative(lib, target)}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("every room is in lib/README.md and has a mod.ts", () => {
  const readme = Deno.readTextFileSync(join(lib, "README.md"));
  const rooms = [...Deno.readDirSync(lib)].filter((entry) => entry.isDirectory).map(({ name }) =>
    name
  );
  assertEquals(rooms.sort(), Object.keys(MAY_IMPORT).sort());
  for (const room of rooms) {
    assertEquals(readme.includes(`\`${room}/\``), true, room);
    if (room !== "cli") Deno.statSync(join(lib, room, "mod.ts"));
  }
  for (const leaf of LEAVES) assertEquals(readme.includes(`\`${leaf}\``), true, leaf);
});

Deno.test("CONTRIBUTING.md draws every room, and only imports that are allowed", () => {
  const page = Deno.readTextFileSync(join(lib, "../CONTRIBUTING.md"));
  const drawing = /```mermaid\n([^]*?)```/.exec(page)?.[1] ?? "";
  const rooms = new Set<string>();
  const wrong: string[] = [];
  for (const line of drawing.split("\n").slice(1)) {
    const [, from, , to] = /^ *(\w+)(\[.*?\])?(?: --> (\w+))?$/.exec(line) ?? [];
    if (from === undefined) continue;
    rooms.add(from);
    if (to !== undefined && !MAY_IMPORT[from]?.includes(to)) wrong.push(`${from} --> ${to}`);
  }
  assertEquals(wrong, []);
  assertEquals([...rooms].sort(), Object.keys(MAY_IMPORT).sort());
});

Deno.test("modules import each other in no circle", () => {
  const isModule = (name: string) => name.endsWith(".ts") && !name.endsWith(".as.ts");
  // A dynamic import, which loads a module only where it is needed, may lead back.
  const imports = new Map(
    filesUnder(lib, isModule).map((path) => [path, importsOf(path, { dynamic: false })]),
  );
  const finished = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      const circle = [...way.slice(way.indexOf(path)), path].map((one) => relative(lib, one));
      circles.push(circle.join(" imports "));
    } else if (!finished.has(path)) {
      for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
      finished.add(path);
    }
  };
  for (const path of imports.keys()) visit(path, []);
  assertEquals(circles, []);
});

Deno.test("the first hour loads no room whole but tensor, and no schemas or forms of files", () => {
  const loaded = new Set<string>(), packages = new Set<string>();
  const visit = (path: string) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    const code = Deno.readTextFileSync(path).replace(/^ \*.*$/gm, "");
    for (
      const [, target] of code.matchAll(/^(?:import|export)(?! type)[^;]*? from "([^"]+)"/gm)
    ) {
      if (target.startsWith(".")) visit(join(path, "..", target));
      else packages.add(target.replace(/^((?:@[^/]+\/)?[^/]+).*/, "$1"));
    }
  };
  visit(join(lib, "mod.ts"));
  const whole = Object.keys(MAY_IMPORT).filter((room) => loaded.has(join(lib, room, "mod.ts")));
  assertEquals(whole, ["tensor"]);
  const late = ["zod", "@std/yaml", "@bufbuild/protobuf", "crc-32", "hyparquet", "ollama"];
  assertEquals(late.filter((name) => packages.has(name)), []);
  assertEquals(loaded.size > 300 && packages.has("@std/path"), true);
});

Deno.test("no file of lib imports itself through others, not even for types", () => {
  const paths = filesUnder(lib, (name) => name.endsWith(".ts") && !name.endsWith(".as.ts"));
  const imports = new Map(paths.map((path) => [path, staticImportsOf(path)]));
  assertEquals([...imports.values()].flat().length > 1000, true);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, above: readonly string[]) => {
    const at = above.indexOf(path);
    if (at >= 0) {
      circles.push([...above.slice(at), path].map((one) => relative(lib, one)).join(" > "));
    }
    if (at >= 0 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...above, path]);
    done.add(path);
  };
  for (const path of paths) visit(path, []);
  assertEquals(circles, []);
});
