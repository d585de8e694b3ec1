/**
 * Personal data that have a form: addresses, numbers and their check digits.
 *
 * @module
 */

/** A pattern of one kind of personal data. */
export interface Pattern {
  /** Finds candidates. */
  readonly pattern: RegExp;
  /** Whether a candidate is one, such as by its check digits; all by default. */
  readonly valid?: (text: string, before: string, after: string) => boolean;
}

const digitsOf = (text: string) => text.replace(/\D/g, "");

/**
 * Checks the last digit of a card's number (Luhn, US patent 2,950,048, 1960; ISO/IEC 7812-1).
 *
 * @param text The number, with or without spaces and hyphens.
 * @returns Whether it has 13 to 19 digits whose Luhn sum is a multiple of 10.
 */
export function isCardNumber(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length < 13 || digits.length > 19 || /^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/**
 * Checks an international bank account number (ISO 13616: the number modulo 97 is 1, with the first four characters at its
 * end and letters as two digits).
 *
 * @param text The number, with or without spaces.
 * @returns Whether it is one.
 */
export function isIban(text: string): boolean {
  const compact = text.replace(/\s/g, "").toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(compact)) return false;
  const moved = compact.slice(4) + compact.slice(0, 4);
  let remainder = 0;
  for (const character of moved) {
    const value = parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function isIpV4(text: string, before: string): boolean {
  // four parts are also how versions and sections are numbered
  if (/(?:\bv|versions?|release|section|chapter|build)\s*$/i.test(before)) return false;
  return text.split(".").every((part) => Number(part) <= 255 && String(Number(part)) === part);
}

function isIpV6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length >= 2 && groups.length < 8 : groups.length === 8;
}

/** Seven to fifteen digits (ITU-T E.164) that are written as a telephone number is. */
function isPhone(text: string, before: string): boolean {
  const digits = digitsOf(text);
  if (digits.length < 7 || digits.length > 15) return false;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) || /^\d{1,2}[./-]\d{1,2}[./-]\d{4}$/.test(text)) {
    return false;
  }
  if (/(?:order|invoice|ticket|tracking|isbn|model|part|serial|version)\D{0,12}$/i.test(before)) {
    return false;
  }
  if (/^[+(]/.test(text)) return true;
  const announced =
    /\b(?:phone|mobile|cell|call|tel|fax|text|whatsapp|dial|ring|number is)\b\D{0,15}$/i
      .test(before);
  // Without an area code in brackets or a country's, its form tells: 0171 555 0123, 01715550123, 555-012-3456.
  return announced || /^0\d{1,4}[ -]\d{3}|^0\d{8,10}$/.test(text) ||
    /^\d{3}[-. ]\d{3}[-. ]\d{4}$/.test(text);
}

/** The kinds of personal data that have a form. */
export type NumberKind = "email" | "iban" | "card" | "account" | "ip" | "phone";

/** Patterns by kind, those that are the surest first. */
export const NUMBER_PATTERNS: Readonly<Record<NumberKind, Pattern>> = {
  email: {
    pattern: /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}/gu,
  },
  iban: {
    pattern: /\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?\b/g,
    valid: isIban,
  },
  card: { pattern: /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g, valid: isCardNumber },
  account: {
    pattern:
      /(?<=\b(?:account|acct|a\/c|customer|sort code|routing)(?: (?:number|no|id))?\.?(?: is)?:? ?#?)\d(?:[ -]?\d){4,16}(?!\w)/gi,
  },
  ip: {
    pattern:
      /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)|(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])/gi,
    valid: (text, before) => text.includes(":") ? isIpV6(text) : isIpV4(text, before),
  },
  phone: {
    pattern:
      /(?<![\w.+-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d(?:[ .-]?\d){5,13}(?![\w-]|\.\d)/g,
    valid: isPhone,
  },
};
