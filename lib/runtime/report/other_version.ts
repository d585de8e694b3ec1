// Renders a report by another version of Tunebook, in a process of its own that may do nothing else.

import config from "../../../deno.json" with { type: "json" };
import { makeOwnTempDir } from "../../own_temp.ts";
import { formatNotebook } from "../notebook.ts";
import type { CompleteReport } from "./embedded.ts";

/** Longest time that the version may take, its download included, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Renders a page by the version that a report names.
 *
 * @param report What the report carries.
 * @param moduleOf Where the runtime of a version is; the registry's by default.
 * @returns The page.
 * @throws {Error} If that version cannot be fetched, or does not render the page.
 */
export async function renderElsewhere(
  { notebook, manifest, settings }: CompleteReport,
  moduleOf: (version: string) => string = (version) => `jsr:${config.name}@${version}/runtime`,
): Promise<string> {
  const { tunebook: version, title, code, theme } = settings;
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) throw new Error("it is not a version");
  const script = `import { parseNotebook, renderReport } from ${JSON.stringify(moduleOf(version))};
const { notebook, ...options } = JSON.parse(await new Response(Deno.stdin.readable).text());
const html = await renderReport(parseNotebook(notebook), options);
await new Blob([html]).stream().pipeTo(Deno.stdout.writable);`;
  const folder = await makeOwnTempDir("tunebook-render-");
  try {
    const path = `${folder}/render.ts`;
    await Deno.writeTextFile(path, script);
    const child = new Deno.Command(Deno.execPath(), {
      // What it imports is fetched; its code may reach nothing.
      args: ["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-check", path],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(PATIENCE),
    }).spawn();
    const input = JSON.stringify({
      notebook: formatNotebook(notebook),
      manifest,
      title,
      code,
      theme,
    });
    const [output] = await Promise.all([
      child.output(),
      new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
    ]);
    if (!output.success) {
      const said = new TextDecoder().decode(output.stderr).trim().split("\n")[0];
      throw new Error(`that version could not be fetched or run (${said.slice(0, 200)})`);
    }
    return new TextDecoder().decode(output.stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
