/**
 * Words that are often misspelled.
 *
 * @module
 */

import { list } from "./table.ts";

/** Wrong spelling, right spelling. */
export const misspellings: readonly (readonly [string, string])[] = `
freind friend
becuase because
beleive believe
tommorow tomorrow
untill until
wich which
recieve receive
definately definitely
seperate separate
adress address
begining beginning
calender calendar
enviroment environment
goverment government
happend happened
intresting interesting
libary library
neccessary necessary
occured occurred
peice piece
realy really
suprise surprise
truely truly
wierd weird
writting writing
acheive achieve
apparantly apparently
arguement argument
buisness business
carefull careful
comming coming
diffrent different
dissapear disappear
embarass embarrass
excercise exercise
experiance experience
familar familiar
feild field
finaly finally
foriegn foreign
fourty forty
grammer grammar
gaurd guard
heigth height
immediatly immediately
independant independent
knowlege knowledge
langauge language
lenght length
mispell misspell
neighboor neighbor
noticable noticeable
ocasion occasion
posible possible
prefered preferred
probly probably
remeber remember
resturant restaurant
rythm rhythm
sentance sentence
shedule schedule
similer similar
speach speech
stoped stopped
strenght strength
succesful successful
tounge tongue
usefull useful
vegtable vegetable
visable visible
wonderfull wonderful
yesturday yesterday
animel animal
beautifull beautiful
biscut biscuit
brekfast breakfast
childern children
choclate chocolate
colum column
compleat complete
daugther daughter
docter doctor
elefant elephant
fammily family
febuary February
gardin garden
hungery hungry
kichen kitchen
mountin mountain
mornig morning
oppinion opinion
pepole people
sciense science
scool school
teh the
thier their
`.trim().split("\n").map((line) => {
  const [wrong, right] = list(line);
  return [wrong, right] as const;
});
