import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../lib/cli.ts";
import { writeNotebook } from "../../lib/runtime/notebook.ts";
import { readReport } from "../../lib/runtime/report/mod.ts";
import { sampleNotebook } from "../runtime/report/sample.ts";

async function inFolder(test: (folder: string, said: string[]) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  const said: string[] = [];
  const { error } = console;
  console.error = (...args: unknown[]) => said.push(args.join(" "));
  try {
    await test(folder, said);
  } finally {
    console.error = error;
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tunebook export writes a report that carries the notebook", () =>
  inFolder(async (folder, said) => {
    const notebook = sampleNotebook();
    await writeNotebook(`${folder}/book.ipynb`, notebook);
    assertEquals(
      await main(["export", `${folder}/book.ipynb`, "--html", `${folder}/out/book.html`]),
      0,
    );
    assertStringIncludes(said.join("\n"), "Wrote ");
    const html = await Deno.readTextFile(`${folder}/out/book.html`);
    assertStringIncludes(html, "loadInstructions");
    assertEquals((await readReport(html)).notebook, notebook);
  }));

Deno.test("tunebook export takes a title and leaves out code and notebook", () =>
  inFolder(async (folder) => {
    await writeNotebook(`${folder}/book.ipynb`, sampleNotebook());
    const html = `${folder}/book.html`;
    const options = ["--html", html, "--title", "My <title>", "--no-code", "--no-notebook"];
    assertEquals(await main(["export", `${folder}/book.ipynb`, ...options]), 0);
    const text = await Deno.readTextFile(html);
    assertStringIncludes(text, "<title>My &lt;title&gt;</title>");
    assert(!text.includes("loadInstructions"));
    // It holds how the page was rendered, and nothing of the notebook.
    const { notebook, manifest, ...rest } = await readReport(text);
    assertEquals([notebook, manifest], [undefined, undefined]);
    assertEquals(Object.keys(rest), ["settings"]);
  }));

Deno.test("tunebook export says what is wrong with a file and writes nothing", () =>
  inFolder(async (folder, said) => {
    await Deno.writeTextFile(`${folder}/book.ipynb`, "{");
    assertEquals(await main(["export", `${folder}/book.ipynb`, "--html", `${folder}/a.html`]), 1);
    assertEquals(await main(["export", `${folder}/none.ipynb`, "--html", `${folder}/a.html`]), 1);
    assertEquals(said.length, 2);
    assertStringIncludes(said[1], "there is no such file");
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["book.ipynb"]);
  }));

Deno.test("tunebook export takes a theme, writes Markdown and gives a report's notebook back", () =>
  inFolder(async (folder, said) => {
    const notebook = sampleNotebook();
    const [book, html, md] = ["book.ipynb", "book.html", "book.md"].map((name) =>
      `${folder}/${name}`
    );
    await writeNotebook(book, notebook);
    await Deno.writeTextFile(`${folder}/theme.css`, ":root{--nb-accent:#123456}");
    const theme = ["--theme", `${folder}/theme.css`];
    assertEquals(await main(["export", book, "--html", html, "--md", md, ...theme]), 0);
    const css = (await Deno.readTextFile(html)).split("</style>")[0];
    assert(css.endsWith(":root{--nb-accent:#123456}"));
    const text = await Deno.readTextFile(md);
    assertStringIncludes(text, "# Fine-tuning GPT-2 to follow instructions");
    for (const [, link] of text.matchAll(/!\[.*?\]\((book_files\/\S+?)\)/g)) {
      assert((await Deno.stat(`${folder}/${link}`)).size > 50, link);
    }
    assertEquals(await main(["export", html, "--output", `${folder}/again.ipynb`]), 0);
    assertEquals(await Deno.readTextFile(`${folder}/again.ipynb`), await Deno.readTextFile(book));
    await Deno.writeTextFile(`${folder}/theme.css`, "</style><script>1</script>");
    assertEquals(await main(["export", book, "--html", html, ...theme]), 1);
    assertStringIncludes(said.join("\n"), "Cannot take the theme");
    assertEquals(await main(["export", book]), 2);
  }));
