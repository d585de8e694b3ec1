/**
 * The automatic check of a written proposal's structure: its sections are present and filled, examples of data parse,
 * and a calculation has numbers. What the proposal says is marked by a person.
 *
 * @module
 */

import MarkdownIt from "markdown-it";
import { z } from "zod";
import type { Notebook } from "../runtime/notebook.ts";
import { gradedCells } from "./metadata.ts";
import { STUBS } from "./stubs.ts";

const schema = z.strictObject({
  title: z.string().min(1),
  /** The name of the Markdown file, with `<name>` in the place of the student's. */
  file: z.string().regex(/^[\w-]*<name>[\w-]*\.md$/, "expected <name> and .md").optional(),
  sections: z.array(z.strictObject({
    heading: z.string().regex(/\p{L}/u, "has no letter"),
    minWords: z.int().min(1),
    json: z.boolean().default(false),
    calculation: z.boolean().default(false),
  })).min(1),
});

/** What a proposal must have. */
export type StructureRules = z.infer<typeof schema>;

/** One row of the table of what was checked. */
export interface StructureRow {
  /** The heading of the section. */
  readonly section: string;
  /** What was looked for in it. */
  readonly check: "present" | "filled" | "json" | "calculation";
  /** Whether it was found. */
  readonly passed: boolean;
  /** What was found and, if the check failed, what was expected. */
  readonly message: string;
  /** The line of the section's heading, from 1; undefined if there is no such section. */
  readonly line?: number;
}

/** The longest proposal that is checked, in characters. */
const MAX_LENGTH = 1_000_000;

/**
 * Reads the rules of a structure.
 *
 * @param json The text of a JSON file: a title, and sections with their headings and what each needs.
 * @returns The rules.
 * @throws {SyntaxError} If the text is not JSON or does not fit.
 */
export function parseStructureRules(json: string): StructureRules {
  const result = schema.safeParse(JSON.parse(json));
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new SyntaxError(
    `Cannot read the rules of a structure at "${path.join(".")}": ${
      message.replace(/^./, (letter) => letter.toLowerCase())
    }`,
  );
}

/**
 * Checks the structure of a proposal.
 *
 * Headings are compared without their numbers, punctuation and case, at any level. Text counts only where it goes beyond
 * the template: its lines, its stubs and its examples do not fill a section.
 *
 * @param markdown The proposal.
 * @param rules What it must have.
 * @param template The text that students started from.
 * @returns A row for each section, and for each thing that the section needs.
 * @throws {RangeError} If the proposal has more than a million characters.
 */
export function checkStructure(
  markdown: string,
  rules: StructureRules,
  template = "",
): StructureRow[] {
  assertLength(markdown);
  const sections = sectionsOf(markdown, rules);
  const given = sectionsOf(template, rules);
  return rules.sections.flatMap((rule) => {
    const { heading } = rule;
    const section = sections.get(normalized(heading));
    const line = section?.line;
    const row = (check: StructureRow["check"], message: string, passed: boolean): StructureRow => ({
      section: heading,
      check,
      passed,
      message,
      ...(line !== undefined && { line }),
    });
    if (!section) {
      return [row("present", `There is no heading "${heading}"`, false)];
    }
    const from = given.get(normalized(heading));
    const rows = [row("present", `The heading is in line ${line}`, true)];
    const words = countWords(section.lines, from?.lines ?? []);
    const expected = words < rule.minWords ? `; expected at least ${rule.minWords}` : "";
    rows.push(row("filled", `${words} ${words === 1 ? "word" : "words"}${expected}`, !expected));
    if (rule.json) {
      const fault = faultOfJson(section.fences, from?.fences ?? []);
      rows.push(row("json", fault ?? "The JSON example parses", fault === undefined));
    }
    if (rule.calculation) {
      const found = calculationIn(section, from);
      const message = found
        ? `A calculation: ${shortened(found)}`
        : 'No calculation with numbers, such as "7e9 × 4 / 8 = 3.5e9 bytes"';
      rows.push(row("calculation", message, found !== undefined));
    }
    return rows;
  });
}

/**
 * Writes what was checked as a table.
 *
 * @param rows What {@linkcode checkStructure} gives.
 * @returns Markdown.
 */
