import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  cleanResponse,
  formatResponses,
  readResponses,
  writeResponses,
} from "../../lib/eval/responses.ts";
import { exactMatch } from "../../lib/eval/metrics/exact_match.ts";
import { scoreResponses } from "../../lib/eval/scores.ts";

const ENTRY = { instruction: "Give the plural.", input: "mouse", output: "mice" };

Deno.test("exactMatch() overlooks white space at the ends, and nothing else", () => {
  assertEquals(exactMatch("mice", " mice\n"), true);
  assertEquals(exactMatch("mice", "Mice"), false);
  assertEquals(exactMatch("mice", "mice."), false);
  assertEquals(exactMatch("", ""), true);
});

Deno.test("scoreResponses() gives fractions over all responses", () => {
  const scores = scoreResponses([
    { ...ENTRY, model_response: "mice" },
    { ...ENTRY, model_response: "The mice" },
    { ...ENTRY, model_response: "" },
    { ...ENTRY, model_response: "mouses" },
  ]);
  assertEquals(scores.examples, 4);
  assertEquals(scores.exactMatch, 0.25);
  assertEquals(scores.each.map((one) => one.exactMatch), [true, false, false, false]);
  assertEquals(scores.each.map((one) => one.rougeL), [1, 2 / 3, 0, 0]);
  assertEquals(scores.rougeL, (1 + 2 / 3) / 4);
  assertThrows(() => scoreResponses([]), RangeError, "Cannot score no responses");
});

Deno.test("formatResponses() writes what Python's json.dump(…, indent=4) writes", () => {
  const entries = [
    { ...ENTRY, output: 'né "mice"\n\u007f\u0001', model_response: "🐭 \ud800 \u2028/" },
    { ...ENTRY, input: "", model_response: "", extra: { list: [], object: {}, n: [1, null] } },
  ];
  // python3 -c 'import json, sys; json.dump(…, sys.stdout, indent=4)' of the same entries
  const python = String.raw`[
    {
        "instruction": "Give the plural.",
        "input": "mouse",
        "output": "n\u00e9 \"mice\"\n\u007f\u0001",
        "model_response": "\ud83d\udc2d \ud800 \u2028/"
    },
    {
        "instruction": "Give the plural.",
        "input": "",
        "output": "mice",
        "model_response": "",
        "extra": {
            "list": [],
            "object": {},
            "n": [
                1,
                null
            ]
        }
    }
]`;
  assertEquals(formatResponses(entries), python);
});

Deno.test("readResponses() reads what writeResponses() wrote, other fields too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/instruction-data-with-response.json`;
    const entries = [{ ...ENTRY, model_response: "Ärger 🐭", note: "kept" }];
    await writeResponses(path, entries);
    assertEquals(await readResponses(path), entries);
    assertEquals([...Deno.readDirSync(folder)].length, 1, "nothing is left beside it");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await assertRejects(() => readResponses(`${folder}/x`), Error, "there is no such file");
});

Deno.test("readResponses() reads conversations and logs, and names what lacks a response", async () => {
  const folder = await Deno.makeTempDir();
  const read = async (rows: object[], options = {}) => {
    await Deno.writeTextFile(
      `${folder}/r.jsonl`,
      rows.map((row) => JSON.stringify(row)).join("\n"),
    );
    return await readResponses(`${folder}/r.jsonl`, options);
  };
  try {
    const messages = [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello." }];
    const log = { index: 0, tokens: 2, settings: { seed: 1 } };
    assertEquals(await read([{ ...log, messages, model_response: "Hey." }]), [
      { ...log, messages, instruction: "Hi", input: "", output: "Hello.", model_response: "Hey." },
    ]);
    const history = [["A?", "B."]];
    const [entry] = await read([{ ...ENTRY, history, said: 5 }], {
      map: { model_response: "said" },
    });
    assertEquals([entry.output, entry.model_response], ["mice", "5"]);
    assertEquals(
      (entry as { messages?: unknown[] }).messages?.length,
      4,
      "the earlier round counts",
    );
    for (
      const [rows, fault] of [
        [[{ ...ENTRY, model_response: "" }, ENTRY], 'entry 2 of 2: "model_response" is missing'],
        [[{ text: "Once.", model_response: "" }], "entry 1 of 1: Cannot answer a text"],
        [[{ instruction: "A?", model_response: "" }], 'entry 1 of 1: "output" is missing'],
      ] as const
    ) {
      await assertRejects(() => read([...rows]), TypeError, fault);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("cleanResponse() takes out markers and white space, as Raschka's chapter 7 does", () => {
  assertEquals(cleanResponse("\n\n### Response:\nmice\n"), "mice");
  assertEquals(cleanResponse(" mice ### Response: mice "), "mice  mice");
});
