// Deno's standard library comes from a republication on npm, which is somebody else's: each function
// of it that the library uses is held to what the standard library's documentation says it gives.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as assertions from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { pooledMap } from "@std/async/pool";
import { concat } from "@std/bytes/concat";
import { parseArgs } from "@std/cli/parse-args";
import { chunk } from "@std/collections/chunk";
import { parse as parseCsv } from "@std/csv/parse";
import { CsvParseStream } from "@std/csv/parse-stream";
import { stringify as stringifyCsv } from "@std/csv/stringify";
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { encodeHex } from "@std/encoding/hex";
import { format } from "@std/fmt/bytes";
import { escape } from "@std/html/entities";
import { parse as parseJsonc } from "@std/jsonc/parse";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { extname } from "@std/path/extname";
import { fromFileUrl } from "@std/path/from-file-url";
import { globToRegExp } from "@std/path/glob-to-regexp";
import { isAbsolute } from "@std/path/is-absolute";
import { join } from "@std/path/join";
import { relative } from "@std/path/relative";
import { resolve } from "@std/path/resolve";
import { toFileUrl } from "@std/path/to-file-url";
import { TextLineStream } from "@std/streams/text-line-stream";
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { parse as parseYaml } from "@std/yaml/parse";
import { stringify as stringifyYaml } from "@std/yaml/stringify";

