// Paraphrases by rules and by a teacher, pairs, labels by self-consistency, corrections; a person reviews in a spreadsheet.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/csv";
import {
  cleanEntries,
  labelBySelfConsistency,
  loadEntries,
  majorityAnswer,
  paraphraseByRules,
  proposeCorrections,
  proposePairs,
  proposeParaphrases,
  readCorrections,
  readProposals,
  type Teacher,
  writeCorrections,
  writeProposals,
} from "../../lib/dataset/mod.ts";

const entry = (instruction: string, output = "Yes.", more = {}) => ({
  ...{ instruction, input: "", output, ...more },
});

/** A teacher with these replies; it keeps what it was asked. */
function teacher(
  ...replies: (string | undefined)[]
): Teacher & { asked: string[]; seeds: number[] } {
  const [asked, seeds]: [string[], number[]] = [[], []];
  return {
    ...{ name: "ollama:tiny", asked, seeds },
    ask({ prompt, seed }) {
      asked.push(prompt);
      seeds.push(seed);
      return Promise.resolve(replies[(asked.length - 1) % replies.length]);
    },
  };
}

/** What a person does in a spreadsheet: every row is changed and saved again, with a byte-order mark. */
function fill(
  csv: string,
  change: (row: Record<string, string>) => Partial<Record<string, string>>,
): string {
  const rows = (parse(csv, { skipFirstRow: true }) as Record<string, string>[])
    .map((row) => ({ ...row, ...change(row) }));
  return `\uFEFF${stringify(rows, { columns: Object.keys(rows[0]) })}`;
}

Deno.test("paraphraseByRules() changes how a task begins and nothing that it is about", () => {
  const by = (rule: string, instruction: string) =>
    paraphraseByRules([entry(instruction)], { rules: [rule] }).map((one) => one.instruction);
  for (
    const [rule, before, after] of [
      ["please", 'Translate "Name it." into French.', 'Please translate "Name it." into French.'],
      ["question", "Name a colour.", "Can you name a colour?"],
      ["question", 'Translate "It is." into French.', undefined],
      ["need", "List three fruits.\nUse commas.", "I need you to list three fruits.\nUse commas."],
      ["tell", "What is the capital of France?", "Tell me what the capital of France is."],
      ["tell", "What is better, tea or coffee?", undefined],
      ["verb", "Rewrite the sentence: Rewrite it.", "Rephrase the sentence: Rewrite it."],
      [
        "contraction",
        "Write a text that does not rhyme: It does not.",
        "Write a text that doesn't rhyme: It does not.",
      ],
      ["contraction", "Correct this: He do not.", undefined],
      ["please", "The answer is 5.", undefined],
    ] as const
  ) assertEquals(by(rule, before), after === undefined ? [] : [after], `${rule}: ${before}`);
});

Deno.test("paraphraseByRules() says where entries are from, repeats none, and refuses unknown rules", async () => {
  const entries = await loadEntries("instructions");
  const made = paraphraseByRules(entries, { perEntry: 2 });
  assert(made.length > entries.length, `${made.length}`);
  const keys = [...entries, ...made].map((one) => `${one.instruction}\n${one.input}`.toLowerCase());
  const known = new Set(entries.map((one) => `${one.instruction}\n${one.input}`.toLowerCase()));
  assertEquals(new Set(keys).size - known.size, made.length, "each is new");
  assertEquals(made, paraphraseByRules(entries, { perEntry: 2 }), "the same seed gives the same");
  const [one] = paraphraseByRules([
    { messages: [] },
    entry("Name a colour.", "Blue.", { id: 7, source: "me", topic: "art" }),
  ], { rules: ["please"] });
  assertEquals(one, {
    ...entry("Please name a colour.", "Blue.", { topic: "art" }),
    source: 'paraphrase of entry 2 (id 7) by the rule "please", which is from me',
  });
  assertThrows(() => paraphraseByRules([], { rules: ["rhyme"] }), RangeError, 'the rule "rhyme"');
  assertThrows(() => paraphraseByRules([], { perEntry: 0 }), RangeError, "positive integer");
});

Deno.test("proposeParaphrases() checks replies, and a person's review decides", async () => {
  const entries = [entry("Add 2 and 3.", "5"), entry("Name a colour.", "- Blue.")];
  const { proposals, rejected } = await proposeParaphrases(
    entries,
    teacher(
      '["Sum 2 and 3.", "Sum both."]',
      '<think>Hm.</think>```json\n["=Tell me a colour."]\n```',
    ),
    { perEntry: 2 },
  );
  assertEquals(proposals.map((one) => one.entry.instruction), [
    "Sum 2 and 3.",
    "=Tell me a colour.",
  ]);
  assertEquals(rejected.map(({ reason }) => reason), ['"Sum both." lacks 2, 3']);

  const csv = writeProposals(proposals);
  assert(csv.includes("'=Tell") && csv.includes("'- Blue."), "no formulas");
  assertThrows(() => readProposals(csv), RangeError, '"" in the column "facts", expected "yes"');
  const all = { facts: "Yes", steps: "yes", form: "yes " };
  const { accepted } = readProposals(fill(csv, () => all));
  assertEquals(accepted.map(({ instruction, output }) => [instruction, output]), [
    ["Sum 2 and 3.", "5"],
    ["=Tell me a colour.", "- Blue."],
  ]);
  assert(
    /^paraphrase of entry 1 by ollama:tiny \(seed 123, prompt [0-9a-f]{12}\), reviewed$/.test(
      accepted[0].source!,
    ),
    accepted[0].source,
  );
  const mixed = readProposals(
    fill(
      csv,
      ({ number }) => ({ ...all, form: "no", ...(number === "2" && { revised_output: "Red." }) }),
    ),
  );
  assertEquals([mixed.refused, mixed.revised], [[{ number: 1, failed: ["form"] }], 1]);
  assertEquals(mixed.accepted[0].output, "Red.");
  assert(mixed.accepted[0].source!.endsWith("), revised"));
});

