/**
 * Pairs of submissions that share more than the release explains: a place to look, never a verdict.
 *
 * Names and literals of code are ignored, and case and punctuation of text. What stands in the release
 * counts for nobody, and neither does what a large part of the course has in common.
 *
 * Source: Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting", 2003; the
 * alignment is greedy, longest first, as in Wise, "YAP3", 1996.
 *
 * @module
 */

import type { Cell, Notebook } from "../runtime/notebook.ts";
import { readGradeMetadata } from "./metadata.ts";
import { codeTokens, type PlacedToken, textTokens } from "./similar/tokens.ts";
import { type Grain, gramHashes, winnow } from "./similar/winnow.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** What one student handed in. */
export interface ComparedSubmission {
  /** The student, or any other name for the submission. */
  readonly id: string;
  /** The notebook. */
  readonly notebook: Notebook;
}

/** A part of one cell. */
export interface SharedPart {
  /** The cell's place in its notebook, from 0. */
  readonly cell: number;
  /** Its `grade_id`, if it has one. */
  readonly gradeId?: string;
  /** Where the part begins in the cell's source, in UTF-16 units. */
  readonly start: number;
  /** Where it ends, exclusive. */
  readonly end: number;
}

/** Two parts that are the same but for what is ignored. */
export interface SharedRange {
  /** In the first submission. */
  readonly first: SharedPart;
  /** In the second. */
  readonly second: SharedPart;
  /** Their length in tokens of code or words of text. */
  readonly tokens: number;
}

/** Two submissions that share something. */
export interface SimilarPair {
  /** The id of one. */
  readonly first: string;
  /** The id of the other. */
  readonly second: string;
  /** What they share of both submissions' own tokens, from 0 to 1. */
  readonly score: number;
  /** The part of the first one's own tokens that the second has too, from 0 to 1. */
  readonly firstShare: number;
  /** The part of the second one's own tokens that the first has too. */
  readonly secondShare: number;
  /** The shared parts, the longest first. They do not overlap. */
  readonly ranges: readonly SharedRange[];
}

/** What {@linkcode findSimilar} gives. */
export interface Similarities {
  /** The pairs, those that share most first. */
  readonly pairs: readonly SimilarPair[];
  /** How many passages were left out because many submissions have them; an instructor may want to know why. */
  readonly commonPassages: number;
}

/** Options of {@linkcode findSimilar}. */
export interface SimilarOptions {
  /** The least score of a pair. Default: 0.1. */
  readonly threshold?: number;
  /**
   * A passage that more submissions have is taken for common knowledge. Default: a tenth of the submissions, at
   * least 10.
   */
  readonly commonIn?: number;
}

/** Code says little in a few tokens once names are gone; text says much in a few words. */
const GRAINS: Readonly<Record<"code" | "text", Grain>> = {
  code: { gram: 20, window: 6 },
  text: { gram: 6, window: 4 },
};

/** The number of places at which a repeated passage, such as rows of a table, is compared. */
const MAX_REPEATS = 8;

const SIMILAR_OPTIONS: OptionNames<SimilarOptions> = {
  threshold: true,
  commonIn: true,
};

/**
 * Finds pairs of submissions that share more than the release explains.
 *
 * The time grows with the length of all submissions and with the number of passages shared.
 *
 * @param submissions The submissions to one assignment.
 * @param release The notebook that students received, and other sources that all may have used.
 * @param options Where to draw lines.
 * @returns The pairs with aligned ranges.
 * @throws {RangeError} If the threshold is not from 0 to 1.
 *
 * @example
 * ```ts
 * import { findSimilar, releaseNotebook } from "tunebook/grade";
 * import { readNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = await readNotebook("notebooks/assignments/gradients/gradients.ipynb");
 * const release = releaseNotebook(source).notebook;
 * const [ada, bob] = ["ada", "bob"].map((student) => ({ student, notebook: source }));
 * const { pairs } = findSimilar([ada, bob], release);
 * assertEquals(pairs.length, 1);
 * ```
 */
