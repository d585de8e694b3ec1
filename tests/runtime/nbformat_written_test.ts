// PyPI's nbformat on files that come out of whole commands: executed, cleaned, upgraded.

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { cleanNotebook } from "../../lib/runtime/clean.ts";
import { parseNotebook, readNotebook, writeNotebook } from "../../lib/runtime/notebook.ts";
import { readReport, renderReport } from "../../lib/runtime/report/mod.ts";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { nbformatPython } from "./nbformat_peer.ts";
import { code, markdown, notebookOf } from "./report/sample.ts";

const python = await nbformatPython();

Deno.test({
  name: "nbformat accepts executed, cleaned, upgraded and reported notebooks" +
    (python === undefined ? " (needs nbformat: pip install nbformat)" : ""),
  ignore: python === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const book = notebookOf(
        markdown("# T", { attachments: { "a.png": { "image/png": "QUJD" } } }),
        code("let n = 1;", [], { metadata: { tags: ["parameters"] } }),
        code("console.log('\\x1b[31mred'); console.error('e'); n * 2"),
        code(`await Deno.jupyter.display({ "text/html": "<b>1</b>", "image/svg+xml": "<svg/>",
  "application/vnd.plotly.v1+json": { data: [], layout: {} } }, { raw: true, display_id: "d" });
await Deno.jupyter.display({ "application/json": [1, { a: null }] }, { raw: true, update: true, display_id: "d" });
NaN`),
        code("let = ;"),
        code("throw new Error('x')", [], { metadata: { tags: ["raises-exception"] } }),
        code("", [], { metadata: { tags: ["skip"] } }),
      );
      const output = join(folder, "executed.ipynb");
      const { notebook } = await runNotebook(book, {
        output,
        parameters: { n: 5 },
        allowErrors: true,
      });
      await writeNotebook(join(folder, "cleaned.ipynb"), cleanNotebook(await readNotebook(output)));
      const { notebook: carried } = await readReport(await renderReport(notebook));
      await writeNotebook(join(folder, "carried.ipynb"), carried!);
      for (let minor = 0; minor <= 5; minor++) {
        const cells = ["# T", "x"].map((source, i) => ({
          cell_type: i === 0 ? "markdown" : "code",
          metadata: {},
          source: [source],
          ...i === 0 ? {} : { execution_count: 1, outputs: [] },
          ...minor === 5 ? { id: `c${i}` } : {},
        }));
        const text = JSON.stringify({ nbformat: 4, nbformat_minor: minor, metadata: {}, cells });
        await writeNotebook(join(folder, `upgraded${minor}.ipynb`), parseNotebook(text));
      }
      const script = `
import glob, nbformat, sys
files = glob.glob(sys.argv[1] + "/*.ipynb")
for path in files:
    nbformat.validate(nbformat.read(path, 4), version=4, version_minor=5)
print(len(files))`;
      const { stdout, stderr } = await new Deno.Command(python!, {
        args: ["-W", "error", "-c", script, folder],
      })
        .output();
      assertEquals(new TextDecoder().decode(stdout).trim(), "9", new TextDecoder().decode(stderr));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
