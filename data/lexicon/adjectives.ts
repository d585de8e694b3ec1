/**
 * Opposites, words of like meaning, and degrees of adjectives.
 *
 * @module
 */

import { list } from "./table.ts";

/** Pairs of opposites. A word occurs in one pair only, so that each has one answer. */
export const opposites: readonly (readonly [string, string])[] = pairs(`
hot cold; big small; tall short; fast slow; happy sad; old young; light dark; hard soft; rich poor;
strong weak; wet dry; full empty; early late; near far; high low; open closed; loud quiet; clean dirty;
thick thin; wide narrow; deep shallow; sweet bitter; smooth rough; kind cruel; polite rude; wise foolish;
safe dangerous; true false; right wrong; good bad; black white; day night; summer winter; north south;
east west; up down; in out; above below; before after; always never; many few; more less; first last;
begin end; buy sell; push pull; give take; win lose; love hate; laugh cry; remember forget; arrive depart;
build destroy; teach learn; ask answer; friend enemy; war peace; top bottom; front back; inside outside;
yes no; male female; success failure; ancient modern; cheap expensive; easy difficult; simple complicated;
alive dead; guilty innocent; increase decrease; possible impossible`);

/** A word and another one of like meaning; the answer is one of several that would do. */
export const synonyms: readonly (readonly [string, string])[] = pairs(`
start begin; large big; tiny small; quick fast; glad happy; unhappy sad; intelligent smart; silent quiet;
wealthy rich; difficult hard; simple easy; angry mad; tired sleepy; beautiful pretty; correct right;
incorrect wrong; ill sick; shut close; shout yell; speak talk; look watch; jump leap; finish end; mend fix;
gift present; home house; street road; rock stone; forest woods; ocean sea; garbage trash; error mistake;
job work; choose pick; assist help; purchase buy; reply answer; gather collect; construct build;
enormous huge; odd strange; wonderful great; frightened afraid; permit allow; discover find; attempt try;
receive get; connect join; divide split; require need`);

/** Adjectives with comparative and superlative. */
export const degrees: readonly (readonly [string, string, string])[] = `
big bigger biggest
small smaller smallest
tall taller tallest
short shorter shortest
fast faster fastest
slow slower slowest
old older oldest
young younger youngest
hot hotter hottest
cold colder coldest
warm warmer warmest
happy happier happiest
heavy heavier heaviest
light lighter lightest
easy easier easiest
good better best
bad worse worst
far farther farthest
large larger largest
nice nicer nicest
wise wiser wisest
strong stronger strongest
weak weaker weakest
long longer longest
high higher highest
low lower lowest
thin thinner thinnest
thick thicker thickest
wide wider widest
deep deeper deepest
clean cleaner cleanest
loud louder loudest
bright brighter brightest
dark darker darkest
rich richer richest
poor poorer poorest
soft softer softest
`.trim().split("\n").map((line) => {
  const [base, more, most] = list(line);
  return [base, more, most] as const;
});

function pairs(text: string): (readonly [string, string])[] {
  return text.trim().split(/;\s*/).map((pair) => {
    const words = list(pair);
    if (words.length !== 2) throw new SyntaxError(`Cannot read the pair "${pair}"`);
    return [words[0], words[1]] as const;
  });
}
