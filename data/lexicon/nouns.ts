/**
 * Nouns by group, and their plurals and articles.
 *
 * The groups are chosen so that "a {noun} is a {group}" is plainly true, and plainly false for any
 * other group that {@link related} does not name.
 *
 * @module
 */

import { list } from "./table.ts";

/** The members of each group, keyed by the group's name in the singular. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  animal: list(
    `dog cat horse cow pig sheep goat lion tiger bear wolf rabbit mouse elephant monkey deer`,
  ),
  bird: list(`eagle owl duck goose crow hawk pigeon`),
  insect: list(`ant bee butterfly beetle fly mosquito`),
  fish: list(`salmon trout shark tuna cod`),
  fruit: list(`apple banana pear peach cherry grape lemon plum`),
  vegetable: list(`carrot potato onion cabbage spinach broccoli`),
  tool: list(`hammer saw drill shovel axe wrench`),
  "piece of furniture": list(`chair table sofa bed desk shelf`),
  vehicle: list(`car bus train truck bicycle boat plane ship`),
  "piece of clothing": list(`shirt coat sock hat glove dress jacket skirt`),
  "musical instrument": list(`piano violin guitar drum trumpet`),
  tree: list(`oak pine maple`),
  flower: list(`rose tulip daisy lily`),
  drink: list(`milk tea coffee juice water`),
  sport: list(`football tennis hockey golf rugby basketball`),
  "part of the body": list(`hand foot arm leg nose ear mouth shoulder knee finger`),
  shape: list(`circle square triangle rectangle`),
  metal: list(`iron copper gold silver tin aluminum`),
  building: list(`house school church hospital castle library museum`),
};

/** Pairs of groups that share members or border on each other, so that "no" would be arguable. */
const bordering: readonly (readonly [string, string])[] = [
  ["animal", "bird"],
  ["animal", "insect"],
  ["animal", "fish"],
  ["fruit", "vegetable"],
  ["fruit", "tree"],
  ["flower", "tree"],
  ["tool", "piece of furniture"],
  ["drink", "fruit"],
];

/** Whether two groups are the same or border on each other. */
export function related(a: string, b: string): boolean {
  return a === b ||
    bordering.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
}

/** Nouns that are used without an article: substances and games. */
export const massNouns: ReadonlySet<string> = new Set([
  ...groups.drink,
  ...groups.sport,
  ...groups.metal,
  ...list("spinach broccoli salmon trout tuna cod bread rice"),
]);

/** More countable nouns, for plurals, letters and stories. */
export const things: readonly string[] = list(`
  child man woman person tooth leaf knife wife life thief half
  box glass dish watch brush class bench beach match wish baby city story lady party country family
  tomato hero photo boy girl day key toy
  book pen cup door window lamp letter map clock phone ball bag bottle basket blanket bridge
  button candle coin cookie farm field flag forest garden gift hill island lake mirror mountain nail
  nest ocean page path plate pocket king queen ring river road rope shoe shop star stone street
  ticket tower town umbrella village wall wheel wing planet robot engine egg arrow idea hour orange`);

const irregular: Readonly<Record<string, string>> = {
  child: "children",
  man: "men",
  woman: "women",
  person: "people",
  tooth: "teeth",
  foot: "feet",
  goose: "geese",
  mouse: "mice",
  leaf: "leaves",
  wolf: "wolves",
  knife: "knives",
  wife: "wives",
  life: "lives",
  half: "halves",
  shelf: "shelves",
  thief: "thieves",
  scarf: "scarves",
  sheep: "sheep",
  deer: "deer",
  fish: "fish",
  tomato: "tomatoes",
  potato: "potatoes",
  hero: "heroes",
  mosquito: "mosquitoes",
  "piece of furniture": "pieces of furniture",
  "piece of clothing": "pieces of clothing",
  "part of the body": "parts of the body",
};

/** The plural of a noun of this lexicon. */
export function plural(noun: string): string {
  if (noun in irregular) return irregular[noun];
  if (/[^aeiou]y$/.test(noun)) return noun.slice(0, -1) + "ies";
  if (/(s|x|z|ch|sh)$/.test(noun)) return noun + "es";
  return noun + "s";
}

/** Whether a plural follows no rule (or changes more than an ending), as "mouse" to "mice". */
export function isIrregular(noun: string): boolean {
  return noun in irregular && !noun.includes(" ");
}

/** "a" or "an", by sound. */
export function article(noun: string): "a" | "an" {
  if (/^(hour|honest|heir)/.test(noun)) return "an";
  if (/^(uni|use|eu|one)/.test(noun)) return "a";
  return /^[aeiou]/.test(noun) ? "an" : "a";
}

/** The noun with its article where it takes one: "an apple", "milk". */
export function withArticle(noun: string): string {
  return massNouns.has(noun) ? noun : `${article(noun)} ${noun}`;
}

/** Every countable noun of the lexicon once, in a fixed order. */
export const countNouns: readonly string[] = [
  ...new Set([...Object.values(groups).flat(), ...things]),
].filter((noun) => !massNouns.has(noun));

/** The nouns whose plurals are told and asked for: irregular ones and everyday ones. */
export const pluralNouns: readonly string[] = [
  ...list("mouse goose foot sheep deer bus"),
  ...things.filter((_, i) => i < 40 || i % 2 === 0),
];

/** The nouns whose articles are told and asked for: all that take "an", and as many others. */
export const articleNouns: readonly string[] = [
  ...countNouns.filter((noun) => article(noun) === "an"),
  ...list(`dog horse bear banana carrot hammer chair train coat piano rose hand house child book pen
    door lamp`),
];

/** Short nouns with various first letters, for spelling and for putting in order. */
export const shortNouns: readonly string[] = list(`
  apple ant arm axe bear bee bus box book boy car cat cow cup coin dog duck door ear egg
  fish fly foot farm goat hat hand horse iron key king knee lamp leg lion map milk
  mouse nest nose owl oak pen pig pine pear queen ring rose road saw ship star sock table
  tea town tree wall wolf wing`);

/** The group that a noun belongs to, if any. */
export function groupOf(noun: string): string | undefined {
  return Object.keys(groups).find((group) => groups[group].includes(noun));
}
