// The package as a stranger gets it: built, published to a registry on this machine, and used in folders
// where the project is nowhere near.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { readReport } from "../../lib/runtime/report/mod.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { jsrConfig, packageForJsr } from "../../package/jsr.ts";
import { packageForNpm } from "../../package/npm.ts";
import { findInEnvironment, findProgram } from "../support.ts";
import { missingForRegistry, startRegistry } from "./registry.ts";

const missing = await missingForRegistry();
const jupyter = findInEnvironment(
  "TUNEBOOK_JUPYTER",
  "the jupyter of an environment with nbconvert",
);
const noSandbox = await sandboxFault();

/** What runs in a folder of a stranger's. */
interface Stranger {
  env: Record<string, string>;
}

/** Runs a program; a failure shows all that it wrote. */
async function run(
  { env }: Stranger,
  program: string,
  args: string[],
  cwd: string,
  code = 0,
): Promise<string> {
  const output = await new Deno.Command(program, { args, cwd, env, clearEnv: true, stdin: "null" })
    .output();
  const text = new TextDecoder();
  const said = text.decode(output.stdout) + text.decode(output.stderr);
  assertEquals(output.code, code, `${program} ${args.join(" ")}\n${said}`);
  return said;
}

/** A notebook that needs the library. */
const BOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "tunebook", display_name: "Tunebook", language: "typescript" } },
  cells: [
    ["let question = 'none';", ["parameters"]],
    ["import { loadModel } from 'tunebook';\nimport * as show from 'tunebook/show';"],
    ["const model = await loadModel('nano', { device: 'cpu' });"],
    ["const answer = await model.answer(question);\nDeno.writeTextFileSync('answered.txt', typeof answer);\n`${question} ${typeof answer} ${typeof show.lossCurve}`"],
  ].map(([source, tags = []], index) => ({
    cell_type: "code",
    id: `c${index}`,
    metadata: { tags },
    source,
    execution_count: null,
    outputs: [],
  })),
};
const SHOWN = "How many? string function";

async function writeBook(folder: string, more: Record<string, string> = {}): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "analysis.ipynb"), JSON.stringify(BOOK));
  for (const [name, text] of Object.entries(more)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
}

