// How pages, chapters and exercises are written: spelling, and formulas that can be typeset.

import { assert, assertEquals } from "@std/assert";
import nspell from "nspell";
import dictionary from "dictionary-en-gb";
import type { Exercise } from "../lib/course/mod.ts";
import { renderMarkdown } from "../lib/runtime/report/markdown.ts";
import { type Page, pages, withoutCode } from "./pages.ts";

/** Pages for learners and users; tests' own pages and the generated list of exports are full of names. */
const forReaders = async () =>
  (await pages()).filter(({ path }) => !path.startsWith("tests/") && path !== "docs/interface.md");

/** What exercises say, a page a chapter. */
async function exercisePages(): Promise<Page[]> {
  const found: Page[] = [];
  const folder = new URL("../notebooks/exercises/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    const exercises: Exercise<unknown[], unknown>[] = Object.values(
      await import(new URL(name, folder).href),
    );
    const text = exercises.flatMap((
      { title, hint, mistakes },
    ) => [title, hint, ...Object.keys(mistakes ?? {})]).join("\n\n");
    found.push({ path: `notebooks/exercises/${name}`, text });
  }
  return found;
}

Deno.test("pages, chapters and exercises are spelled as British dictionaries have it", async () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const spelling = nspell({ aff: text(dictionary.aff), dic: text(dictionary.dic) });
  const own = await Deno.readTextFile(new URL("words.txt", import.meta.url));
  for (const word of own.trim().split("\n")) spelling.add(word);
  assert(!spelling.correct("recieve") && spelling.correct("colour"));
  const unknown = new Map<string, string>();
  for (const { path, text } of [...await forReaders(), ...await exercisePages()]) {
    const prose = withoutCode(text).replace(/\$\$[^]*?\$\$|\$[^$\n]+\$/g, " ")
      .replace(/<[^>]*>|\]\([^)]*\)|https?:\S+/g, " ");
    for (const [found] of prose.matchAll(/\p{L}{2,}(?:['’]\p{L}+)*/gu)) {
      const word = found.replace("’", "'").replace(/'s$/, "");
      if (/.\p{Lu}/u.test(word)) continue; // names such as LoRA, and of variables
      if (!spelling.correct(word)) unknown.set(word, path);
    }
  }
  assertEquals(
    [...unknown].sort(),
    [],
    "Words that neither the dictionary has nor tests/words.txt, where names and terms belong",
  );
});

Deno.test("formulas of pages and chapters can be typeset, and no dollar sign is left over", async () => {
  let formulas = 0;
  for (const { path, text } of await pages()) {
    const { html } = renderMarkdown(text, { prefix: "page", headings: true });
    assert(!html.includes("math-error"), `${path}: ${/math-error">(.*?)</.exec(html)?.[1]}`);
    formulas += html.match(/<math\b/g)?.length ?? 0;
    const rest = html.replace(/<(code|pre|math)\b[^]*?<\/\1>/g, "");
    assert(!rest.includes("$"), `${path}: ${/.{0,40}\$.{0,40}/.exec(rest)?.[0]}`);
  }
  assert(formulas > 20, `${formulas} formulas`);
});
