// The project's pages, for tests of what they say: Markdown files, and the Markdown cells of notebooks.

import { fromFileUrl, relative } from "@std/path";
import { filesUnder } from "./check.ts";

const root = fromFileUrl(new URL("../", import.meta.url));

/** A page. */
export interface Page {
  /** Where it lies, from the repository's root. */
  readonly path: string;
  /** Its Markdown; a notebook's cells one after the other. */
  readonly text: string;
}

/** A notebook that ran and its report in Markdown, which have a model's words in them. */
const isRun = (path: string) => /^examples\/recipes\/\d/.test(path);

/** All pages. */
export async function pages(): Promise<Page[]> {
  const found: Page[] = [];
  for (const path of filesUnder(root, (name) => /\.(md|ipynb)$/.test(name) && name[0] !== ".")) {
    if (isRun(relative(root, path))) continue;
    const content = await Deno.readTextFile(path);
    const text = path.endsWith(".md") ? content : JSON.parse(content).cells
      .filter(({ cell_type }: { cell_type: string }) => cell_type === "markdown")
      .map(({ source }: { source: string | string[] }) => [source].flat().join("")).join("\n\n");
    found.push({ path: relative(root, path), text });
  }
  return found;
}

/** A page's text without its code; inline code may continue on the next line. */
export const withoutCode = (text: string): string =>
  text.replace(/```[^]*?```/g, "").replace(/`(?:[^`\n]|\n(?!\n))*`/g, "");