Deno.test({
  name: `the package installs and works away from the project${missing}`,
  ignore: missing !== "",
  async fn(t) {
    const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "tunebook-package-" }));
    const at = (...parts: string[]) => join(home, ...parts);
    try {
      const archive = await packageForNpm(at());
      await Deno.mkdir(at("registry"));
      await using registry = await startRegistry(at("registry"));
      const npmrc = `//${new URL(registry.url).host}/:_authToken=none\n`;
      await Deno.writeTextFile(at("npmrc"), npmrc);
      const stranger = { env: await strangersEnvironment(home, registry.url) };
      const npx = (args: string[], cwd: string, code = 0) =>
        run(stranger, "npx", ["-y", "tunebook", ...args], cwd, code);
      await run(stranger, "npm", ["publish", archive, "--userconfig", at("npmrc")], home);

      const empty = at("empty folder");
      await writeBook(empty);
      const own = at("own");
      await writeBook(own, { "deno.json": '{ "imports": { "mine": "./mine.ts" } }' });

      await t.step("npx tunebook brings Deno along", async () => {
        assertEquals(await npx(["--version"], empty), `${config.version}\n`);
        assertMatch(await npx(["doctor"], empty), /Models +nano, which comes with Tunebook/);
        assertMatch(await npx(["run"], empty, 2), /missing required argument/);
      });

      await t.step("a notebook runs from where it lies, with no deno.json", async () => {
        await npx(
          ["run", "analysis.ipynb", "-p", "question=How many?", "--html", "out/a.html"],
          empty,
        );
        const html = await Deno.readTextFile(join(empty, "out", "a.html"));
        assertStringIncludes(html, SHOWN);
        const { manifest } = await readReport(html);
        assertEquals(manifest?.tunebook, config.version);
        assertMatch(manifest?.library ?? "", /^[0-9a-f]{64}$/);
      });

      await t.step("a notebook runs with a deno.json that does not know the library", async () => {
        await npx(
          ["run", "own/analysis.ipynb", "-p", "question=How many?", "--html", "b.html"],
          home,
        );
        assertStringIncludes(await Deno.readTextFile(at("b.html")), SHOWN);
      });

      await t.step({
        name: "both run in the sandbox, and reports are verified there" +
          (noSandbox === undefined ? "" : ` (${noSandbox})`),
        ignore: noSandbox !== undefined,
        async fn() {
          await npx(["run", "analysis.ipynb", "--sandbox"], own);
          assertMatch(await npx(["verify", "out/a.html"], empty), /^Same: \d+ of \d+ cells/m);
        },
      });

      await t.step("deno install -g makes the command, which runs notebooks", async () => {
        const name = ["npm:tunebook", "--root", at("deno"), "--min-dep-age=0"];
        await run(stranger, Deno.execPath(), ["install", "-g", "-A", ...name], home);
        const command = at("deno", "bin", "tunebook");
        const env = { ...stranger.env, PATH: `${dirname(Deno.execPath())}:${stranger.env.PATH}` };
        await run({ env }, command, ["run", "analysis.ipynb", "--html", "c.html"], empty);
        assertStringIncludes(
          await Deno.readTextFile(join(empty, "c.html")),
          "none string function",
        );
      });

      const project = at("project");
      await t.step("a script imports it, with types", async () => {
        await Deno.mkdir(project);
        await run(stranger, "npm", ["install", "tunebook", "--no-audit", "--no-fund"], project);
        const script = `import { loadModel } from "tunebook";
          const model = await loadModel("nano", { device: "cpu" });
          const answer: string = await model.answer("How many?");
          console.log(typeof answer, typeof model.network);
          Deno.exit();`;
        await Deno.writeTextFile(join(project, "good.ts"), script);
        await Deno.writeTextFile(join(project, "wrong.ts"), script.replace(": string", ": number"));
        const deno = (...args: string[]) => run(stranger, Deno.execPath(), args, project);
        assertEquals(await deno("run", "--quiet", "-A", "good.ts"), "string object\n");
        await deno("check", "good.ts");
        const wrong = await run(stranger, Deno.execPath(), ["check", "wrong.ts"], project, 1);
        assertStringIncludes(wrong, "TS2322");
      });

      await t.step("it is loaded from a server too, and the model with it", async () => {
        await using server = serve(at("npm"));
        const script = `import { loadModel } from "http://127.0.0.1:${server.addr.port}/lib/mod.js";
          const model = await loadModel("nano", { device: "cpu" });
          console.log(typeof await model.answer("How many?"));
          Deno.exit();`;
        await Deno.writeTextFile(at("server.ts"), script);
        const args = ["run", "--quiet", "-A", "server.ts"];
        assertEquals(await run(stranger, Deno.execPath(), args, home), "string\n");
      });

      await t.step("the kernel stays when npx's cache is emptied", async (t) => {
        assertMatch(await npx(["kernel", "install"], empty), /It runs a copy of Tunebook/);
        await Deno.remove(stranger.env.npm_config_cache, { recursive: true });
        const kernels = at("data", "jupyter", "kernels");
        const { argv } = JSON.parse(
          await Deno.readTextFile(join(kernels, "tunebook", "kernel.json")),
        );
        const paths = argv.filter((part: string) => part.startsWith("/"));
        assertEquals(paths.length, 3);
        for (const path of paths) {
          assert((await Deno.stat(path)).isFile && path.startsWith(at("data")));
        }

        await t.step({
          name: `Jupyter runs notebooks with it, and with the stock kernel${jupyter.needs}`,
          ignore: !jupyter.found,
          async fn() {
            const execute = async (folder: string, kernel: string) => {
              const convert = ["nbconvert", "--to", "notebook", "--execute", "analysis.ipynb"];
              const out = ["--output", "executed", `--ExecutePreprocessor.kernel_name=${kernel}`];
              await run(stranger, jupyter.path, [...convert, ...out], folder);
              const executed = await Deno.readTextFile(join(folder, "executed.ipynb"));
              await Deno.remove(join(folder, "answered.txt")); // the cell has run
              // The stock kernel may lose what a cell shows.
              if (kernel !== "stock") assertStringIncludes(executed, "none string function");
            };
            await execute(empty, "tunebook");
            await execute(own, "tunebook");
            const stock = join(kernels, "stock");
            await Deno.mkdir(stock);
            const spec = {
              argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
              display_name: "Deno",
              language: "typescript",
            };
            await Deno.writeTextFile(join(stock, "kernel.json"), JSON.stringify(spec));
            await writeBook(project);
            await execute(project, "stock"); // its package.json says what "tunebook" is
          },
        });

        const { deno, rest } = { deno: paths[0], rest: paths[2].replace(/lib\/.*/, "lib/cli.js") };
        await run(stranger, deno, ["run", "-A", "--no-config", rest, "kernel", "remove"], home);
        assertEquals(
          [...Deno.readDirSync(join(kernels))].map(({ name }) => name),
          jupyter.found ? ["stock"] : [],
        );
        assertEquals(await Deno.stat(at("data", "tunebook", "kernels")).then(() => 1, () => 0), 0);
      });
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});

