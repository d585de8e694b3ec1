// Assignment 4, handed in as Markdown: its structure is checked with the rules and the template that ship.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { collectSubmissions } from "../../lib/grade/collect.ts";
import { initCourse, openCourse } from "../../lib/grade/course.ts";
import { gradeFolder } from "../../lib/grade/batch/grade_folder.ts";
import { openGrader } from "../../lib/grade/grader.ts";
import { gradedCells } from "../../lib/grade/metadata.ts";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import {
  checkStructure,
  parseStructureRules,
  proposalOf,
  withProposal,
} from "../../lib/grade/structure.ts";
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

const answersOf = (notebook: Notebook) =>
  gradedCells(notebook).filter(({ role }) => role === "manual").map(({ cell }) =>
    cell.source.trim()
  );

Deno.test("Markdown is put back into the notebook's answers, section by section", () => {
  for (const quality of ["good", "fair"] satisfies Quality[]) {
    const handedIn = handIn(released, submissions[quality].answers);
    const markdown = proposalOf(handedIn, rules.title);
    assertEquals(answersOf(withProposal(released, markdown)!), answersOf(handedIn));
  }
  const back = answersOf(
    withProposal(
      released,
      "# x\r\n\r\n### 2) BASE MODEL selection:\r\nA\r\n#### why\r\nB\r\n```\n# no heading\n```\n### Other\r\nC\r\n" +
        "## Base model selection\r\nD\r\n",
    )!,
  );
  assertEquals(
    back[1],
    "### 2) BASE MODEL selection:\nA\n#### why\nB\n```\n# no heading\n```\n\n## Base model selection\nD",
  );
  assertEquals([back[0], back[2]], [answersOf(released)[0], answersOf(released)[2]]);
  assertEquals(withProposal(released, "no headings at all"), undefined);
});

Deno.test("Proposals in Markdown and PDF are collected, checked and wait for a person", async () => {
  const root = await Deno.makeTempDir({ prefix: "tunebook-proposal-" });
  try {
    await initCourse(root);
    await Deno.writeTextFile(join(root, "roster.csv"), "id\nada\nbob\neve\n");
    await Deno.writeTextFile(
      join(root, "course.yaml"),
      "assignments: { strategy-proposal: { accepts: [ipynb, md, pdf] } }",
    );
    const sourceFolder = join(root, "source", "strategy-proposal");
    await Deno.mkdir(sourceFolder);
    for await (const { name } of Deno.readDir(folder)) {
      await Deno.copyFile(join(folder, name), join(sourceFolder, name));
    }
    const course = await openCourse(root);
    assertEquals((await releaseAssignment(course, "strategy-proposal")).faults, []);
    const sources = join(root, "sources");
    const hand = async (path: string, text: string) => {
      await Deno.mkdir(join(sources, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(sources, path), text);
    };
    const fair = proposalOf(handIn(released, submissions.fair.answers), rules.title);
    await hand("week4_assignment_ada.md", fair);
    // The template's own name, and the template itself beside it.
    await hand("bob/week4_assignment_yourname.md", fair);
    await hand("bob/structure.json", "{}");
    await hand("eve/week4_assignment_eve.pdf", "%PDF-1.7\n");
    await hand("eve/week4_assignment_yourname.md", template);
    const { attempts } = await collectSubmissions(course, "strategy-proposal", sources);
    assertEquals(attempts.map(({ student, files }) => [student, files]), [
      ["ada", ["week4_assignment_ada.md"]],
      ["bob", ["bob_week4_assignment_yourname.md"]],
      ["eve", ["week4_assignment_eve.pdf"]],
    ]);
    const grader = await openGrader(course, "strategy-proposal");
    for (const student of ["ada", "bob", "eve"]) {
      const { result } = await gradeFolder(course, grader, student, {}, { keepTimeouts: true });
      const [{ verdicts, findings }] = result.notebooks as [typeof result.notebooks[number]];
      assertEquals(verdicts.map(({ status }) => status), Array(8).fill("manual"));
      const graded = join(root, "autograded", student, "strategy-proposal");
      const notebook = join(graded, "strategy-proposal.ipynb");
      if (student === "eve") {
        assertEquals([findings, await Deno.stat(notebook).catch(() => "none")], [[], "none"]);
      } else {
        assertEquals(findings.map(({ message }) => message.split(":").slice(0, 2).join(":")), [
          "Structure: Dataset considerations",
          "Structure: Fine-tuning method",
        ]);
        assertEquals(
          answersOf(await readNotebook(notebook)),
          answersOf(handIn(released, submissions.fair.answers)),
        );
      }
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