export function findSimilar(
  submissions: readonly ComparedSubmission[],
  release: Notebook | readonly Notebook[],
  options: SimilarOptions = {},
): Similarities {
  assertKnownOptions("compare submissions", options, SIMILAR_OPTIONS);
  const { threshold = 0.1, commonIn = Math.max(10, Math.ceil(submissions.length / 10)) } = options;
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new RangeError(`Cannot compare with the threshold ${threshold}: expected from 0 to 1`);
  }
  const names = new Names();
  const given = readGiven(Array.isArray(release) ? release : [release], names);
  const works = submissions.map(({ notebook }) => readWork(notebook, names, given));
  const { shared, commonPassages } = sharedPassages(works, commonIn);
  const pairs: SimilarPair[] = [];
  for (const [key, places] of shared) {
    const i = Math.floor(key / works.length), j = key % works.length;
    const a = works[i]!, b = works[j]!;
    const tiles = alignPassages(a, b, places);
    const tokens = tiles.reduce((sum, tile) => sum + tile.length, 0);
    const score = 2 * tokens / (a.own + b.own);
    if (tokens === 0 || score < threshold) continue;
    pairs.push({
      first: submissions[i]!.id,
      second: submissions[j]!.id,
      score,
      firstShare: tokens / a.own,
      secondShare: tokens / b.own,
      ranges: tiles.map((tile) => ({
        first: partOf(a, tile.a, tile.length),
        second: partOf(b, tile.b, tile.length),
        tokens: tile.length,
      })),
    });
  }
  pairs.sort((a, b) =>
    b.score - a.score || compareText(a.first, b.first) || compareText(a.second, b.second)
  );
  return { pairs, commonPassages };
}

/** Numbers for tokens; equal ones have the same. Code and text never mix. */
class Names {
  readonly #ids = new Map<string, number>();

  id(kind: string, key: string): number {
    const name = `${kind} ${key}`;
    let id = this.#ids.get(name);
    if (id === undefined) this.#ids.set(name, id = this.#ids.size);
    return id;
  }
}

/** A submission as one sequence of tokens; where `given` is 1, the token is not the student's own. */
interface Work {
  readonly ids: Int32Array;
  readonly given: Uint8Array;
  readonly tokens: readonly PlacedToken[];
  /** The runs of own tokens within a cell. */
  readonly runs: readonly { from: number; to: number; grain: Grain }[];
  readonly cells: readonly { from: number; to: number; index: number; gradeId?: string }[];
  /** How many tokens are the student's own. */
  readonly own: number;
}

function kindOf(cell: Cell): "code" | "text" {
  return cell.cell_type === "code" ? "code" : "text";
}

function tokensOf(cell: Cell): PlacedToken[] {
  return kindOf(cell) === "code" ? codeTokens(cell.source) : textTokens(cell.source);
}

function idsOf(cell: Cell, tokens: readonly PlacedToken[], names: Names): Int32Array {
  const kind = kindOf(cell);
  return Int32Array.from(tokens, ({ key }) => names.id(kind, key));
}

/** What the release explains. */
interface Given {
  /** The hashes of all its runs. */
  readonly grams: ReadonlySet<number>;
  /** Its cells as wholes, for those that are shorter than a run. */
  readonly cells: ReadonlySet<string>;
}

function readGiven(notebooks: readonly Notebook[], names: Names): Given {
  const grams = new Set<number>();
  const cells = new Set<string>();
  for (const cell of notebooks.flatMap(({ cells }) => cells)) {
    const ids = idsOf(cell, tokensOf(cell), names);
    cells.add(ids.join());
    for (const hash of gramHashes(ids, 0, ids.length, GRAINS[kindOf(cell)].gram)) grams.add(hash);
  }
  return { grams, cells };
}

function readWork(notebook: Notebook, names: Names, explained: Given): Work {
  const parts = notebook.cells.map((cell) => {
    const tokens = tokensOf(cell);
    return { cell, tokens, ids: idsOf(cell, tokens, names) };
  });
  const length = parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const ids = new Int32Array(length);
  const given = new Uint8Array(length);
  const runs: { from: number; to: number; grain: Grain }[] = [];
  const cells: Work["cells"][number][] = [];
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const from = at;
    const grain = GRAINS[kindOf(part.cell)];
    ids.set(part.ids, from);
    at += part.ids.length;
    if (explained.cells.has(part.ids.join())) given.fill(1, from, at);
    let marked = from;
    for (const [i, hash] of gramHashes(ids, from, at, grain.gram).entries()) {
      if (!explained.grams.has(hash)) continue;
      const end = from + i + grain.gram;
      given.fill(1, Math.max(marked, from + i), end);
      marked = end;
    }
    cells.push({ from, to: at, index, gradeId: gradeIdOf(part.cell) });
    for (let begin = from; begin < at; begin++) {
      if (given[begin]) continue;
      let end = begin;
      while (end < at && !given[end]) end++;
      runs.push({ from: begin, to: end, grain });
      begin = end;
    }
  }
  const own = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  return { ids, given, tokens: parts.flatMap(({ tokens }) => tokens), runs, cells, own };
}

