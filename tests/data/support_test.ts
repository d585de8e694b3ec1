// The help desks' requests: made of their tasks, with the flaws that their page names, and a review of each finding.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { readDrafts, readTasks, toJsonl, toReview } from "../../data/support/make.ts";
import {
  cleanEntries,
  dedupeEntries,
  groupsOf,
  loadEntries,
  readReview,
  strataOf,
} from "../../lib/dataset/mod.ts";
import { splitEntries } from "../../lib/dataset/split.ts";
import { isNumberedList } from "../../lib/eval/metrics/numbered_list.ts";

const here = (name: string) => new URL(`../../data/support/${name}`, import.meta.url);
const text = (name: string) => Deno.readTextFile(here(name));
const [tasks, drafts] = [await readTasks(), await readDrafts()];
const DOMAINS = ["e-commerce", "education", "fintech", "productivity"];
const TOPICS = ["how-to", "planning", "security", "troubleshooting"];

/** As the recipe collects and cleans them. */
async function clean() {
  const byHand = await loadEntries(here("support.jsonl"), { keep: ["domain"] });
  const byTeacher = drafts.filter(({ verdict }) => verdict !== "reject").map((draft) => ({
    instruction: draft.request,
    input: "",
    output: (draft.revision ?? draft.draft).trim(),
    topic: draft.topic,
    domain: draft.domain,
  }));
  const collected = [...byHand, ...byTeacher];
  return cleanEntries(collected, {
    normalize: ["unicode", "punctuation", "whitespace", "case", "steps"],
    personal: ["email", "phone", "account", "iban", "card"],
    confirm: readReview(await text("personal-review.csv")),
  });
}

Deno.test("support: the committed files are those of tasks and drafts", async () => {
  assertEquals(await text("support.jsonl"), toJsonl(tasks));
  assertEquals(await text("review.csv"), toReview(drafts));
});

Deno.test("support: sizes, domains and kinds of tasks are those of its page", async () => {
  const requests = tasks.flatMap(({ requests }) => requests);
  assertEquals([tasks.length, requests.length, drafts.length], [36, 109, 12]);
  const page = await text("README.md");
  assertStringIncludes(page, "`written` by hand (36)");
  assertStringIncludes(page, "(73)");
  const all = [...tasks, ...drafts];
  assertEquals([...new Set(all.map(({ domain }) => domain))].sort(), DOMAINS);
  assertEquals([...new Set(all.map(({ topic }) => topic))].sort(), TOPICS);
});

Deno.test("support: drafts are accepted as they are, revised with a reason, or rejected with one", () => {
  for (const { request, verdict, revision, reason } of drafts) {
    assertEquals(
      [revision !== undefined, reason !== undefined],
      {
        accept: [false, false],
        revise: [true, true],
        reject: [false, true],
      }[verdict],
      request,
    );
  }
  assertEquals(drafts.filter(({ verdict }) => verdict === "reject").length, 2);
});

Deno.test("support: cleaned, every answer is a numbered list, and one request is there twice", async () => {
  const { entries, dropped } = await clean();
  assertEquals([entries.length, dropped.length], [119, 0]);
  for (const { output } of entries) {
    assert(isNumberedList(output), output);
    assertMatch(output.split("\n").at(-1)!, /^[3-5]\. [A-Z]/);
  }
  assertEquals(dedupeEntries(entries, { near: false }).removed.map(({ kind }) => kind), ["exact"]);
});

Deno.test("support: the review has each finding, and keeps the help desk's own address", async () => {
  const { findings, entries } = await clean();
  const reviewed = parse(await text("personal-review.csv"), { skipFirstRow: true });
  assertEquals(reviewed.length, findings.length);
  const masked = findings.filter((_, i) => reviewed[i].mask === "yes");
  assertEquals(masked.map(({ kind }) => kind), ["email", "phone", "account", "email", "email"]);
  const all = entries.map(({ instruction, output }) => `${instruction}\n${output}`).join("\n");
  assertEquals(new Set(all.match(/\S+@\S+/g)), new Set(["abuse@pedlar.example"]));
});

Deno.test("support: the recipe's split has every kind of task in each part, every domain in the test", async () => {
  const { kept } = dedupeEntries((await clean()).entries, { near: false });
  const parts = splitEntries(kept, {
    fractions: [0.8, 0.1, 0.1],
    stratify: strataOf(kept, ["topic"]),
    groups: groupsOf(kept, ["completion"]),
  });
  assertEquals(
    [parts.train, parts.validation, parts.test].map(({ length }) => length),
    [94, 13, 11],
  );
  for (const part of [parts.train, parts.validation, parts.test]) {
    assertEquals([...new Set(part.map(({ topic }) => topic))].sort(), TOPICS);
  }
  const domains = parts.test.map((entry) => (entry as unknown as { domain: string }).domain);
  assertEquals([...new Set(domains)].sort(), DOMAINS);
});
