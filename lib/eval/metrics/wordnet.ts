/**
 * WordNet's synonyms, from its database files where they are installed. Debian's `wordnet-base` holds WordNet 3.0.
 *
 * @module
 */

/** The parts of speech, as files are named, and how their inflected forms end. */
const PARTS: Readonly<Record<string, readonly (readonly [ending: string, instead: string])[]>> = {
  noun: [
    ...[["s", ""], ["ses", "s"], ["ves", "f"], ["xes", "x"], ["zes", "z"]] as const,
    ...[["ches", "ch"], ["shes", "sh"], ["men", "man"], ["ies", "y"]] as const,
  ],
  verb: [
    ...[["s", ""], ["ies", "y"], ["es", "e"], ["es", ""]] as const,
    ...[["ed", "e"], ["ed", ""], ["ing", "e"], ["ing", ""]] as const,
  ],
  adj: [["er", ""], ["est", ""], ["er", "e"], ["est", "e"]],
  adv: [],
};

interface PartOfSpeech {
  readonly endings: readonly (readonly [string, string])[];
  /** A line of the index for each lemma: among others, places in the data. */
  readonly index: ReadonlyMap<string, string>;
  /** Lemmas of irregular forms. */
  readonly exceptions: ReadonlyMap<string, readonly string[]>;
  /** The sets of synonyms, each at its place in bytes; the files are ASCII. */
  readonly data: string;
}

/** An open database. */
export class WordNet {
  #parts: readonly PartOfSpeech[];
  #known = new Map<string, ReadonlySet<string>>();

  private constructor(
    /** The folder of its files. */
    readonly folder: string,
    parts: readonly PartOfSpeech[],
  ) {
    this.#parts = parts;
  }

  /**
   * Opens the database of this machine: in the folder that `WNSEARCHDIR` names, WordNet's own variable, or where Debian
   * installs it.
   *
   * @returns The database; undefined where there is none.
   */
  static open(): WordNet | undefined {
    const folder = Deno.env.get("WNSEARCHDIR") ?? "/usr/share/wordnet";
    const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
    try {
      const parts = Object.entries(PARTS).map(([name, endings]) => ({
        endings,
        index: new Map(linesOf(read(`index.${name}`))),
        exceptions: new Map(
          linesOf(read(`${name}.exc`)).map(([form, rest]) => [
            form,
            rest.trim().split(" "),
          ]),
        ),
        data: read(`data.${name}`),
      }));
      return new WordNet(folder, parts);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /**
   * The words of all sets of synonyms that a word is in, in any of its senses and as an inflected form too.
   *
   * @param word The word, in lower case.
   * @returns Single words, as the database spells them.
   */
  synonyms(word: string): ReadonlySet<string> {
    let synonyms = this.#known.get(word);
    if (synonyms === undefined) {
      synonyms = new Set(this.#parts.flatMap((part) => synonymsIn(part, word)));
      this.#known.set(word, synonyms);
    }
    return synonyms;
  }
}

/** Lines as their first word and the rest, without the licence, whose lines begin with a space. */
function linesOf(text: string): (readonly [string, string])[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith(" ")).map((line) => {
    const end = line.indexOf(" ");
    return [line.slice(0, end), line.slice(end + 1)];
  });
}

function synonymsIn({ endings, index, exceptions, data }: PartOfSpeech, word: string): string[] {
  const bases = exceptions.get(word) ?? endings
    .filter(([ending]) => word.endsWith(ending))
    .map(([ending, instead]) => word.slice(0, word.length - ending.length) + instead);
  return [...new Set([word, ...bases])].flatMap((base) => {
    const fields = index.get(base)?.trim().split(" ");
    if (fields === undefined) return [];
    // The index line's last fields are the places of its `fields[1]` sets.
    return fields.slice(-Number(fields[1])).flatMap((place) => wordsAt(data, Number(place)));
  });
}

/** The words of the set at a place: `place file type count word id word id … | gloss`. */
function wordsAt(data: string, place: number): string[] {
  const fields = data.slice(place, data.indexOf("|", place)).split(" ");
  const count = parseInt(fields[3], 16);
  return Array.from({ length: count }, (_, i) => fields[4 + 2 * i].replace(/\([^()]*\)$/, ""))
    .filter((word) => !word.includes("_"));
}
