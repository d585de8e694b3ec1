// The `tunebook` command and its `run`: help, exit codes, what goes to which stream.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { formatNotebook, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";

const cli = new URL("../../lib/cli.ts", import.meta.url).pathname;

function command(...args: string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", cli, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
}

async function tunebook(...args: string[]) {
  const { code, stdout, stderr } = await command(...args).output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

async function withBook(sources: string[], use: (path: string, folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  const notebook: Notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: sources.map((source, index) => ({
      cell_type: "code",
      id: `c${index}`,
      metadata: index === 0 ? { tags: ["parameters"] } : {},
      source,
      execution_count: null,
      outputs: [],
    })),
  };
  const path = join(folder, "book.ipynb");
  try {
    await Deno.writeTextFile(path, formatNotebook(notebook));
    await use(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tunebook shows help, and takes misuse with code 2 and a suggestion", async () => {
  const help = await tunebook("--help");
  assertEquals(help.code, 0);
  assertMatch(help.stdout, /Commands:[^]*run +run notebooks/);
  const unknown = await tunebook("rum");
  assertEquals([unknown.code, unknown.stdout], [2, ""]);
  assertStringIncludes(unknown.stderr, "unknown command 'rum'\n(Did you mean run?)");
  const missing = await tunebook("run");
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, "missing required argument 'notebook'");
  const seconds = await tunebook("run", "x.ipynb", "--timeout", "soon");
  assertEquals(seconds.code, 2);
  assertStringIncludes(seconds.stderr, "Expected a number of seconds above 0.");
});

Deno.test("tunebook run --help tells every option", async () => {
  const { code, stdout } = await tunebook("run", "--help");
  assertEquals(code, 0);
  for (
    const option of [
      "--parameter",
      "--parameters",
      "--output",
      "--html",
      "--md",
      "--junit",
      "--timeout",
      "--total-timeout",
      "--jobs",
      "--allow-errors",
      "--cwd",
      "--json",
    ]
  ) assertStringIncludes(stdout, option);
});

Deno.test("tunebook run says in one sentence what is wrong, with code 1", async () => {
  const missing = await tunebook("run", "nowhere.ipynb");
  assertEquals(missing, {
    code: 1,
    stdout: "",
    stderr: 'error: Cannot read notebook "nowhere.ipynb": there is no such file\n',
  });
  await withBook(["let epochs = 1;"], async (path) => {
    const { code, stderr } = await tunebook("run", path, "-p", "epoch=2");
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'did you mean "epochs"?');
  });
});

Deno.test("the task tunebook reads and writes where the person stands", async () => {
  await withBook(["let epochs = 1;", "Deno.cwd()"], async (_, folder) => {
    const below = join(folder, "a folder");
    await Deno.mkdir(below);
    await Deno.rename(join(folder, "book.ipynb"), join(below, "book.ipynb"));
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const task = async (...args: string[]) => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", "--config", config, "tunebook", ...args],
        cwd: below,
        // npm's, where the tests were started with npx: it says where those were started.
        env: { NO_COLOR: "1", INIT_CWD: below },
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
    };
    await task("run", "book.ipynb", "--output", "../ran.ipynb", "--html", "out/report.html");
    assertStringIncludes(await Deno.readTextFile(join(folder, "ran.ipynb")), "a folder");
    assertMatch(await Deno.readTextFile(join(below, "out", "report.html")), /^<!doctype html>/i);
    await task("clean", "../ran.ipynb");
  });
});

Deno.test("tunebook run --sandbox runs nothing where no sandbox can be built", async () => {
  await withBook(["Deno.writeTextFileSync('ran', '')"], async (path, folder) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", cli, "run", path, "--sandbox"],
      env: { NO_COLOR: "1", PATH: folder },
    }).output();
    assertEquals(code, 1);
    assertMatch(
      new TextDecoder().decode(stderr),
      /^error: Cannot run in a sandbox: it needs (bubblewrap|Linux)/,
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["book.ipynb"]);
  });
});

Deno.test("tunebook run --json prints one document; notebook and report are written", async () => {
  await withBook(["let epochs = 1;", "console.log('noise'); epochs"], async (path, folder) => {
    const output = join(folder, "out", "book.ipynb");
    const html = join(folder, "out", "book.html");
    const result = await tunebook(
      ...["run", path, "-p", "epochs=7", "--output", output, "--html", html, "--json"],
    );
    assertEquals(result.code, 0, result.stderr);
    const document = JSON.parse(result.stdout);
    assertEquals([document.ok, document.output, document.html], [true, output, html]);
    assertEquals(document.manifest.parameters, { epochs: 7 });
    assertStringIncludes(result.stderr, "noise");
    const cell = (await readNotebook(output)).cells[2];
    assert(cell.cell_type === "code");
    assertEquals(JSON.stringify(cell).includes('"7"'), true);
    assertMatch(await Deno.readTextFile(html), /^<!doctype html>/i);
  });
});

