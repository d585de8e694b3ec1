// How comments, errors, help texts and pages are written: the forms that docs/writing.md calls wrong
// occur nowhere.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join, relative } from "@std/path";
import { parse } from "@babel/parser";
import { filesUnder } from "./check.ts";
import { pages, withoutCode } from "./pages.ts";

const root = fromFileUrl(new URL("../", import.meta.url));

/** Folders with texts for models to learn from, whose English is theirs. */
const CORPORA: readonly string[] = [
  "data/instructions/families",
  "data/lexicon",
  "data/nano/genres",
];

const UNITS = "tokens?|bytes|batch(?:es)?|steps?|examples?|rows?|lines?|numbers?|integers?|" +
  "arrays?|times|seconds?|milliseconds?|minutes|ms|s|MB|MiB|GB|GiB|GFLOP|FLOPs?|bits|indices|" +
  "characters?|weights|folders?|files?|spaces|kernels?|trees?|boxes|statements?";
const RATES = "second|minute|step|token|batch|epoch|layer|sequence|example|entry|line|level|byte|" +
  "block|head|cell|row|weight|page|character|prompt|question|draw|channel|message|class|digit";

/** Forms that occur nowhere. */
const FORMS: readonly RegExp[] = [
  /\bhelps? nobody\b/i,
  /\bis as by\b/i,
  /\b(?:not|where|as|been|is|are|was|were) said\b/i,
  /\bhang(?:s|ing)? on\b(?! nodes)/i,
  /\bby way of\b/i,
  /\bbe had\b/i,
  /\bmourn(?:s|ed|ing)?\b|\bobituar(?:y|ies)\b/i,
  /\bbut such as\b/i,
  /\bmend(?:s|ed)?\b/i,
  /\b(?:writes?|begins?|made|put|counts?|answers?) (?:\w+ )?otherwise\b/i,
  /\btell(?:s|ing)? of\b|\btold of\b/i,
  /\bas (?:it|they|one) l(?:ie|ies|ay)\b/i,
  // A rate takes "per".
  new RegExp(
    `\\b(?:${UNITS}) an? (?:${RATES})\\b(?! (?:of|at|on|in|and|that|to|has|may|had|times)\\b)`,
    "i",
  ),
  new RegExp(
    `\\bone (?:\\w+ )?(?:answer|result|score|box|reader|case|suite|pass) an? (?:${RATES})\\b`,
    "i",
  ),
  /\bshall\b/i,
  /\b(?:as|like|than|by|in|from|of|exactly) the reference(?:'s)?(?=[.,;: )]|$)(?! (?:answers?|texts?|outputs?|to|implementation|is|that|values?)\b)/i,
  /\bst(?:ands?|ood) (?:still|together|in pairs|beside|for itself|alone|at another)\b/i,
  /\bletter for letter\b/i,
  /\blikeliest\b/i,
  /\bforetells?\b|\bforetold\b/i,
  /\b(?:takes?|took|taken|taking) (?:\w+ ){1,6}off\b/i,
  /(?<!\bthere )\b(?:is|are|was|were|be) no (?!longer\b|more\b|other\b)/i,
  /(?<!\bthere )\b(?:is|are|was|were) none\b(?!,)/i,
  /\bwhoever\b/i,
  /(?:^|[.:;] )Who (?!\w+[^.]*\?)/,
  /\bless (?:1|one|the|their|its)\b/i,
  /\banew\b/i,
  /\bso many (?!that\b)|\bso-many-th\b/i,
  /\b(?:go|goes|going|went|gone) on\b/i,
  /\bputs? out\b|\bputting out\b/i,
  /\bin silence\b/i,
  /[;.,:] [Ee]lse (?!if\b|\{|%|\d|\.|of \.|\w+(?:\([^)]*\))? [·*+−-])/,
  /\b(?:came|comes?|become|became) of (?:it|them|the|a|one)\b/i,
  /\bat the (?:least|latest|most)\b(?! (?:recent|common|significant|likely))/i,
];

/** A piece of prose and where it is. */
interface Prose {
  readonly place: string;
  readonly text: string;
}

/** A comment as plain text: without its marks, its examples and its code. */
function commentText(value: string): string {
  return withoutCode(value.replace(/^[ \t]*\*(?!\/) ?/gm, "")).replace(/\{@\w+ ([^}]*)\}/g, "$1");
}

