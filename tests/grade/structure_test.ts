// The structure of written proposals: what is found, what is missed, and text that was made to break the check.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkStructure,
  parseStructureRules,
  type StructureRow,
  structureTable,
} from "../../lib/grade/structure.ts";

const RULES = parseStructureRules(JSON.stringify({
  title: "A proposal",
  sections: [
    { heading: "Problem", minWords: 5 },
    { heading: "Data and format", minWords: 3, json: true, calculation: true },
  ],
}));

const TEMPLATE = `# A proposal

## 1. Problem

- **The scenario:**

YOUR ANSWER HERE

## 2. Data and format

YOUR ANSWER HERE

\`\`\`json
{"prompt": "…"}
\`\`\`

For example: 100 × 2 = 200 tokens
`;

const failed = (rows: StructureRow[]) =>
  rows.filter(({ passed }) => !passed).map(({ section, check, message }) =>
    `${section}, ${check}: ${message}`
  );

const check = (markdown: string) => failed(checkStructure(markdown, RULES, TEMPLATE));

const DATA = `## Data and format
Two hundred pairs.

\`\`\`json
{"prompt": "Hi", "completion": "Hello"}
\`\`\`

200 pairs × 150 tokens = 30,000 tokens
`;

Deno.test("checkStructure() finds all that a proposal must have", () => {
  const proposal = `Problem
-------
Replies of a shop for handmade crafts.

${DATA}`;
  const rows = checkStructure(proposal, RULES, TEMPLATE);
  assertEquals(rows.map(({ check, passed, line }) => [check, passed, line]), [
    ["present", true, 1],
    ["filled", true, 1],
    ["present", true, 5],
    ["filled", true, 5],
    ["json", true, 5],
    ["calculation", true, 5],
  ]);
  assertEquals(rows.at(-1)!.message, "A calculation: 200 pairs × 150 tokens = 30,000 tokens");
});

Deno.test("checkStructure() takes nothing of the template for an answer", () => {
  assertEquals(check(TEMPLATE), [
    "Problem, filled: 0 words; expected at least 5",
    "Data and format, filled: 0 words; expected at least 3",
    "Data and format, json: The JSON example is the template's; expected one of your own",
    'Data and format, calculation: No calculation with numbers, such as "7e9 × 4 / 8 = 3.5e9 bytes"',
  ]);
  const labelled = TEMPLATE.replace("scenario:**", "scenario:** replies of a small shop");
  assertEquals(check(labelled)[0], "Data and format, filled: 0 words; expected at least 3");
});

Deno.test("checkStructure() says which section is missing", () => {
  assertEquals(check(""), [
    'Problem, present: There is no heading "Problem"',
    'Data and format, present: There is no heading "Data and format"',
  ]);
  assertEquals(check("Problem: five words are written here\n" + DATA), [
    'Problem, present: There is no heading "Problem"',
  ]);
});

Deno.test("checkStructure() compares headings without numbers, case and punctuation", () => {
  for (const heading of ["# PROBLEM", "### 1) Problem:", "## **Problem**", "> ## 1 – Problem"]) {
    const text = `${heading}\n\nOne two three four five.\n\n${DATA}`.replace(
      /^(> .*)\n\n(.*)/,
      "$1\n>\n> $2",
    );
    assertEquals(check(text), [], heading);
  }
});

Deno.test("checkStructure() ends a section at the next heading of its level, not at one below", () => {
  assertEquals(check(`## Problem\n\n### Who\n\nOne two three four five\n\n${DATA}`), []);
  assertEquals(check(`## Problem\n\n## Aside\n\nOne two three four five\n\n${DATA}`), [
    "Problem, filled: 0 words; expected at least 5",
  ]);
});

Deno.test("checkStructure() counts neither code nor HTML as text", () => {
  const hidden = "<!-- one two three four five -->\n\n```\none two three four five\n```\n\n" +
    "<p title='one two three four five'>\n\n<b a='one two three four five'>six</b>";
  assertEquals(check(`## Problem\n\n${hidden}\n\n${DATA}`), [
    "Problem, filled: 1 word; expected at least 5",
  ]);
});

Deno.test("checkStructure() reads JSON, lines of JSON, and says why an example does not parse", () => {
  const withExample = (block: string) => {
    const data = DATA.replace(/```json[^]*?```/, () => block);
    return check(`## Problem\n\nOne two three four five\n\n${data}`)[0]?.replace(/.*json: /, "");
  };
  assertEquals(withExample('```jsonl\n{"a": 1}\n\n{"a": 2}\n```'), undefined);
  assertEquals(withExample('```json\n{"a": 1}\n{"a": 2}\n```'), undefined);
  assertEquals(withExample('- in a list:\n\n  ```json\n  [{"a": 1}]\n  ```'), undefined);
  assertEquals(withExample('```\n{"a": 1}\n```'), undefined);
  assertEquals(
    withExample(""),
    "There is no JSON example; expected a fenced block that begins with ```json",
  );
  assertEquals(
    withExample("```json\n[{}]\n```"),
    "The JSON example is empty; expected an object with the fields of an example",
  );
  const fault = withExample('```json\n{"a": 1,}\n```')!;
  assert(fault.startsWith("The JSON example does not parse: "), fault);
});

Deno.test("checkStructure() tells a calculation from numbers in a text", () => {
  const calculates = (line: string) =>
    check(`## Problem\n\nOne two three four five\n\n${DATA.replace(/200 pairs ×.*/, line)}`)
      .length === 0;
  for (
    const line of [
      "7e9 parameters × 4 bits / 8 = 3.5e9 bytes",
      "r (d_in + d_out) = 16 · (4,096 + 4,096) = 131,072",
      "3.5 GB + 0.2 GB ≈ 3.7 GB",
      "```\n2 * 3 = 6\n```",
      "1,000 x 2 = 2,000",
    ]
  ) assert(calculates(line), line);
  for (const line of ["r = 16, alpha = 32", "about 500 pairs", "a × b = c", "16 = 16", "2 * 3"]) {
    assert(!calculates(line), line);
  }
});

Deno.test("checkStructure() holds against any text, and its table is a table", () => {
  fc.assert(fc.property(
    fc.array(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom(..."## Problem|\n|> |- |```json|```|{|}|=|1|×|<!--|-->|**".split("|")),
      ),
    ).map((parts) => parts.join("")),
    (text) => {
      const rows = checkStructure(text, RULES, TEMPLATE);
      const table = structureTable(rows).split("\n");
      assertEquals(table.length, rows.length + 2);
      for (const line of table) assertEquals(line.match(/(?<!\\)\|/g)?.length, 5, line);
    },
  ));
});

Deno.test("checkStructure() ends on hostile text, and refuses what is too long", () => {
  for (const part of ["[", "> ", "*a ", "<", "`", "- ", "1 × ", "#", "\n1. ", "{", "]("]) {
    const text = "## Problem\n" + part.repeat(900_000 / part.length);
    checkStructure(text, RULES, TEMPLATE);
  }
  assertThrows(
    () => checkStructure("a".repeat(1_000_001), RULES),
    RangeError,
    "Cannot check a proposal of 1000001 characters: expected at most 1000000",
  );
});

Deno.test("parseStructureRules() names the rule that does not fit", () => {
  assertThrows(
    () => parseStructureRules('{"title": "A", "sections": [{"heading": "1", "minWords": 1}]}'),
    SyntaxError,
    'Cannot read the rules of a structure at "sections.0.heading": has no letter',
  );
});