Deno.test("tunebook run takes several notebooks side by side, with parameters from files", async () => {
  await withBook(["let epochs = 1;", "epochs * 2", "null.x"], async (path, folder) => {
    const good = join(folder, "good.ipynb");
    const broken = join(folder, "broken.ipynb");
    const notebook = await readNotebook(path);
    notebook.cells.pop();
    await Deno.writeTextFile(good, formatNotebook(notebook));
    await Deno.writeTextFile(broken, "{");
    const yaml = join(folder, "some.yaml");
    await Deno.writeTextFile(yaml, "epochs: 21\n");
    const out = join(folder, "out");
    const junit = join(out, "results.xml");
    const result = await tunebook(
      ...["run", path, good, broken, "--jobs", "2", "--parameters", yaml],
      ...["--output", out, "--md", out, "--junit", junit, "--json"],
    );
    assertEquals(result.code, 1, result.stderr);
    assertStringIncludes(result.stderr, "error: book.ipynb, cell 4, line 1: TypeError");
    const { ok, notebooks } = JSON.parse(result.stdout);
    assertEquals([ok, ...notebooks.map((one: { ok: boolean }) => one.ok)], [
      false,
      ...[false, true, false],
    ]);
    assertStringIncludes(notebooks[2].error, 'Cannot read notebook "broken.ipynb"');
    assertStringIncludes(await Deno.readTextFile(join(out, "good.ipynb")), '"42"');
    assertStringIncludes(await Deno.readTextFile(join(out, "good.md")), "```text\n42\n```");
    const xml = await Deno.readTextFile(junit);
    assertStringIncludes(xml, '<testsuites tests="8" failures="2" errors="0" skipped="0"');
    assertStringIncludes(xml, '<testcase name="cell 4: null.x" classname="book.ipynb"');
    assertStringIncludes(xml, '<failure type="TypeError" message="book.ipynb, cell 4, line 1:');
  });
});

Deno.test("tunebook run --total-timeout stops the notebook, and says in which cell", async () => {
  await withBook(["", "await new Promise(() => {})", "'never'"], async (path) => {
    const { code, stderr } = await tunebook("run", path, "--total-timeout", "1", "--allow-errors");
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "TimeoutError: The notebook ran longer than its limit of 1 s and was stopped in cell 2",
    );
  });
});

Deno.test("tunebook run names the failing cell, with code 1, and writes what there is", async () => {
  await withBook(["", "'kept'", "\nnull.x", "'never'"], async (path, folder) => {
    const output = join(folder, "out.ipynb");
    const { code, stdout, stderr } = await tunebook("run", path, "--output", output);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "error: book.ipynb, cell 3, line 2: TypeError: Cannot read");
    const text = await Deno.readTextFile(output);
    assertStringIncludes(text, "kept");
    assertEquals(text.includes("TypeError"), true);
  });
});

Deno.test({
  name: "tunebook run stops at Ctrl-C, writing what was done" +
    (Deno.build.os === "windows" ? " (needs signals)" : ""),
  ignore: Deno.build.os === "windows",
  async fn() {
    await withBook(["", "console.log('begun'); await new Promise(() => {})"], async (path, dir) => {
      const output = join(dir, "out.ipynb");
      const child = command("run", path, "--output", output).spawn();
      let stderr = "";
      let sent = false;
      const reading = (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
          stderr += text;
          // Progress shows that the cell runs.
          if (!sent && stderr.includes("console.log")) {
            sent = true;
            child.kill("SIGINT");
          }
        }
      })();
      await child.stdout.cancel();
      const { code } = await child.status;
      await reading;
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Stopping; press Ctrl-C again to end at once");
      assertStringIncludes(stderr, "cell 2: Stopped: Cell 2 was stopped");
      assertStringIncludes(await Deno.readTextFile(output), "Stopped: Cell 2 was stopped");
    });
  },
});

Deno.test("tunebook run prints outputs that are written nowhere", () =>
  withBook(["console.log('hello', 1);", "6 * 7", "throw new Error('no')"], async (path) => {
    const { code, stdout } = await tunebook("run", path);
    assertEquals(code, 1);
    assertStringIncludes(
      stdout,
      "cell 1 (console.log('hello', 1);):\n  hello 1\ncell 2 (6 * 7):\n  42\n",
    );
    assertStringIncludes(stdout, "cell 3 (throw new Error('no')):\n  Error: no\n");
  }));

Deno.test("tunebook run gives notebooks of one name files of their own", () =>
  withBook(["1"], async (path, folder) => {
    const other = join(folder, "other", "book.ipynb");
    await Deno.mkdir(join(folder, "other"));
    await Deno.copyFile(path, other);
    const out = join(folder, "out");
    const { code, stderr } = await tunebook("run", path, other, "--html", out, "--output", out);
    assertEquals(code, 0, stderr);
    assertEquals([...Deno.readDirSync(out)].map(({ name }) => name).sort(), [
      "book-2.html",
      "book-2.ipynb",
      "book.html",
      "book.ipynb",
    ]);
  }));

Deno.test("tunebook run refuses a notebook of another language, and names it", () =>
  withBook(["print(1)"], async (path) => {
    const notebook = await readNotebook(path);
    notebook.metadata.language_info = { name: "python" };
    await Deno.writeTextFile(path, formatNotebook(notebook));
    const { code, stderr } = await tunebook("run", path);
    assertEquals([code, stderr], [
      1,
      'error: Cannot run "book.ipynb": it is a notebook for python, expected TypeScript or JavaScript\n',
    ]);
  }));