/** No Deno on the PATH, no caches or settings of this machine's but those of the network. */
async function strangersEnvironment(
  home: string,
  registry: string,
): Promise<Record<string, string>> {
  const bin = join(home, "bin"), person = join(home, "person");
  await Deno.mkdir(bin);
  await Deno.mkdir(person);
  for (const name of ["node", "npm", "npx"]) {
    const { path } = findProgram(`TUNEBOOK_${name.toUpperCase()}`, [name], "");
    await Deno.symlink(await Deno.realPath(path), join(bin, name));
  }
  const passed = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "LANG"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const withDeno = (folder: string) => {
    try {
      return Deno.statSync(join(folder, "deno")) !== undefined;
    } catch {
      return false;
    }
  };
  const rest = ["/usr/local/bin", "/usr/bin", "/bin"].filter((folder) => !withDeno(folder));
  return {
    ...Object.fromEntries(passed),
    PATH: [bin, ...rest].join(":"),
    HOME: person,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_DATA_HOME: join(home, "data"),
    JUPYTER_DATA_DIR: join(home, "data", "jupyter"),
    DENO_DIR: join(home, "deno-cache"),
    NPM_CONFIG_REGISTRY: registry,
    npm_config_cache: join(home, "npm-cache"),
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
  };
}

/** A server of a folder's files. */
function serve(folder: string) {
  const types: Record<string, string> = { js: "text/javascript", json: "application/json" };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    try {
      const type = types[path.split(".").at(-1)!] ?? "application/octet-stream";
      const bytes = await Deno.readFile(join(folder, path));
      return new Response(bytes, { headers: { "content-type": type } });
    } catch {
      return new Response("", { status: 404 });
    }
  });
}

Deno.test("the package for JSR is one that JSR takes, as far as can be told without it", async () => {
  const out = await Deno.realPath(await Deno.makeTempDir({ prefix: "tunebook-jsr-" }));
  try {
    const { folder, bytes } = await packageForJsr(out);
    assert(bytes < 20 * 2 ** 20, `${bytes} bytes, JSR takes 20 MiB`);
    const deno = JSON.parse(await Deno.readTextFile(join(folder, "deno.json")));
    assertEquals(deno, jsrConfig(Object.keys(deno.imports)));
    for (const target of Object.values<string>(deno.imports)) assertMatch(target, /^(npm|jsr):/);
    // JSR's standard library is out of reach where JSR is: npm's stands in for it.
    const imports = Object.fromEntries(
      Object.entries(config.imports).filter(([, target]) => target.startsWith("npm:")),
    );
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({ ...deno, imports, nodeModulesDir: "none" }),
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["publish", "--dry-run", "--allow-dirty"],
      cwd: folder,
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
