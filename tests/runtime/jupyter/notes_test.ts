// What the kernel knows of cells beyond their outputs: types, completions, documentation, stale results.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Message } from "../../../lib/runtime/messages.ts";
import { brief, startKernel, type TestClient } from "./client.ts";

/** The note's display of a cell, which is its first output. */
const noteId = (outputs: Message[]) => {
  assertEquals([outputs[0].header.msg_type, outputs[0].content.data], ["display_data", {}]);
  return outputs[0].content.transient.display_id as string;
};

/** What a note says in the end. */
const note = async (client: TestClient, id: string) => {
  const update = await client.until(({ header, content }) =>
    header.msg_type === "update_display_data" && content.transient.display_id === id
  );
  return update.content.data["text/plain"] as string;
};

const complete = async (client: TestClient, code: string, cursor = [...code].length) =>
  (await client.request("complete_request", { code, cursor_pos: cursor })).reply.content;

Deno.test("the kernel knows types, over cells", async (t) => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "deno.json"), '{ "imports": { "mapped": "./m.ts" } }');
  await Deno.writeTextFile(
    join(folder, "m.ts"),
    "/** Doubles a number. */\nexport function double(x: number): number { return 2 * x; }",
  );
  const sanitize = { sanitizeOps: false, sanitizeResources: false };
  const step = (name: string, fn: () => Promise<void>) => t.step({ name, fn, ...sanitize });
  try {
    await using started = await startKernel({ session: { cwd: folder } });
    const { client } = started;
    await client.execute(
      "import { double } from 'mapped';\nlet size = 3;\ninterface P { a: number }",
    );

    await step(
      "a type error comes as an update above the output, the run not waiting",
      async () => {
        const { outputs, reply } = await client.execute(
          "const p: P = { a: 1 };\nsize = 4;\nconst wrong: string = double(size);\nwrong",
          { cellId: "one" },
        );
        assertEquals(reply.content.status, "ok");
        const id = noteId(outputs);
        assertEquals(brief(outputs.slice(1)), ["[2] 8"]);
        assertEquals((await note(client, id)).split("\n"), [
          "TS2322: Type 'number' is not assignable to type 'string'",
          "    at cell [2]:3:7",
          "",
          "  2 | size = 4;",
          "> 3 | const wrong: string = double(size);",
          "    |       ^",
          "  4 | wrong",
        ]);
      },
    );

    await step("a cell that is run before those above it gets one line", async () => {
      const { outputs, reply } = await client.execute("model.train(examples, examples);", {
        cellId: "early",
      });
      assertEquals(reply.content.ename, "ReferenceError");
      assertEquals(
        await note(client, noteId(outputs)),
        "Not defined yet: model, examples; run the cells above first",
      );
    });

    await step("a name may be declared again with another type", async () => {
      await client.execute("let size = 'now text';", { cellId: "two" });
      const { outputs } = await client.execute("size.length + (1 as string)", { cellId: "three" });
      // Only the second is wrong: a text has a length.
      const said = await note(client, noteId(outputs));
      assertEquals(said.match(/TS\d+/g), ["TS2352"]);
    });

    await step("completions, with kinds and types", async () => {
      const { matches, cursor_start, cursor_end, metadata } = await complete(client, "size.toUp");
      assertEquals([matches, cursor_start, cursor_end], [["toUpperCase"], 5, 9]);
      const [first] = metadata._jupyter_types_experimental;
      assertEquals(first.type, "method");
      assertStringIncludes(first.signature, "toUpperCase(): string");
      assertEquals((await complete(client, "doub")).matches, ["double"]);
      assert((await complete(client, "Deno.jupy")).matches.includes("jupyter"));
      // Counted in characters, in the middle of unfinished code.
      const inside = await complete(client, "const 𝒂 = '𝒃'; if (p.", 21);
      assertEquals([inside.matches.slice(0, 1), inside.cursor_start], [["a"], 21]);
      assertEquals((await complete(client, "import {} from './m")).matches, ["m.ts"]);
    });

    await step("what only the running program knows is completed from it", async () => {
      await client.execute("const loose: any = { onlyHere: 1 };");
      assertEquals((await complete(client, "loose.only")).matches, ["onlyHere"]);
    });

    await step("inspection shows types and documentation", async () => {
      const inspect = async (code: string, cursor: number) =>
        (await client.request("inspect_request", { code, cursor_pos: cursor, detail_level: 0 }))
          .reply.content;
      const { found, data } = await inspect("1 + double(2)", 10);
      assertEquals(found, true);
      assertStringIncludes(data["text/plain"], "double(x: number): number");
      assertStringIncludes(data["text/markdown"], "Doubles a number.");
      assertEquals((await inspect("   ", 1)).found, false);
    });

    await step(
      "a result that no longer follows is called stale, through what lies between",
      async () => {
        const base = await client.execute("const base = 1;", { cellId: "base" });
        await client.execute("const next = base + 1;", { cellId: "next" });
        const shown = await client.execute("next * 10", { cellId: "shown" });
        const free = await client.execute("'free'", { cellId: "free" });
        await client.execute("const base = 5;", { cellId: "base" });
        assertMatch(
          await note(client, noteId(shown.outputs)),
          /^Stale: base has changed since, in cell/,
        );
        const ids = [base, free].map(({ outputs }) => noteId(outputs));
        const told = client.published.filter(({ header, content }) =>
          header.msg_type === "update_display_data" && ids.includes(content.transient.display_id)
        );
        assertEquals(told, []);
      },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("under --strict a cell with type errors is not run", async () => {
  await using started = await startKernel({ strict: true });
  const { client } = started;
  const refused = await client.execute("const a: string = 1;\nglobalThis.ran = true;");
  assertEquals(refused.reply.content.ename, "TypeCheckError");
  assertStringIncludes(
    refused.reply.content.evalue,
    "Type 'number' is not assignable to type 'string' (cell [1], line 1, column 7); the cell was not run",
  );
  assertEquals(brief(refused.outputs), [`TypeCheckError: ${refused.reply.content.evalue}`]);
  const { outputs } = await client.execute("const a = 'text'; [a, 'ran' in globalThis]");
  assertEquals(brief(outputs), ['[2] [ "text", false ]']);
});