export function structureTable(rows: readonly StructureRow[]): string {
  const cell = (text: string) =>
    text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>&|~$#!]/g, "\\$&").trim();
  const lines = rows.map(({ section, check, passed, message }) =>
    `| ${cell(section)} | ${check} | ${passed ? "yes" : "no"} | ${cell(message)} |`
  );
  return ["| Section | Check | Passed | Found |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

/**
 * Joins the written answers of a notebook to a proposal, as a student hands it in.
 *
 * @param notebook The notebook; each answer that a person marks begins with its heading.
 * @param title The title of the proposal.
 * @returns Markdown.
 * @throws {SyntaxError} If the notebook's metadata cannot be read.
 */
export function proposalOf(notebook: Notebook, title: string): string {
  const answers = gradedCells(notebook).filter(({ role, cell }) =>
    role === "manual" && cell.cell_type === "markdown"
  );
  return [`# ${title}`, ...answers.map(({ cell }) => cell.source.trim())].join("\n\n") + "\n";
}

/**
 * Puts the sections of a proposal back into a notebook's answers, so that a hand-in in Markdown is marked like a notebook.
 *
 * @param released The released notebook; each answer that a person marks begins with its heading.
 * @param markdown The proposal.
 * @returns The notebook with the sections found; other answers stay as released. Undefined if none is found.
 * @throws {RangeError} If the proposal has more than a million characters.
 */
export function withProposal(released: Notebook, markdown: string): Notebook | undefined {
  assertLength(markdown);
  const notebook = structuredClone(released);
  const answers = gradedCells(notebook).flatMap(({ role, cell }) => {
    const heading = /^#{1,6} +(.+?)(?: +#+)? *$/m.exec(cell.source)?.[1];
    return role === "manual" && cell.cell_type === "markdown" && heading !== undefined
      ? [{ cell, name: normalized(heading) }]
      : [];
  });
  const texts = sourcesOf(markdown, new Set(answers.map(({ name }) => name)));
  for (const { cell, name } of answers) cell.source = texts.get(name) ?? cell.source;
  return texts.size === 0 ? undefined : notebook;
}

interface Fence {
  readonly language: string;
  readonly content: string;
}

interface Section {
  readonly line: number;
  /** Lines of its text, outside of code and HTML. */
  readonly lines: string[];
  readonly fences: Fence[];
}

/** Only blocks are parsed: what stands inside a line is counted, never rendered. */
const parser = new MarkdownIt({ html: true });
parser.core.ruler.enableOnly(["normalize", "block"]);

/** The sections that the rules name. A repeated heading continues its section. */
function sectionsOf(markdown: string, rules: StructureRules): Map<string, Section> {
  const known = new Set(rules.sections.map(({ heading }) => normalized(heading)));
  const found = new Map<string, Section>();
  let section: Section | undefined;
  let sectionLevel = 0;
  let headingLevel = 0; // 0 outside of a heading
  for (const token of parser.parse(markdown, {})) {
    if (token.type === "heading_open") headingLevel = Number(token.tag.slice(1));
    else if (token.type === "heading_close") headingLevel = 0;
    else if (token.type === "inline" && headingLevel > 0) {
      const name = normalized(token.content);
      if (known.has(name)) {
        section = found.get(name) ?? { line: token.map![0] + 1, lines: [], fences: [] };
        found.set(name, section);
        sectionLevel = headingLevel;
      } else if (headingLevel <= sectionLevel) section = undefined;
    } else if (token.type === "inline") {
      section?.lines.push(...token.content.split("\n"));
    } else if (token.type === "fence" || token.type === "code_block") {
      const language = token.info.trim().split(/\s/)[0]!.toLowerCase();
      section?.fences.push({ language, content: token.content });
    }
  }
  return found;
}

/** The text of the sections with known headings, headings included. */
function sourcesOf(markdown: string, known: ReadonlySet<string>): Map<string, string> {
  const lines = markdown.replace(/\r\n?/g, "\n").split("\n");
  const headings = parser.parse(markdown, {}).flatMap((token, i, tokens) =>
    token.type === "heading_open"
      ? [{
        line: token.map![0],
        level: Number(token.tag.slice(1)),
        name: normalized(tokens[i + 1]!.content),
      }]
      : []
  );
  const found = new Map<string, string>();
  for (const [i, { line, level, name }] of headings.entries()) {
    if (!known.has(name)) continue;
    const next = headings.slice(i + 1).find((one) => known.has(one.name) || one.level <= level);
    const text = lines.slice(line, next?.line).join("\n").trim();
    found.set(name, found.has(name) ? `${found.get(name)}\n\n${text}` : text);
  }
  return found;
}

function assertLength({ length }: string): void {
  if (length <= MAX_LENGTH) return;
  throw new RangeError(
    `Cannot check a proposal of ${length} characters: expected at most ${MAX_LENGTH}`,
  );
}

/** A heading without its number, punctuation and case. */
function normalized(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim().replace(/^\d+ /, "");
}

function countWords(lines: readonly string[], template: readonly string[]): number {
  const given = [...template, STUBS.text].map((line) => line.trim()).filter((line) => line !== "")
    .sort((a, b) => b.length - a.length);
  const own = lines.map((line) => {
    const text = line.trim();
    const label = given.find((start) => text.startsWith(start));
    return label === undefined ? text : text.slice(label.length);
  });
  const text = own.join("\n").replace(/<[^<>]*>/g, " ");
  return text.match(/\p{L}[\p{L}\p{N}'’-]*|\p{N}[\p{N}.,]*/gu)?.length ?? 0;
}

const JSON_LANGUAGES = new Set(["json", "jsonl", "ndjson"]);

const isJson = ({ language, content }: Fence) =>
  JSON_LANGUAGES.has(language) || (language === "" && /^\s*[[{]/.test(content));

/** What is wrong with the JSON examples; undefined if one is right and is not the template's. */
function faultOfJson(fences: readonly Fence[], template: readonly Fence[]): string | undefined {
  const given = new Set(template.map(({ content }) => content.trim()));
  let fault: string | undefined;
  for (const fence of fences.filter(isJson)) {
    if (given.has(fence.content.trim())) {
      fault ??= "The JSON example is the template's; expected one of your own";
      continue;
    }
    try {
      if (parseExamples(fence).some(isFilled)) return undefined;
      fault ??= "The JSON example is empty; expected an object with the fields of an example";
    } catch (error) {
      fault ??= `The JSON example does not parse: ${shortened((error as Error).message)}`;
    }
  }
  return fault ?? "There is no JSON example; expected a fenced block that begins with ```json";
}

/** One JSON value, or one per line. */
function parseExamples({ language, content }: Fence): unknown[] {
  const lines = () => content.split("\n").filter((line) => line.trim() !== "");
  if (language === "jsonl" || language === "ndjson") return lines().map((line) => JSON.parse(line));
  try {
    return [JSON.parse(content)].flat();
  } catch (error) {
    try {
      return lines().map((line) => JSON.parse(line));
    } catch {
      throw error;
    }
  }
}

const isFilled = (value: unknown) =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** The first line in which at least two numbers are combined and a number is the result. */
function calculationIn(section: Section, template: Section | undefined): string | undefined {
  const linesOf = ({ lines, fences }: Section) =>
    [
      ...lines,
      ...fences.filter((fence) => !isJson(fence)).flatMap(({ content }) => content.split("\n")),
    ].map((line) => line.trim());
  const given = new Set(template ? linesOf(template) : []);
  return linesOf(section).find((line) => !given.has(line) && isCalculation(line));
}

function isCalculation(line: string): boolean {
  const sides = line.split(/[=≈]/);
  return sides.slice(1).some((right, i) => /\d/.test(right) && combinesNumbers(sides[i]!));
}

/** Whether an operator stands between two numbers; units and brackets may stand there too. */
function combinesNumbers(text: string): boolean {
  const between = text.split(/\p{N}[\p{N}.,_]*/u).slice(1, -1);
  return between.some((part) => /[×*·⋅+−–/÷^-]|(^|\s)x(\s|$)/i.test(part));
}

const shortened = (text: string) => text.length > 120 ? text.slice(0, 119) + "…" : text;