Deno.test("proposePairs() shows entries of one topic, and proposes nothing that is there", async () => {
  const entries = ["apple", "pear", "plum"].map((fruit) =>
    entry(`Name a ${fruit}.`, fruit, { topic: "fruit" })
  );
  const one = { instruction: "List two colours.", input: "", output: "1. Red\n2. Blue" };
  const model = teacher(
    JSON.stringify(one),
    '{"instruction": 5}',
    undefined,
    JSON.stringify(entries[0]),
  );
  const { proposals, rejected } = await proposePairs(entries, model, { count: 5, examples: 2 });
  assertEquals(proposals.map((proposal) => proposal.entry.output), [one.output]);
  assertEquals(proposals[0].entry.topic, "fruit");
  assertEquals(rejected.map(({ reason }) => reason.slice(0, 26)), [
    ...["the reply is not a JSON ob", "the reply was cut at the a", "it is nearly equal to an e"],
    "it is nearly equal to an e", // the first again
  ]);
  assertEquals(model.seeds, [123, 124, 125, 126, 127]);
  assertEquals(model.asked[0].match(/"instruction"/g)?.length, 2, "two examples");
  await assertRejects(() => proposePairs([], model, { count: 1 }), RangeError, "no instruction");
});

Deno.test("labelBySelfConsistency() takes an answer on which most agree, and no tie", async () => {
  const entries = [entry("Plural of mouse?", ""), entry("Plural of ox?", " "), entry("A?", "B."), {
    text: "x",
  }];
  const model = teacher("Mice!", "mice", "mouses", undefined, "oxen", "oxes", "Oxen.", "oxes");
  const { entries: labelled, labels } = await labelBySelfConsistency(entries, model, {
    ...{ samples: 4, agreement: 0.5, seed: 1 },
  });
  assertEquals(labelled, [
    { ...entries[0], output: "Mice!", source: "label by ollama:tiny, 2 of 4 answers agree" },
    ...entries.slice(1),
  ]);
  assertEquals(labels.map(({ index, agreement, accepted }) => [index, agreement, accepted]), [
    [0, 0.5, true],
    [1, 0.5, false],
  ]);
  assertEquals(model.seeds, [1, 2, 3, 4, 1, 2, 3, 4]);
  await assertRejects(() => labelBySelfConsistency([], model, { samples: 1 }), RangeError);
});

Deno.test("majorityAnswer() counts empty answers, and accepts neither a tie nor too few that agree", () => {
  const spoken = (answers: string[], options = {}) => {
    const { answer, votes, accepted } = majorityAnswer(answers, options);
    return [answer, votes, accepted];
  };
  assertEquals(spoken(["4.", "5", "4", "5", "4"]), ["4.", 3, true]);
  assertEquals(spoken(["4", "4", "", "", ""]), ["4", 2, false], "2 of 5");
  assertEquals(spoken(["4", "5", "4", "5"], { agreement: 0.5 }), ["4", 2, false], "a tie");
  assertEquals(spoken(["4.", "4"], { agreement: 1, key: (text: string) => text }), [
    "4.",
    1,
    false,
  ]);
  assertEquals(spoken([]), ["", 0, false]);
  assertThrows(() => majorityAnswer(["4"], { agreement: 0 }), RangeError, "more than 0");
});

Deno.test("proposeCorrections() proposes grammar only, and cleanEntries() applies what a person accepts", async () => {
  const entries = [
    entry("He go to school.", "Him are 5 years old."),
    {
      messages: [{ role: "user", content: "Me like this thing" }, {
        role: "assistant",
        content: "Ok.",
      }],
    },
    { text: "All is well here." },
  ];
  const corrected = (text: string) => JSON.stringify({ corrected: text });
  const { corrections, rejected } = await proposeCorrections(
    entries,
    teacher(
      corrected("He goes to school."),
      corrected("He is old."),
      corrected("I like this thing"),
      corrected("All is well here."),
    ),
  );
  assertEquals(corrections.map(({ index, field, after }) => [index, field, after]), [
    [0, "instruction", "He goes to school."],
    [1, "messages.0.content", "I like this thing"],
  ]);
  assertEquals(rejected.map(({ field, reason }) => [field, reason]), [
    ["output", "the corrected text lacks 5"],
  ]);
  const csv = writeCorrections(corrections);
  assertThrows(() => readCorrections(csv), RangeError, 'in the column "accept"');
  const reviewed = fill(
    csv,
    ({ entry }) => entry === "1" ? { accept: "yes" } : { accept: "no", revised: "I like it." },
  );
  const { entries: cleaned, changes } = cleanEntries(entries, {
    correct: readCorrections(reviewed),
  });
  assertEquals(cleaned[0], { ...entries[0], instruction: "He goes to school." });
  assertEquals(changes.map(({ field, step, after }) => [field, step, after]), [
    ["instruction", "grammar", "He goes to school."],
    ["messages.0.content", "grammar", "I like it."],
  ]);
  assertThrows(
    () => cleanEntries([entry("He went to school.")], { correct: readCorrections(reviewed) }),
    RangeError,
    '"instruction" of entry 1 is another text now',
  );
});
