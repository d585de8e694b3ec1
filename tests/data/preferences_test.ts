// The pairs of chapter 10: made by their script, and as their README says.

import { assert, assertEquals } from "@std/assert";
import { preferences, toJsonl } from "../../data/preferences/make.ts";
import { loadPreferences } from "../../lib/dataset/mod.ts";

const file = new URL("../../data/preferences/preferences.jsonl", import.meta.url);
const all = preferences();
const of = (wanted: string) => all.filter(({ topic }) => topic === wanted);

Deno.test("preferences: the committed pairs are what the script makes, and are read", async () => {
  assertEquals(await Deno.readTextFile(file), toJsonl(all));
  assertEquals(await loadPreferences(file), all as never);
});

Deno.test("preferences: as many as the README says, no prompt twice in a topic", () => {
  for (const [topic, count] of [["brief", 160], ["polite", 160], ["honest", 32]] as const) {
    const prompts = of(topic).map(({ prompt }) => prompt);
    assertEquals([prompts.length, new Set(prompts).size], [count, count], topic);
  }
  const [brief, polite] = [of("brief"), of("polite")];
  assertEquals(brief.map(({ prompt }) => prompt), polite.map(({ prompt }) => prompt));
});

Deno.test("preferences: both answers state the same fact, and the better one is always shorter, or always longer", () => {
  for (const { chosen, rejected } of of("brief")) {
    const [, fact] = /^It is (.+)\.$/.exec(chosen)!;
    assert(rejected.endsWith(` ${fact}.`) && chosen.length < rejected.length, rejected);
  }
  for (const { chosen, rejected } of of("polite")) {
    assertEquals(chosen, `${rejected} I hope that helps.`);
  }
  const refusals = of("honest").filter(({ chosen }) => chosen === "I do not know.");
  assertEquals(refusals.length, of("honest").length / 2);
});
