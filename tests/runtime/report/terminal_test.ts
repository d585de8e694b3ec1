import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { plainText, renderTerminal } from "../../../lib/runtime/report/terminal.ts";

Deno.test("renderTerminal() turns colours into classes", () => {
  assertEquals(
    renderTerminal("a \u001b[31mred\u001b[39m \u001b[1;32mgreen\u001b[0m b"),
    'a <span class="ansi-red-fg">red</span> <span style="font-weight:bold" class="ansi-green-fg">green</span> b',
  );
});

Deno.test("renderTerminal() escapes text and drops what is not text", () => {
  assertEquals(renderTerminal("<b>&\u0000\u001b["), "&lt;b&gt;&amp;\ufffd");
  assertEquals(renderTerminal("\u001b]8;;javascript:alert(1)\u0007x\u001b]8;;\u0007"), "x");
  assertEquals(renderTerminal("a\u001b[2Kb\u001b[3Ac"), "abc");
});

Deno.test("renderTerminal() shows the last state of a progress bar", () => {
  assertEquals(renderTerminal("  0%\r 50%\r100%\nnext"), "100%\nnext");
  assertEquals(renderTerminal("long text\rab\r\n"), "abng text\n");
  assertEquals(renderTerminal("abc\b\bX"), "aX");
  assertEquals(renderTerminal("windows\r\nline"), "windows\nline");
});

Deno.test("renderTerminal() leaves out the middle of very long texts and says so", () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `line ${i}`).join("\n");
  const html = renderTerminal(lines);
  assert(html.length < 250_000);
  assertStringIncludes(html, "line 0\n");
  assertStringIncludes(html, "line 99999");
  assertStringIncludes(html, "lines (");
  assertEquals(renderTerminal("x".repeat(1_000_000)).length < 250_000, true);
});

Deno.test("plainText() removes escapes", () => {
  assertEquals(
    plainText("\u001b[1;31mError\u001b[0m \u001b]8;;x\u001b\\link\u001b]8;;\u001b\\"),
    "Error link",
  );
});
