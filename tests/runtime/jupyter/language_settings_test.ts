// The language server finds a package's library beside any deno.json.

import { assertEquals } from "@std/assert";
import { dirname, join, toFileUrl } from "@std/path";
import { LanguageServer } from "../../../lib/runtime/jupyter/language_server.ts";

const CELL = `import { double } from "tunebook";
import { own } from "mine";
export const text: string = double(own);`;

const configs: Record<string, Record<string, string>> = {
  "no deno.json": { "package.json": "{}" },
  "a deno.json without imports": { "deno.json": '{ "compilerOptions": { "strict": true } }' },
  "a deno.json with imports of its own": {
    "deno.jsonc": '{ "imports": { "mine": "./own.ts" } } // mine',
  },
  "an import map of its own": {
    "deno.json": '{ "importMap": "maps/map.json" }',
    "maps/map.json": '{ "imports": { "mine": "../own.ts" } }',
  },
  "a deno.json three folders above that maps all": {
    "deno.json": '{ "imports": { "mine": "./own.ts", "tunebook": "../library.ts" } }',
    "chapters/graded/first/.keep": "",
  },
};

for (const [name, files] of Object.entries(configs)) {
  Deno.test(`LanguageServer finds the library in a folder with ${name}`, async () => {
    const folder = await Deno.realPath(await Deno.makeTempDir());
    const library = join(folder, "library.ts");
    const book = join(folder, "book");
    try {
      await Deno.mkdir(book, { recursive: true });
      await Deno.writeTextFile(library, "export const double = (x: number): number => 2 * x;");
      await Deno.writeTextFile(join(book, "own.ts"), "export const own = 1;");
      for (const [path, text] of Object.entries(files)) {
        await Deno.mkdir(dirname(join(book, path)), { recursive: true });
        await Deno.writeTextFile(join(book, path), text);
      }
      const marked = Object.keys(files).find((path) => path.endsWith(".keep"));
      const root = marked === undefined ? book : dirname(join(book, marked));
      const server = await LanguageServer.start(root, { tunebook: toFileUrl(library).href });
      const uri = toFileUrl(join(root, "cell.ts")).href;
      server.write(uri, CELL);
      const errors = (await server.diagnose(uri)).filter(({ severity }) => severity === 1);
      await server.close();
      const mapped = Object.values(files).some((text) => text.includes("mine"));
      assertEquals(
        errors.map(({ code, range }) => [code, range.start.line]),
        mapped ? [[2322, 2]] : [[2322, 2], ["resolver-error", 1]],
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
