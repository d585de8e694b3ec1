// Filters find what docs/safety.md says they do, and miss what it says they miss; the domain's similarities are
// scikit-learn's.

import {
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  blockListFilter,
  checkText,
  domainFilter,
  FILTERS,
  parseBlockList,
  personalDataFilter,
} from "../../lib/eval/mod.ts";
import { checkEntry, hasUnreadParts, promptsOf } from "../../lib/eval/filters/check_messages.ts";
import golden from "../golden/domain.json" with { type: "json" };
import { BLOCKED, DOMAIN, FILTER_CASES } from "./safety_set.ts";

const domain = domainFilter(DOMAIN);
const filters = [personalDataFilter(), blockListFilter(BLOCKED), domain];

Deno.test("docs/safety.md states what the filters find and miss", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/safety.md", import.meta.url));
  const rows = FILTER_CASES.map(({ filter: name, what, expected, texts }) => {
    const filter = filters.find((one) => one.name === name)!;
    const found = texts.filter((text) => filter.find(text).length > 0).length;
    return `| \`${name}\` | ${what} | ${expected ? "yes" : "no"} | ${found} of ${texts.length} |`;
  });
  assertEquals(page.match(/^\| `\w+` \| .+ \| (?:yes|no) \| \d+ of \d+ \|$/gm), rows);
  const [, refused, texts, threshold] = /refuses (\d+) of the (\d+) at the threshold of ([\d.]+)/
    .exec(page.replace(/\s+/g, " "))!;
  assertEquals([Number(refused), Number(texts)], [domain.refused, domain.texts]);
  assertEquals(threshold, domain.threshold.toFixed(3));
});

Deno.test("docs/safety.md and the table have the same filters", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/safety.md", import.meta.url));
  assertEquals(
    [...page.matchAll(/^\| `(\w+)` \| (.+?) \| ((?:prompts|answers|, )+) \| .+ \|$/gm)]
      .map(([, ...cells]) => cells),
    FILTERS.map((
      { name, summary, reads },
    ) => [name, summary, reads.map((one) => `${one}s`).join(", ")]),
  );
  for (const filter of filters) {
    assertEquals(FILTERS.find(({ name }) => name === filter.name)!.reads, filter.reads);
  }
});

Deno.test("similarities to a domain are scikit-learn's", () => {
  const filter = domainFilter(golden.texts, { falseRefusals: 0.1 });
  for (const [i, prompt] of golden.prompts.entries()) {
    assertAlmostEquals(filter.similarity(prompt), golden.similarities[i], 1e-9, prompt);
  }
  const sorted = golden.leftOut.toSorted((a, b) => a - b);
  assertAlmostEquals(filter.threshold, sorted[4], 1e-9);
  assertEquals([filter.texts, filter.refused], [golden.texts.length, 4]);
});

Deno.test("a domain has 20 different texts, and a text that is there twice counts once", () => {
  const { message } = assertThrows(
    () => domainFilter(Array.from({ length: 40 }, (_, i) => `Number ${i % 19}!`)),
    TypeError,
  );
  assertEquals(
    message,
    "Cannot make a domain filter of 19 different texts: expected at least 20",
  );
  const twice = domainFilter([...DOMAIN, ...DOMAIN.map((text) => text.toUpperCase())]);
  assertEquals([twice.threshold, twice.refused], [domain.threshold, domain.refused]);
  assertThrows(() => domainFilter(DOMAIN, { falseRefusals: 1 }), RangeError, "from 0 to below 1");
  // None of them refused: even the farthest passes.
  assertEquals(domainFilter(DOMAIN, { falseRefusals: 0 }).refused, 0);
  assertEquals(domain.find("").length, 1);
});

Deno.test("findings are at their places, whatever the characters before them", () => {
  const text = "👍🏽 Ångström, ﬁne: a CA\u0301SI\u200bNO\u0301! Lock—\n picking.";
  const found = blockListFilter(["casino", "lock picking", "lock"]).find(text);
  assertEquals(found.map(({ start, end }) => text.slice(start, end)), [
    "CA\u0301SI\u200bNO\u0301",
    "Lock—\n picking",
  ]);
  assertEquals(found.map(({ reason }) => reason), [
    'has "casino", which is blocked',
    'has "lock picking", which is blocked',
  ]);
  const signs = blockListFilter(["c++", "(tm) offer"]);
  assertEquals(signs.find("C++ or (TM) offer").length, 2);
  assertEquals(signs.find("c").length, 0);
});

Deno.test("a block list is read line by line, and refuses what would block all or nothing", () => {
  assertEquals(parseBlockList("\uFEFF# heading\r\n a b \r\n\r\nc*\n"), ["a b", "c*"]);
  assertThrows(() => blockListFilter([]), TypeError, "the list has no terms");
  assertThrows(() => blockListFilter(["ok", "*"]), TypeError, 'Cannot block "*"');
  assertThrows(() => blockListFilter(["-"]), TypeError, 'Cannot block "-"');
});

