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
wich which
recieve receive
adress address
begining beginning
calender calendar
goverment government
happend happened
intresting interesting
libary library
neccessary necessary
occured occurred
peice piece
realy really
wierd weird
writting writing
buisness business
comming coming
diffrent different
feild field
finaly finally
grammer grammar
gaurd guard
lenght length
remeber remember
similer similar
speach speech
vegtable vegetable
brekfast breakfast
childern children
docter doctor
gardin garden
hungery hungry
kichen kitchen
mountin mountain
mornig morning
sciense science
scool school
teh the
`.trim().split("\n").map((line) => {
  const [wrong, right] = list(line);
  return [wrong, right] as const;
});
