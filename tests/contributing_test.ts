// CONTRIBUTING.md, the editor's settings and the workflows name files, tasks and versions that exist.

import { assert, assertEquals } from "@std/assert";
import { parse as parseYaml } from "@std/yaml/parse";
import { fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("../", import.meta.url));
const read = (path: string) => Deno.readTextFile(join(root, path));
const exists = (path: string) => Deno.stat(join(root, path)).then(() => true, () => false);
const tasksOf = async () => Object.keys(JSON.parse(await read("deno.json")).tasks);

Deno.test("files that CONTRIBUTING.md names exist; of those to be added, their folders", async () => {
  const page = await read("CONTRIBUTING.md");
  const paths = [
    ...page.matchAll(/`((?:lib|tests|docs|data|notebooks)\/[^`\s*]*|lib\/cli\.ts|\.\w+\/[\w.]*)`/g),
  ]
    .map(([, path]) => path);
  assert(paths.length > 15);
  const missing: string[] = [];
  for (const path of new Set(paths)) {
    const there = path.includes("<")
      ? path.slice(0, path.slice(0, path.indexOf("<")).lastIndexOf("/"))
      : path;
    if (!await exists(there)) missing.push(path);
  }
  assertEquals(missing, []);
});

Deno.test("tasks that CONTRIBUTING.md, VS Code and the workflows run exist", async () => {
  const tasks = await tasksOf();
  for (
    const path of [
      "CONTRIBUTING.md",
      ".vscode/tasks.json",
      ".github/workflows/ci.yml",
      ".github/PULL_REQUEST_TEMPLATE.md",
      ".devcontainer/setup.sh",
    ]
  ) {
    const named = [...(await read(path)).matchAll(/\bdeno(?:@\S+)? task ([\w:]+)/g)].map((
      [, name],
    ) => name);
    assert(named.length > 0, path);
    assertEquals(named.filter((name) => !tasks.includes(name)), [], path);
  }
});

Deno.test("one version of Deno is named everywhere", async () => {
  const versions = new Map<string, string>();
  for (
    const path of [
      "README.md",
      "CONTRIBUTING.md",
      ".ci/run",
      ".vscode/tasks.json",
      ".github/workflows/ci.yml",
      ".devcontainer/setup.sh",
    ]
  ) {
    for (const [, version] of (await read(path)).matchAll(/\bdeno@(\d+\.\d+\.\d+)/g)) {
      versions.set(version, path);
    }
  }
  assertEquals(versions.size, 1, [...versions].join("; "));
});

Deno.test("the settings of VS Code and of the container are JSON, forms and workflows YAML", async () => {
  const recommended = JSON.parse(await read(".vscode/extensions.json")).recommendations;
  const container = JSON.parse(await read(".devcontainer/devcontainer.json"));
  assertEquals(container.customizations.vscode.extensions, recommended);
  JSON.parse(await read(".vscode/settings.json"));
  const workflow: any = parseYaml(await read(".github/workflows/ci.yml"));
  const commands = Object.values<any>(workflow.jobs).flatMap(({ steps }) => steps).map(({ run }) =>
    run
  );
  assert(commands.includes(".ci/run"));
  for await (const { name } of Deno.readDir(join(root, ".github/ISSUE_TEMPLATE"))) {
    const form: any = parseYaml(await read(`.github/ISSUE_TEMPLATE/${name}`));
    if (name === "config.yml") continue;
    for (const { type } of form.body) assertEquals(type, "textarea", name);
  }
});