Deno.test("checkText() masks or refuses, and leaves out filters of the other side", () => {
  const [personal, blocked] = filters;
  const text = "Maria Lopez of the casino, ana@example.org";
  const masked = checkText(text, "answer", [
    { filter: personal, action: "mask" },
    { filter: blocked, action: "mask" },
    { filter: domain, action: "refuse" },
  ]);
  assertEquals(masked.text, "[NAME] of the [BLOCKED], [EMAIL]");
  assertEquals(masked.refusal, undefined);
  assertEquals(masked.findings.map(({ filter }) => filter), [
    ...["personalData", "blockList", "personalData"],
  ]);
  const refused = checkText(text, "prompt", [
    { filter: personal, action: "mask" },
    { filter: blocked, action: "refuse" },
  ]);
  assertEquals(refused.refusal, 'Cannot answer: the prompt has "casino", which is blocked');
  assertEquals(refused.text, masked.text); // a log may hold it
  const [answer] = [checkText(text, "answer", [{ filter: personal, action: "refuse" }])];
  assertEquals(answer.refusal, "Cannot show the answer: it has a person's name");
  assertEquals(
    checkText("Write a sonnet", "prompt", [{ filter: domain, action: "refuse" }]).text,
    "Write a sonnet",
  );
  assertThrows(() => checkText("", "prompt", [{ filter: domain, action: "mask" }]), RangeError);
});

Deno.test("findings that overlap are masked as one, and nothing of either is left", () => {
  const text = "Ask Maria Lopez casino now";
  const rules = [
    { filter: personalDataFilter({ kinds: ["name"] }), action: "mask" },
    { filter: blockListFilter(["lopez casino"]), action: "mask" },
  ] as const;
  assertEquals(checkText(text, "prompt", rules).text, "Ask [NAME] now");
});

Deno.test("entries are read in what they ask, and not in the answer to learn", () => {
  const rules = [
    { filter: personalDataFilter({ kinds: ["email"] }), action: "mask" },
    { filter: blockListFilter(["casino"]), action: "refuse" },
    { filter: domain, action: "refuse" },
  ] as const;
  const asked = {
    instruction: "Where is my parcel?",
    input: "I am a@b.org",
    output: "Ask c@d.org",
  };
  const { entry, found, refusal } = checkEntry(asked, rules);
  assertEquals(entry, { ...asked, input: "I am [EMAIL]" });
  assertEquals(found.map(({ field, start, end }) => [field, start, end]), [["input", 5, 12]]);
  assertEquals(refusal, undefined);
  const outside = checkEntry(
    { instruction: "What is the capital of Peru?", input: "", output: "" },
    rules,
  );
  assertMatch(outside.refusal!, /^Cannot answer: the prompt is outside the domain/);
  const blocked = checkEntry({ ...asked, input: "casino" }, rules);
  assertEquals(blocked.entry, { ...asked, input: "[BLOCKED]" });
  assertEquals(blocked.refusal, 'Cannot answer: the prompt has "casino", which is blocked');
  const message = (role: string, content: string) => ({ role, content });
  const chat = {
    messages: [
      message("system", "Mail to e@f.org."),
      message("user", "What is the capital of Peru?"),
      message("assistant", "Lima, says g@h.org"),
      message("user", "Where is my parcel?"),
      message("assistant", "Ask i@j.org in the casino"),
    ],
  };
  const checked = checkEntry(chat, rules);
  assertEquals(checked.refusal, undefined);
  assertEquals(checked.found.map(({ field }) => field), [
    "messages.0.content",
    "messages.2.content",
  ]);
  assertEquals(checked.entry, {
    messages: chat.messages.with(0, message("system", "Mail to [EMAIL]."))
      .with(2, message("assistant", "Lima, says [EMAIL]")),
  });
  assertEquals([chat, { ...chat, tools: [] }].map(hasUnreadParts), [false, true]);
  assertEquals(promptsOf(chat), ["What is the capital of Peru?", "Where is my parcel?"]);
});

Deno.test("a signature changes with all that findings depend on, and not with order", () => {
  const of = (terms: string[]) => blockListFilter(terms).signature;
  assertEquals(of(["a b", "c"]), of(["C", "A  b"]));
  assertNotEquals(of(["a b", "c"]), of(["a b", "c*"]));
  assertEquals(
    personalDataFilter({ kinds: ["ip", "email"] }).signature,
    "personalData|kinds:email,ip",
  );
  assertMatch(domain.signature, /^domain\|texts:[0-9a-f]{12}\|n:3,4,5\|threshold:0\.208421$/);
  assertNotEquals(domainFilter(DOMAIN, { falseRefusals: 0.2 }).signature, domain.signature);
});

Deno.test("filters keep no state between texts", () => {
  for (const filter of filters) {
    const text = "Is poison from ana@example.org delivered?";
    const first = filter.find(text);
    filter.find("frogs and the moon");
    assertEquals(filter.find(text), first);
  }
});