/** Comments of a module, and its strings that hold more than one word. */
function proseOf(path: string): Prose[] {
  const name = relative(root, path);
  let source = Deno.readTextFileSync(path);
  if (path.endsWith(".as.ts")) source = source.replace(/^\s*@\w+(?:\(.*\))?[ \t]*/gm, "");
  if (path.endsWith(".wgsl")) {
    return source.split("\n").flatMap((line, i) => {
      const at = line.indexOf("//");
      return at < 0 ? [] : [{ place: `${name}:${i + 1}`, text: line.slice(at + 2) }];
    });
  }
  const found: Prose[] = [];
  const tree = parse(source, {
    sourceType: "module",
    plugins: ["typescript"],
    errorRecovery: true, // AssemblyScript is nearly TypeScript
    tokens: true,
  });
  // Line comments that follow one another are one text.
  let last: { line: number; column: number; prose: { place: string; text: string } } | undefined;
  for (const { type, value, loc } of tree.comments ?? []) {
    if (/^ *deno-lint-ignore|^ *@ts-|^\/ </.test(value)) continue;
    if (type === "CommentBlock") {
      found.push({ place: `${name}:${loc!.start.line}`, text: commentText(value) });
    } else if (last && last.line === loc!.start.line - 1 && last.column === loc!.start.column) {
      last.prose.text += "\n" + value;
      last.line++;
    } else {
      const prose = { place: `${name}:${loc!.start.line}`, text: value };
      found.push(prose);
      last = { line: loc!.start.line, column: loc!.start.column, prose };
    }
  }
  for (const { type, value, loc } of (tree.tokens ?? []) as any[]) {
    // Pieces of templates are labelled "...${" and "...`".
    const text: unknown = /^string|^\.\.\./.test(type.label ?? "") ? value : undefined;
    if (typeof text !== "string" || !/[a-z] [a-z]/i.test(text)) continue;
    // Templates, styles and markup are not English.
    if (/\{%|[{;]\s*[\w-]+:|<\/?\w+[ >]/.test(text)) continue;
    found.push({ place: `${name}:${loc.start.line}`, text });
  }
  return found;
}

/** The wrong forms in a text, with the words around them. */
function wrongForms(text: string): string[] {
  const flat = text.replace(/\s+/g, " ");
  return FORMS.flatMap((form) => {
    const at = form.exec(flat);
    return at ? [flat.slice(Math.max(0, at.index - 30), at.index + at[0].length + 30).trim()] : [];
  });
}

Deno.test("docs/writing.md: what it calls wrong is found, what it calls right is not", async () => {
  const page = await Deno.readTextFile(join(root, "docs/writing.md"));
  const rows = [...page.matchAll(/^\| (?!Wrong|-)(.+?) \| (.+?) \|$/gm)];
  assert(rows.length > 25);
  const missed = rows.map(([, wrong]) => wrong).filter((wrong) => wrongForms(wrong).length === 0);
  assertEquals(missed, [], "Wrong forms that no expression finds");
  const accused = rows.map(([, , right]) => right).filter((right) => wrongForms(right).length > 0);
  assertEquals(accused, [], "Right forms that are taken for wrong");
});

Deno.test("comments, errors, help texts and pages have none of the forms in docs/writing.md", async () => {
  const swept = (path: string) => !CORPORA.some((folder) => path.startsWith(folder + "/"));
  const prose: Prose[] = [];
  for (const folder of ["lib", "tests", "notebooks", "data", "examples", "package"]) {
    for (const path of filesUnder(join(root, folder), (name) => /\.(ts|wgsl)$/.test(name))) {
      if (swept(relative(root, path))) prose.push(...proseOf(path));
    }
  }
  for (const { path, text } of await pages()) {
    // The first shows the forms, the second is generated from comments in lib.
    if (path === "docs/writing.md" || path === "docs/interface.md") continue;
    if (swept(path)) prose.push({ place: path, text: withoutCode(text) });
  }
  const wrong = prose.flatMap(({ place, text }) =>
    wrongForms(text).map((form) => `${place}: … ${form} …`)
  );
  assertEquals(wrong, [], "See docs/writing.md");
});
