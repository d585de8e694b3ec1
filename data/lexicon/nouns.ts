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
    `dog cat horse cow pig sheep goat lion tiger bear wolf fox rabbit mouse elephant monkey
    camel deer donkey squirrel zebra giraffe`,
  ),
  bird: list(`eagle owl robin duck goose swan sparrow parrot penguin crow pigeon hawk`),
  insect: list(`ant bee butterfly beetle fly mosquito moth wasp`),
  fish: list(`salmon trout shark tuna cod`),
  fruit: list(`apple banana pear peach cherry grape lemon plum mango strawberry melon`),
  vegetable: list(`carrot potato onion cabbage spinach broccoli turnip leek`),
  tool: list(`hammer saw drill shovel rake axe screwdriver wrench`),
  "piece of furniture": list(`chair table sofa bed desk shelf wardrobe stool`),
  vehicle: list(`car bus train truck bicycle boat plane tram ship`),
  "piece of clothing": list(`shirt coat sock hat scarf glove dress jacket sweater skirt`),
  "musical instrument": list(`piano violin guitar drum flute trumpet harp cello`),
  tree: list(`oak pine birch willow maple elm`),
  flower: list(`rose tulip daisy lily sunflower daffodil`),
  drink: list(`milk tea coffee juice water lemonade`),
  sport: list(`football tennis hockey basketball golf rugby swimming`),
  "part of the body": list(`hand foot arm leg nose ear mouth shoulder knee elbow finger`),
  shape: list(`circle square triangle rectangle hexagon oval`),
  metal: list(`iron copper gold silver tin lead aluminum`),
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
  child man woman person tooth leaf wolf knife wife life loaf half thief ox louse crisis
  box fox bus glass dish watch church brush class bench beach peach match bush wish
  baby city story lady party country family puppy kitten pony berry fly cherry daisy
  tomato potato hero echo photo radio video
  boy girl day key toy monkey donkey valley
  book pen cup door window lamp letter map clock phone ball bag bottle basket blanket bridge
  button candle coin cookie crown farm field flag forest fork gift garden hill island kite ladder
  lake mirror mountain nail needle nest ocean page path pillow plate pocket pot queen king ring
  river road rope shoe shop spoon star stone street ticket tower town umbrella village wall wheel
  whistle wing planet rocket robot engine egg envelope apron arrow idea hour orange`);

const irregular: Readonly<Record<string, string>> = {
  child: "children",
  man: "men",
  woman: "women",
  person: "people",
  tooth: "teeth",
  foot: "feet",
  goose: "geese",
  mouse: "mice",
  louse: "lice",
  ox: "oxen",
  crisis: "crises",
  leaf: "leaves",
  wolf: "wolves",
  knife: "knives",
  wife: "wives",
  life: "lives",
  loaf: "loaves",
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
  echo: "echoes",
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

/** The group that a noun belongs to, if any. */
export function groupOf(noun: string): string | undefined {
  return Object.keys(groups).find((group) => groups[group].includes(noun));
}
