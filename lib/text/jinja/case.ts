/**
 * Python's capital, small and title letters. JavaScript knows no title case, and only of a whole text whether a sigma
 * ends a word.
 *
 * @module
 */

/** Python's `str.capitalize()`: the first letter in title case, the others small. */
export function capitalize(text: string): string {
  const [first = "", ...rest] = Array.from(text);
  return titled(first) + lowerEach(text).slice(1, 1 + rest.length).join("");
}

/** Python's `str.title()`: each run of letters begins with one in title case. */
export function title(text: string): string {
  const small = lowerEach(text);
  let inWord = false;
  return Array.from(text, (character, i) => {
    const written = inWord ? small[i] : titled(character);
    inWord = /\p{Cased}/u.test(character);
    return written;
  }).join("");
}

/** Python's `str.swapcase()`: letters that have title case stay. */
export function swapCase(text: string): string {
  const small = lowerEach(text);
  return Array.from(text, (character, i) => {
    if (isCapital(character)) return small[i];
    return isSmall(character) ? character.toUpperCase() : character;
  }).join("");
}

/** Python's `str.casefold()`: mostly each letter's capital in small ones, whatever its neighbours are. */
export function foldCase(text: string): string {
  return Array.from(text, (character) => {
    if (character === "ı") return character;
    if (character === "ẞ") return "ss";
    // Cherokee folds to its capital letters
    if (/[\u13a0-\u13fd\uab70-\uabbf]/.test(character)) return character.toUpperCase();
    return Array.from(character.toUpperCase(), (capital) => capital.toLowerCase()).join("");
  }).join("");
}

/** Python's `str.isupper()`: there are letters, and all are capital. */
export function isUpper(text: string): boolean {
  return /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);
}

/** Python's `str.islower()`: there are letters, and all are small. */
export function isLower(text: string): boolean {
  return /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text);
}

/** Python's `str.istitle()`: there are letters, and of each run of them the first only is not small. */
export function isTitle(text: string): boolean {
  let [inWord, hasLetters] = [false, false];
  for (const character of text) {
    const begins = isCapital(character) || /\p{Lt}/u.test(character);
    if (begins ? inWord : isSmall(character) && !inWord) return false;
    inWord = begins || isSmall(character);
    hasLetters ||= inWord;
  }
  return hasLetters;
}

const isCapital = (character: string) => /\p{Uppercase}/u.test(character);
const isSmall = (character: string) => /\p{Lowercase}/u.test(character);

/** Each character's small letters, where a sigma that ends a word is `ς`. */
function lowerEach(text: string): string[] {
  const whole = text.toLowerCase();
  let at = 0;
  return Array.from(text, (character) => {
    const { length } = character.toLowerCase();
    return whole.slice(at, at += length);
  });
}

/** A character in title case, by Unicode's SpecialCasing. */
function titled(character: string): string {
  const code = character.codePointAt(0);
  const capital = character.toUpperCase();
  // letters in title case, and Georgian's, which have none
  if (code === undefined || /[\p{Lt}\u10d0-\u10ff]/u.test(character)) return character;
  if (/[ǄǆǇǉǊǌǱǳ]/.test(character)) return String.fromCodePoint(capital.codePointAt(0)! + 1);
  // Greek with an iota below, which becomes a letter of its own only among capitals
  if (/[\u1f80-\u1faf]/.test(character)) return String.fromCodePoint(code + 8);
  if (/[ᾳῃῳ]/.test(character)) return String.fromCodePoint(code + 9);
  if (/[ᾲᾴᾷῂῄῇῲῴῷ]/.test(character)) return capital.replace(/\u0399$/, "\u0345");
  if (character === "ŉ") return capital;
  const [first = "", ...rest] = Array.from(capital);
  return first + rest.join("").toLowerCase();
}