function gradeIdOf(cell: Cell): string | undefined {
  try {
    return readGradeMetadata(cell)?.grade_id;
  } catch {
    return undefined; // students' metadata may be anything
  }
}

/** For each pair, as `first * count + second`, where the same passage begins in both. */
function sharedPassages(works: readonly Work[], commonIn: number): {
  shared: Map<number, { a: number; b: number }[]>;
  commonPassages: number;
} {
  const index = new Map<number, Map<number, number[]>>();
  for (const [i, { ids, runs }] of works.entries()) {
    for (const { from, to, grain } of runs) {
      for (
        const { hash, position } of winnow(
          gramHashes(ids, from, to, grain.gram),
          from,
          grain.window,
        )
      ) {
        let places = index.get(hash);
        if (places === undefined) index.set(hash, places = new Map());
        const own = places.get(i);
        if (own === undefined) places.set(i, [position]);
        else if (own.length < MAX_REPEATS) own.push(position);
      }
    }
  }
  const shared = new Map<number, { a: number; b: number }[]>();
  let commonPassages = 0;
  for (const places of index.values()) {
    if (places.size < 2) continue;
    if (places.size > commonIn) {
      commonPassages++;
      continue;
    }
    const entries = [...places];
    for (const [n, [i, inFirst]] of entries.entries()) {
      for (const [j, inSecond] of entries.slice(n + 1)) {
        const key = i * works.length + j;
        let list = shared.get(key);
        if (list === undefined) shared.set(key, list = []);
        for (const a of inFirst) for (const b of inSecond) list.push({ a, b });
      }
    }
  }
  return { shared, commonPassages };
}

interface Tile {
  a: number;
  b: number;
  length: number;
}

/** The longest common parts around the places, each token used once. */
function alignPassages(a: Work, b: Work, places: { a: number; b: number }[]): Tile[] {
  const found: Tile[] = [];
  const doneTo = new Map<number, number>(); // by diagonal, how far the first is covered
  for (const place of places.sort((x, y) => x.a - y.a || x.b - y.b)) {
    const diagonal = place.a - place.b;
    if (place.a < (doneTo.get(diagonal) ?? -1)) continue;
    const cellA = cellAt(a, place.a), cellB = cellAt(b, place.b);
    const same = (i: number, j: number) =>
      i >= cellA.from && i < cellA.to && j >= cellB.from && j < cellB.to &&
      !a.given[i] && !b.given[j] && a.ids[i] === b.ids[j];
    let before = 0;
    while (same(place.a - before - 1, place.b - before - 1)) before++;
    let after = 0;
    while (same(place.a + after, place.b + after)) after++;
    doneTo.set(diagonal, place.a + after);
    // Equal hashes do not prove equality, so the tokens themselves are compared.
    const length = before + after;
    if (after > 0) found.push({ a: place.a - before, b: place.b - before, length });
  }
  const usedA = new Uint8Array(a.ids.length), usedB = new Uint8Array(b.ids.length);
  const tiles: Tile[] = [];
  for (const tile of found.sort((x, y) => y.length - x.length || x.a - y.a || x.b - y.b)) {
    let { a: i, b: j, length } = tile;
    while (length > 0 && (usedA[i] || usedB[j])) i++, j++, length--;
    while (length > 0 && (usedA[i + length - 1] || usedB[j + length - 1])) length--;
    if (length < grainAt(a, i).gram) continue;
    if (usedA.subarray(i, i + length).includes(1) || usedB.subarray(j, j + length).includes(1)) {
      continue;
    }
    usedA.fill(1, i, i + length);
    usedB.fill(1, j, j + length);
    tiles.push({ a: i, b: j, length });
  }
  return tiles;
}

/** The cell or run of which a position is part, found by halving. */
function spanAt<T extends { from: number; to: number }>(spans: readonly T[], position: number): T {
  let low = 0, high = spans.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.to <= position) low = middle + 1;
    else high = middle;
  }
  return spans[low]!;
}

function cellAt(work: Work, position: number): Work["cells"][number] {
  return spanAt(work.cells, position);
}

function grainAt(work: Work, position: number): Grain {
  return spanAt(work.runs, position).grain;
}

function partOf(work: Work, position: number, length: number): SharedPart {
  const { index, gradeId } = cellAt(work, position);
  return {
    cell: index,
    ...(gradeId && { gradeId }),
    start: work.tokens[position]!.start,
    end: work.tokens[position + length - 1]!.end,
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
