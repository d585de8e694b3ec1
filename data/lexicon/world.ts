/**
 * Plain facts: countries, chemical elements, animals, jobs, colors and uses of things.
 *
 * @module
 */

import { table } from "./table.ts";

/** A country (with "the" where it takes one), its capital and its continent. */
export const countries: readonly { country: string; capital: string; continent: string }[] = table(
  3,
  `
France, Paris, Europe
Germany, Berlin, Europe
Italy, Rome, Europe
Spain, Madrid, Europe
Portugal, Lisbon, Europe
Greece, Athens, Europe
Austria, Vienna, Europe
Poland, Warsaw, Europe
Hungary, Budapest, Europe
Ireland, Dublin, Europe
Norway, Oslo, Europe
Sweden, Stockholm, Europe
Finland, Helsinki, Europe
Denmark, Copenhagen, Europe
Belgium, Brussels, Europe
Japan, Tokyo, Asia
China, Beijing, Asia
India, New Delhi, Asia
Thailand, Bangkok, Asia
South Korea, Seoul, Asia
Iran, Tehran, Asia
Iraq, Baghdad, Asia
the Philippines, Manila, Asia
Pakistan, Islamabad, Asia
Afghanistan, Kabul, Asia
Lebanon, Beirut, Asia
Egypt, Cairo, Africa
Morocco, Rabat, Africa
Canada, Ottawa, North America
the United States, Washington, North America
Mexico, Mexico City, North America
Cuba, Havana, North America
Jamaica, Kingston, North America
Chile, Santiago, South America
Peru, Lima, South America
Australia, Canberra, Oceania
New Zealand, Wellington, Oceania`,
).map(([country, capital, continent]) => ({ country, capital, continent }));

/** Chemical elements: name and symbol. */
export const elements: readonly { name: string; symbol: string }[] = table(
  2,
  `
hydrogen, H
helium, He
lithium, Li
carbon, C
nitrogen, N
oxygen, O
neon, Ne
sodium, Na
aluminum, Al
silicon, Si
sulfur, S
chlorine, Cl
potassium, K
calcium, Ca
iron, Fe
nickel, Ni
copper, Cu
zinc, Zn
silver, Ag
tin, Sn
gold, Au
`,
).map(([name, symbol]) => ({ name, symbol }));

/** What a young animal is called. */
export const young: readonly { animal: string; young: string }[] = table(
  2,
  `
dog, puppy
cat, kitten
cow, calf
horse, foal
sheep, lamb
pig, piglet
goat, kid
duck, duckling
lion, cub
bear, cub
wolf, pup
deer, fawn
frog, tadpole
hen, chick
whale, calf
rabbit, kit`,
).map(([animal, young]) => ({ animal, young }));

/** What an animal does when it calls. */
export const sounds: readonly { animal: string; sound: string }[] = table(
  2,
  `
dog, barks
cat, meows
cow, moos
sheep, bleats
pig, grunts
horse, neighs
duck, quacks
goose, honks
lion, roars
wolf, howls
snake, hisses
bee, buzzes
frog, croaks
owl, hoots
mouse, squeaks
donkey, brays
rooster, crows
pigeon, coos
elephant, trumpets
turkey, gobbles
crow, caws`,
).map(([animal, sound]) => ({ animal, sound }));

/** Where an animal lives. */
export const homes: readonly { animal: string; home: string }[] = table(
  2,
  `
bee, in a hive
bird, in a nest
spider, in a web
rabbit, in a burrow
bear, in a den
horse, in a stable
cow, in a barn
pig, in a sty
dog, in a kennel
fish, in water
fox, in a den
ant, in an anthill
camel, in the desert
whale, in the ocean
monkey, in the forest
penguin, in the cold south
hen, in a coop
lion, on the grassland
crab, on the shore
beaver, in a lodge`,
).map(([animal, home]) => ({ animal, home }));

/** How many legs an animal has. */
export const legs: readonly { animal: string; legs: string }[] = table(
  2,
  `
dog, four
horse, four
cow, four
cat, four
sheep, four
bird, two
duck, two
hen, two
eagle, two
ant, six
bee, six
beetle, six
butterfly, six
spider, eight
crab, ten
snake, no
fish, no
worm, no`,
).map(([animal, legs]) => ({ animal, legs }));

/** Jobs: who, what they do (third person), and in the infinitive. */
export const jobs: readonly { job: string; does: string; todo: string }[] = table(
  3,
  `
baker, bakes bread, bake bread
farmer, grows food, grow food
teacher, teaches students, teach students
doctor, treats patients, treat patients
dentist, cares for teeth, care for teeth
pilot, flies planes, fly planes
chef, cooks meals, cook meals
painter, paints pictures, paint pictures
writer, writes books, write books
singer, sings songs, sing songs
firefighter, puts out fires, put out fires
tailor, sews clothes, sew clothes
butcher, sells meat, sell meat
judge, decides cases in court, decide cases in court
architect, designs buildings, design buildings
astronaut, travels into space, travel into space
astronomer, studies the stars, study the stars
vet, treats sick animals, treat sick animals
mechanic, fixes cars, fix cars
fisherman, catches fish, catch fish
photographer, takes photos, take photos
shepherd, watches over sheep, watch over sheep
actor, plays roles on a stage, play roles on a stage
sailor, works on a ship, work on a ship
miner, digs for coal, dig for coal
detective, solves crimes, solve crimes`,
).map(([job, does, todo]) => ({ job, does, todo }));

/** The usual color of things; the verb agrees. */
export const colors: readonly { thing: string; color: string; mass: boolean }[] = table(
  3,
  `
grass, green, mass
snow, white, mass
coal, black, mass
blood, red, mass
milk, white, mass
banana, yellow, one
lemon, yellow, one
strawberry, red, one
cherry, red, one
carrot, orange, one
crow, black, one
swan, white, one
frog, green, one
elephant, gray, one
pig, pink, one
sunflower, yellow, one
salt, white, mass
chocolate, brown, mass
spinach, green, mass
broccoli, green, mass`,
).map(([thing, color, kind]) => ({ thing, color, mass: kind === "mass" }));

/** What a thing is for. */
export const uses: readonly { thing: string; use: string }[] = table(
  2,
  `
knife, cutting
pen, writing
hammer, driving nails
saw, cutting wood
broom, sweeping the floor
spoon, eating soup
key, opening locks
clock, telling the time
umbrella, keeping off the rain
oven, baking
towel, drying
soap, washing
needle, sewing
map, finding the way
lamp, giving light
ladder, climbing
shovel, digging
bed, sleeping
chair, sitting
telescope, looking at the stars
microscope, looking at tiny things
thermometer, measuring temperature
scale, measuring weight
ruler, measuring length
compass, showing direction
calculator, doing sums
camera, taking photos
fridge, keeping food cold
pillow, resting the head
phone, calling people
axe, chopping wood
rake, gathering leaves
net, catching fish
stove, cooking
brush, painting
bucket, carrying water`,
).map(([thing, use]) => ({ thing, use }));

/** The days of the week. */
export const days: readonly string[] = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
];

/** The months of the year. */
export const months: readonly string[] = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
