/**
 * Verbs with their forms, and what each of them can be done to.
 *
 * @module
 */

import { list } from "./table.ts";

/** A verb's forms. */
export interface Verb {
  base: string;
  third: string;
  past: string;
  participle: string;
  ing: string;
}

/** Verbs, irregular ones first. */
export const verbs: readonly Verb[] = `
begin begins began begun beginning
bite bites bit bitten biting
blow blows blew blown blowing
break breaks broke broken breaking
bring brings brought brought bringing
build builds built built building
buy buys bought bought buying
catch catches caught caught catching
choose chooses chose chosen choosing
come comes came come coming
cut cuts cut cut cutting
draw draws drew drawn drawing
drink drinks drank drunk drinking
drive drives drove driven driving
eat eats ate eaten eating
fall falls fell fallen falling
feed feeds fed fed feeding
feel feels felt felt feeling
fight fights fought fought fighting
find finds found found finding
fly flies flew flown flying
forget forgets forgot forgotten forgetting
give gives gave given giving
go goes went gone going
grow grows grew grown growing
hear hears heard heard hearing
hide hides hid hidden hiding
hold holds held held holding
keep keeps kept kept keeping
know knows knew known knowing
leave leaves left left leaving
lose loses lost lost losing
make makes made made making
meet meets met met meeting
pay pays paid paid paying
read reads read read reading
ride rides rode ridden riding
ring rings rang rung ringing
rise rises rose risen rising
run runs ran run running
say says said said saying
see sees saw seen seeing
sell sells sold sold selling
send sends sent sent sending
shake shakes shook shaken shaking
sing sings sang sung singing
sit sits sat sat sitting
sleep sleeps slept slept sleeping
speak speaks spoke spoken speaking
spend spends spent spent spending
stand stands stood stood standing
steal steals stole stolen stealing
swim swims swam swum swimming
take takes took taken taking
teach teaches taught taught teaching
tell tells told told telling
think thinks thought thought thinking
throw throws threw thrown throwing
wake wakes woke woken waking
wear wears wore worn wearing
win wins won won winning
write writes wrote written writing
ask asks asked asked asking
bake bakes baked baked baking
call calls called called calling
carry carries carried carried carrying
chase chases chased chased chasing
clean cleans cleaned cleaned cleaning
climb climbs climbed climbed climbing
close closes closed closed closing
cook cooks cooked cooked cooking
count counts counted counted counting
cry cries cried cried crying
dance dances danced danced dancing
drop drops dropped dropped dropping
fix fixes fixed fixed fixing
follow follows followed followed following
help helps helped helped helping
jump jumps jumped jumped jumping
laugh laughs laughed laughed laughing
learn learns learned learned learning
like likes liked liked liking
listen listens listened listened listening
live lives lived lived living
love loves loved loved loving
move moves moved moved moving
need needs needed needed needing
open opens opened opened opening
paint paints painted painted painting
plan plans planned planned planning
plant plants planted planted planting
play plays played played playing
pull pulls pulled pulled pulling
push pushes pushed pushed pushing
save saves saved saved saving
smile smiles smiled smiled smiling
start starts started started starting
stop stops stopped stopped stopping
study studies studied studied studying
talk talks talked talked talking
try tries tried tried trying
use uses used used using
visit visits visited visited visiting
wait waits waited waited waiting
walk walks walked walked walking
want wants wanted wanted wanting
wash washes washed washed washing
watch watches watched watched watching
work works worked worked working
`.trim().split("\n").map((line) => {
  const [base, third, past, participle, ing] = list(line);
  if (!ing) throw new SyntaxError(`Cannot read the verb "${line}": expected five forms`);
  return { base, third, past, participle, ing };
});

/** The verbs whose past is told and asked for: the irregular ones and a third of the others. */
export const pastVerbs: readonly Verb[] = verbs.filter(({ past }, i) =>
  !past.endsWith("ed") || i % 3 === 0
);

const byBase = new Map(verbs.map((verb) => [verb.base, verb]));

/** The forms of a verb, by its base form. */
export function verb(base: string): Verb {
  const found = byBase.get(base);
  if (!found) throw new RangeError(`Cannot find the verb "${base}" in the lexicon`);
  return found;
}

/** A verb with what it can be done to, for whole sentences about people. */
export interface Action {
  verb: Verb;
  rests: string[];
}

/** What people do: verb, then ways to go on. */
export const actions: readonly Action[] = `
bake: a cake; some bread; an apple pie
buy: a new coat; some milk; a train ticket; three apples; a red hat
carry: a heavy bag; a basket; the boxes
catch: the ball; a big fish; the last bus
clean: the kitchen; the windows; the stairs
climb: a tall tree; the hill; the ladder
close: the door; the window; the shop
cook: some soup; the rice; a warm meal
count: the coins; the stars; the sheep
draw: a map; a picture; a blue horse
drink: a cup of tea; cold water; some juice
drive: a red car; a truck; an old bus
eat: an apple; some bread; a bowl of soup; the cake
feed: the ducks; the cat; the horses
find: a gold ring; an old key; the lost dog
fix: the clock; the broken chair; the bicycle
help: the old man; the children; the farmer
hide: the gift; the letter; a silver coin
learn: a new song; French; the rules
like: green tea; old stories; the music
love: the sea; cold weather; chocolate
make: a paper boat; a sandwich; a wooden toy
meet: a good friend; the new teacher; the queen
need: a new pen; more time; some help
open: the box; the letter; the garden gate
paint: the wall; a picture; the fence
plant: a tree; some flowers; the seeds
play: the piano; football; a quiet game
read: a book; the newspaper; a long letter
ride: a bicycle; a white horse; the train
see: a bright star; the mountain; a small bird
sell: fresh bread; old books; flowers
send: a letter; a postcard; a short message
sing: a song; in the choir; a happy tune
sleep: in a tent; on the sofa; until noon
study: history; the stars; every evening
swim: in the lake; in the river; every morning
take: a photo; the early train; a long walk
teach: music; math; the little children
use: a sharp knife; a pencil; the old computer
visit: the museum; a friend; the castle
walk: to school; in the park; along the river
want: a new bicycle; a quiet room; more soup
wash: the dishes; the car; the dog
watch: a film; the birds; the boats
wear: a warm coat; a blue scarf; black shoes
work: in a bank; on a farm; at the hospital
write: a letter; a poem; a short story
`.trim().split("\n").map((line) => {
  const [base, rests] = line.split(": ");
  return { verb: verb(base), rests: rests.split("; ") };
});

/** What one person or animal can do to another, for active and passive sentences. */
export const deeds: readonly Verb[] = list(
  "chase follow help see watch call find push pull carry feed catch hear meet wash visit",
).map(verb);

/** Adverbs and times that can end a sentence about the past. */
export const pastTimes: readonly string[] = [
  "yesterday",
  "last week",
  "this morning",
  "on Monday",
  "an hour ago",
  "last night",
];