/** What each function must do, by module and name. */
const HELD: Record<string, Record<string, () => void | Promise<void>>> = {
  "async/deadline": {
    async deadline() {
      assertEquals(await deadline(Promise.resolve(1), 60_000), 1);
      const never = deadline(new Promise(() => {}), 1);
      const { name } = await assertRejects(() => never, DOMException);
      assertEquals(name, "TimeoutError");
    },
  },
  "async/delay": {
    async delay() {
      const stop = new AbortController();
      const waiting = delay(60_000, { signal: stop.signal });
      stop.abort(new RangeError("enough"));
      await assertRejects(() => waiting, RangeError, "enough");
      assertEquals(await delay(1), undefined);
    },
  },
  "async/pool": {
    async pooledMap() {
      let running = 0, most = 0;
      const results = pooledMap(2, [3, 1, 2], async (n: number) => {
        most = Math.max(most, ++running);
        await delay(n);
        running--;
        return n * n;
      });
      assertEquals(await Array.fromAsync(results), [9, 1, 4]);
      assertEquals(most, 2);
    },
  },
  "bytes/concat": {
    concat() {
      const parts = [Uint8Array.of(0, 1, 2), Uint8Array.of(), Uint8Array.of(3, 4)];
      assertEquals(concat(parts), Uint8Array.of(0, 1, 2, 3, 4));
      assertEquals(concat([]), new Uint8Array());
    },
  },
  "cli/parse-args": {
    parseArgs() {
      const args = parseArgs(["--foo", "--bar=baz", "./quux.txt"]);
      assertEquals(args, { foo: true, bar: "baz", _: ["./quux.txt"] });
    },
  },
  "collections/chunk": {
    chunk: () => assertEquals(chunk([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]),
  },
  "csv/parse-stream": {
    async CsvParseStream() {
      const read = (text: string[], options = {}) =>
        Array.fromAsync(ReadableStream.from(text).pipeThrough(new CsvParseStream(options)));
      // A row may be cut anywhere, within quotes too.
      assertEquals(await read(['a,b\n"c, ""', 'd""",e\n']), [["a", "b"], ['c, "d"', "e"]]);
      assertEquals(await read(["name\tage\nx\t1"], { skipFirstRow: true, separator: "\t" }), [{
        name: "x",
        age: "1",
      }]);
      await assertRejects(() => read(['a "b" c']), SyntaxError);
    },
  },
  "csv/parse": {
    parse() {
      assertEquals(parseCsv('a,b\n"c, ""d""",e\n'), [["a", "b"], ['c, "d"', "e"]]);
      assertEquals(parseCsv("name\nx", { skipFirstRow: true }), [{ name: "x" }]);
      assertThrows(() => parseCsv('a "b" c'), SyntaxError);
    },
  },
  "csv/stringify": {
    stringify() {
      const rows = [["a", 'b "c", d'], ["1", ""]];
      assertEquals(stringifyCsv(rows, { headers: false }), 'a,"b ""c"", d"\r\n1,\r\n');
    },
  },
  "encoding/base64": {
    decodeBase64: () => assertEquals(decodeBase64("aGVsbG8="), new TextEncoder().encode("hello")),
    encodeBase64: () => assertEquals(encodeBase64("hello"), "aGVsbG8="),
  },
  "encoding/hex": {
    encodeHex: () => assertEquals(encodeHex(new Uint8Array([0, 15, 255])), "000fff"),
  },
  "fmt/bytes": {
    format() {
      assertEquals(["0 B", "100 B", "1.34 kB"], [0, 100, 1337].map((bytes) => format(bytes)));
      assertEquals(format(1.5 * 2 ** 20, { binary: true }), "1.5 MiB");
    },
  },
  "html/entities": {
    escape: () => assertEquals(escape(`<>'&"AA`), "&lt;&gt;&#39;&amp;&quot;AA"),
  },
  "jsonc/parse": {
    parse() {
      assertEquals(parseJsonc('{ "a": [1, /* two */ 2,], // end\n }'), { a: [1, 2] });
      assertThrows(() => parseJsonc("{"), SyntaxError);
    },
  },
  "path/basename": {
    basename: () => assertEquals(basename("/home/user/image.png"), "image.png"),
  },
  "path/dirname": {
    dirname: () => assertEquals(dirname("/home/user/image.png"), "/home/user"),
  },
  "path/extname": {
    extname: () => assertEquals(extname("/home/user/image.tar.gz"), ".gz"),
  },
  "path/glob-to-regexp": {
    globToRegExp() {
      const matches = (glob: string, file: string) =>
        globToRegExp(glob, { os: "linux" }).test(file);
      assertEquals(matches("*.ts", "mod.ts"), true);
      assertEquals(
        ["data/*.json", "**/*.json", "data/[ab]?.json"].map((glob) => [
          matches(glob, "data/a1.json"),
          matches(glob, "data/deep/a1.json"),
        ]),
        [[true, false], [true, true], [true, false]],
      );
    },
  },
  "path/from-file-url": {
    fromFileUrl: () => assertEquals(fromFileUrl("file:///a%20b/c"), "/a b/c"),
  },
  "path/is-absolute": {
    isAbsolute: () => assertEquals(["/a", "a"].map(isAbsolute), [true, false]),
  },
  "path/join": {
    join: () => assertEquals(join("/foo", "bar", "baz/asdf", "quux", ".."), "/foo/bar/baz/asdf"),
  },
  "path/relative": {
    relative: () => assertEquals(relative("/data/test/aaa", "/data/impl/bbb"), "../../impl/bbb"),
  },
  "path/resolve": {
    resolve: () => assertEquals(resolve("/foo", "./bar", "../x"), "/foo/x"),
  },
  "path/to-file-url": {
    toFileUrl: () => assertEquals(toFileUrl("/a b/#c").href, "file:///a%20b/%23c"),
  },
  "streams/text-line-stream": {
    async TextLineStream() {
      const lines = ReadableStream.from(["a\r", "\nb\nc", "d", "\n\n", "e"])
        .pipeThrough<string>(new TextLineStream());
      assertEquals(await Array.fromAsync(lines), ["a", "b", "cd", "", "e"]);
    },
  },
  "text/closest-string": {
    closestString: () =>
      assertEquals(closestString("hep", ["length", "size", "blah", "help"]), "help"),
  },
  "text/levenshtein-distance": {
    levenshteinDistance: () => assertEquals(levenshteinDistance("kitten", "sitting"), 3),
  },
  "yaml/stringify": {
    stringify: () => assertEquals(stringifyYaml({ a: ["b: c", 1] }), "a:\n  - 'b: c'\n  - 1\n"),
  },
  "yaml/parse": {
    parse() {
      assertEquals(parseYaml("id: 1\nname: Alice\nlist: [a, 2.5, null]"), {
        ...{ id: 1, name: "Alice", list: ["a", 2.5, null] },
      });
      assertThrows(() => parseYaml("a: ["), SyntaxError);
    },
  },
};

for (const [module, functions] of Object.entries(HELD)) {
  for (const [name, hold] of Object.entries(functions)) {
    Deno.test({
      name: `@std/${module}: ${name}`,
      // Paths are this system's.
      ignore: module.startsWith("path/") && Deno.build.os === "windows",
      fn: hold,
    });
  }
}

Deno.test("@std/assert: what holds passes, what does not throws an AssertionError", async () => {
  const { AssertionError } = assertions;
  const fails = (check: () => unknown) => assertThrows(() => check(), AssertionError);
  fails(() => assertions.assert(false));
  fails(() => assertEquals({ a: [1] }, { a: [2] }));
  fails(() => assertEquals(new Uint8Array([1]), new Uint8Array([2])));
  fails(() => assertions.assertAlmostEquals(1, 1.1, 0.01));
  fails(() => assertions.assertMatch("abc", /d/));
  fails(() => assertions.assertStringIncludes("abc", "d"));
  fails(() => assertThrows(() => {}));
  fails(() =>
    assertThrows(() => {
      throw new TypeError("x");
    }, RangeError)
  );
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
  assertions.assert(true);
  assertEquals({ a: [NaN, new Map([[1, 2]])] }, { a: [NaN, new Map([[1, 2]])] });
  assertions.assertAlmostEquals(0.1 + 0.2, 0.3);
});

Deno.test("every function of @std that lib/ uses is held to its documentation", async () => {
  const used = new Set<string>(), whole: string[] = [];
  const look = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await look(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts")) {
        const code = (await Deno.readTextFile(new URL(name, folder))).replace(
          /^ *(\*|\/\/).*$/gm,
          "",
        );
        for (const [, names, module] of code.matchAll(/import \{([^}]*)\} from "@std\/([^"]+)"/g)) {
          // A whole package is dozens of files; "@std/path" alone has 73.
          if (!module.includes("/")) whole.push(`${name} imports all of "@std/${module}"`);
          for (const one of names.split(",")) {
            const name = one.trim().split(/ as /)[0];
            if (name !== "" && !name.startsWith("type ")) used.add(`${module} ${name}`);
          }
        }
      }
    }
  };
  await look(new URL("../lib/", import.meta.url));
  assertEquals(whole, []);
  const held = new Set(
    Object.entries(HELD).flatMap(([module, functions]) =>
      Object.keys(functions).map((name) => `${module} ${name}`)
    ),
  );
  assertEquals([...used].filter((one) => !held.has(one)), []);
});
