// cleanEntries() changes what it lists, and lists what it changes.

import { assertEquals, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/csv";
import fc from "fast-check";
import { cleanEntries, readReview, writeReview } from "../../lib/dataset/mod.ts";
import { gpt2Tokenizer } from "../../lib/text/mod.ts";

const entry = (instruction: string, output = "Yes.", input = "") => ({
  instruction,
  input,
  output,
});

Deno.test("cleanEntries() lists each change of each field, so that the data can be made again from it", () => {
  const text = fc.array(
    fc.constantFrom("a ", "“b”", " \n", "ana@example.org", "\u00A0", "1) x\n2) y"),
    {
      maxLength: 6,
    },
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(fc.array(fc.tuple(text, text, text), { maxLength: 5 }), (rows) => {
    const before = rows.map(([instruction, input, output]) => ({ instruction, input, output }));
    const copy = structuredClone(before);
    const { entries, changes, dropped } = cleanEntries(before, {
      normalize: ["unicode", "punctuation", "whitespace", "case", "steps"],
      personal: ["email"],
    });
    assertEquals(before, copy);
    const again: Record<string, string>[] = structuredClone(before);
    for (const { index, field, before, after } of changes) {
      assertEquals(again[index]![field], before);
      again[index]![field] = after;
    }
    const gone = new Set(dropped.map(({ index }) => index));
    assertEquals(again.filter((_, index) => !gone.has(index)), entries);
  }));
});

Deno.test("cleanEntries() leaves out what teaches nothing, and what is too long, with the reason", () => {
  const call = { role: "assistant", content: "", tool_calls: [{ name: "f" }] };
  const user = { role: "user", content: "Hi" };
  const entries = [
    entry("Hi", " \n"),
    { messages: [user] },
    { messages: [user, { role: "assistant", content: " " }] },
    { messages: [user, call] },
    { text: "\u00A0" },
    entry("word ".repeat(50)),
    entry("Hi"),
  ];
  const options = { maxTokens: 20, tokenizer: gpt2Tokenizer(), personal: ["email"] } as const;
  const { entries: kept, dropped, unchecked } = cleanEntries(entries, options);
  assertEquals(dropped.map(({ index }) => index), [0, 1, 2, 4, 5]);
  assertEquals(dropped[0]!.reason, "nothing to learn");
  assertEquals(dropped[4]!.reason, "53 tokens, more than 20");
  assertEquals(kept, [entries[3], entries[6]]);
  assertEquals(unchecked, [3]);
  assertEquals(cleanEntries(entries, { dropEmpty: false }).dropped, []);
});

Deno.test("cleanEntries() masks in every text of a conversation", () => {
  const entries = [{
    messages: [
      { role: "user", content: "I am Maria Lopez, maria@example.org." },
      { role: "assistant", content: "Noted.", reasoning_content: "Maria Lopez wrote." },
    ],
    id: "maria@example.org",
  }];
  const cleaned = cleanEntries(entries, { personal: ["email", "name"] });
  assertEquals(cleaned.entries, [{
    messages: [
      { role: "user", content: "I am [NAME], [EMAIL]." },
      { role: "assistant", content: "Noted.", reasoning_content: "[NAME] wrote." },
    ],
    id: "maria@example.org",
  }]);
  assertEquals(cleaned.findings.map(({ field }) => field), [
    "messages.0.content",
    "messages.0.content",
    "messages.1.reasoning_content",
  ]);
});

Deno.test("a review decides finding by finding, and refuses what it does not know", () => {
  const entries = [entry('Ask Maria, "=1+1" of Berlin.', "Call +44 20 7946 0958.")];
  const personal = ["name", "place", "phone"] as const;
  const { findings } = cleanEntries(entries, { personal });
  const table = writeReview(findings);
  assertEquals(findings.length, 3);
  // no cell begins as a spreadsheet's formulas do
  assertEquals(/(^|,)"?[=+@-]/m.test(table), false);
  assertThrows(() => readReview(table), RangeError, 'row 1 of 3 has "" in the column "mask"');
  const answers = ["yes", "no", " YES "];
  const lines = table.trimEnd().split(/\r?\n/);
  const filled = lines.map((line, i) => i === 0 ? line : line + answers[i - 1]);
  const confirm = readReview(filled.join("\r\n"));
  assertEquals(cleanEntries(entries, { personal, confirm }).entries, [
    entry('Ask [NAME], "=1+1" of Berlin.', "Call [PHONE]."),
  ]);
  // as a spreadsheet saves it where the comma is the decimal sign
  const rows = parse(filled.join("\r\n"), { skipFirstRow: true });
  for (const separator of [";", "\t"]) {
    const saved = stringify(rows, { columns: Object.keys(rows[0]), separator, bom: true });
    const confirm = readReview(saved);
    assertEquals(cleanEntries(entries, { personal, confirm }).entries.length, 1);
  }
  const partly = readReview(filled.slice(0, 3).join("\n"));
  assertThrows(
    () => cleanEntries(entries, { personal, confirm: partly }),
    RangeError,
    "it has no row for the phone",
  );
  assertThrows(() => readReview("a,b\n1,2\n"), SyntaxError, 'no column "entry"');
});

Deno.test("cleanEntries() refuses steps, kinds and lengths that do not exist", () => {
  assertThrows(
    () => cleanEntries([], { normalize: ["tidy" as "case"] }),
    RangeError,
    'step "tidy"',
  );
  assertThrows(() => cleanEntries([], { personal: ["age" as "name"] }), RangeError, '"age"');
  assertThrows(() => cleanEntries([], { maxTokens: 5 }), TypeError, "without a tokenizer");
});
