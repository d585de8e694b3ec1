/**
 * The model from which another one was made, through all folders in between, and the licence that its files name.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { parse } from "@std/yaml/parse";
import { nameBase } from "../../weights/base.ts";
import { openGguf } from "../../weights/gguf/read.ts";
import type { ResolvedModel } from "../../weights/mod.ts";
import { readRecord } from "../record.ts";

/** Where a model comes from, as far as its files say. */
export interface ModelLineage {
  /** The first model's name. */
  readonly base: string;
  /** Whether that is a repository of the hub. */
  readonly isOnHub: boolean;
  /** Whether the model was made from a folder, which was itself made from the first model or is it. */
  readonly isFromFolder: boolean;
  /** Its licence's identifier, as a card or a GGUF file has it. */
  readonly license?: string;
  /** Its languages' codes. */
  readonly languages?: readonly string[];
}

/** A licence's identifier, or a language's code. */
const IDENTIFIER = /^[A-Za-z0-9][\w.+-]{0,99}$/;

/** A repository of the hub. */
const REPOSITORY = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** More folders than anyone has; a circle of them ends here. */
const FARTHEST = 32;

/**
 * Finds the model from which another one was made first.
 *
 * @param source The model's files.
 * @returns The first model that their records name, and the first licence on the way to it.
 */
export async function findLineage(source: ResolvedModel): Promise<ModelLineage> {
  if (source.kind === "gguf") {
    const { base } = nameBase(source);
    const name = source.source === "file" ? basename(base) : base;
    return {
      base: name,
      isOnHub: source.source === "hub",
      isFromFolder: false,
      ...await termsOfGguf(source.weights),
    };
  }
  let folder = resolve(source.directory);
  let terms = await termsOfFolder(folder);
  if (source.source !== "directory") {
    const isOnHub = source.source === "hub";
    return { base: nameBase(source).base, isOnHub, isFromFolder: false, ...terms };
  }
  for (let i = 0; i < FARTHEST; i++) {
    const record = await readRecord(folder);
    if (record === undefined) break;
    const next = resolve(folder, record.base);
    if (next === folder || !await isFolder(next)) {
      const isOnHub = REPOSITORY.test(record.base);
      return { base: record.base, isOnHub, isFromFolder: true, ...terms };
    }
    folder = next;
    terms = { ...await termsOfFolder(folder), ...terms };
  }
  return { base: basename(folder), isOnHub: false, isFromFolder: true, ...terms };
}

type Terms = Pick<ModelLineage, "license" | "languages">;

/** What the front matter of a folder's card says. */
async function termsOfFolder(folder: string): Promise<Terms> {
  const text = await Deno.readTextFile(join(folder, "README.md")).catch(() => "");
  const [, front] = /^---\r?\n(.*?)\r?\n---(?:\r?\n|$)/s.exec(text) ?? [];
  if (front === undefined) return {};
  try {
    const { license, language } = (parse(front, { schema: "core" }) ?? {}) as Record<
      string,
      unknown
    >;
    return toTerms(license, language);
  } catch {
    return {}; // a card that is not YAML says nothing
  }
}

async function termsOfGguf(path: string): Promise<Terms> {
  using file = await openGguf(path);
  return toTerms(file.metadata.get("general.license"), file.metadata.get("general.languages"));
}

function toTerms(license: unknown, language: unknown): Terms {
  const isIdentifier = (value: unknown): value is string =>
    typeof value === "string" && IDENTIFIER.test(value);
  const languages = [language].flat().filter(isIdentifier);
  return {
    ...(isIdentifier(license) && { license }),
    ...(languages.length > 0 && { languages }),
  };
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
