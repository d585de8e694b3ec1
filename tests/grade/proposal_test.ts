// Assignment 4, handed in as Markdown: its structure is checked with the rules and the template that ship.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { checkStructure, parseStructureRules, proposalOf } from "../../lib/grade/structure.ts";
import { type Notebook, readNotebook, runNotebook, writeNotebook } from "../../lib/runtime/mod.ts";
import { handIn, type Quality } from "./submissions/submission.ts";
import { submissions } from "./submissions/strategy-proposal.ts";

const folder = fromFileUrl(
  new URL("../../notebooks/assignments/strategy-proposal", import.meta.url),
);
const read = (name: string) => Deno.readTextFileSync(join(folder, name));
const source = await readNotebook(join(folder, "strategy-proposal.ipynb"));
const released = releaseNotebook(source).notebook;
const rules = parseStructureRules(read("structure.json"));
const template = proposalOf(released, rules.title);

/** What is not as it must be, as section and check. */
const faults = (notebook: Notebook) =>
  checkStructure(proposalOf(notebook, rules.title), rules, template)
    .filter(({ passed }) => !passed).map(({ section, check }) => `${section}: ${check}`);

Deno.test("The Markdown template is the released notebook's answers", () => {
  assertEquals(read("week4_assignment_yourname.md"), template);
});

Deno.test("The solution of the proposal has the structure, and the template has only headings", () => {
  assertEquals(faults(source), []);
  assertEquals(faults(released), [
    "Problem scenario: filled",
    "Base model selection: filled",
    "Dataset considerations: filled",
    "Dataset considerations: json",
    "Fine-tuning method: filled",
    "Fine-tuning method: calculation",
    "Evaluation strategy: filled",
    "Potential challenges: filled",
  ]);
});

Deno.test("Each of three proposals has the structural faults that were put into it", () => {
  const found = Object.fromEntries(
    (["good", "fair", "poor"] satisfies Quality[]).map((quality) => [
      quality,
      faults(handIn(released, submissions[quality].answers)),
    ]),
  );
  assertEquals(found, {
    good: [],
    fair: ["Dataset considerations: json", "Fine-tuning method: calculation"],
    poor: [
      "Problem scenario: present",
      "Base model selection: filled",
      "Dataset considerations: filled",
      "Dataset considerations: json",
      "Fine-tuning method: filled",
      "Fine-tuning method: calculation",
      "Evaluation strategy: filled",
      "Potential challenges: filled",
    ],
  });
});

Deno.test("The notebook exports its answers as week4_assignment_<name>.md", async () => {
  const handedIn = handIn(released, submissions.good.answers);
  const temporary = await Deno.makeTempDir({ prefix: "tunebook-proposal-" });
  try {
    const path = join(temporary, "strategy-proposal.ipynb");
    await writeNotebook(path, handedIn);
    const { failure } = await runNotebook(path, { parameters: { yourName: "ada" } });
    assertEquals(failure, undefined);
    assertEquals(
      await Deno.readTextFile(join(temporary, "week4_assignment_ada.md")),
      proposalOf(handedIn, rules.title),
    );
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
});
