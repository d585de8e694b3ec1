/**
 * Dates as Python's `datetime.now().strftime()` writes them in the C locale, for templates that name the day.
 *
 * @module
 */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
  .concat("September", "October", "November", "December");

/** A part of a date: a text, or a number with its width and what fills that up. */
type Part = string | { readonly number: number; readonly width: number; readonly fill: string };

const whole = (number: number, width = 2, fill = "0"): Part => ({ number, width, fill });

/** The parts that are made of others. */
const COMPOSED: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  r: "%I:%M:%S %p",
  R: "%H:%M",
  T: "%H:%M:%S",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
};

/**
 * Writes a date.
 *
 * @param format The text with parts such as `%d %B %Y`, `%-d` or `%A`, as glibc reads them.
 * @param date The date, of which the local time is written. It has no time zone in Python, so that `%Z` is empty.
 * @returns The text. What is not a part stays as it is.
 */
export function strftime(format: string, date: Date): string {
  return format.replace(/%([-_0^#]*)(\d*)[EO]?([a-zA-Z%])/g, (given, flags, width, letter) => {
    const composed = COMPOSED[letter];
    const part = composed === undefined ? partOf(letter, date) : strftime(composed, date);
    if (part === undefined) return given;
    return padded(part, flags, width === "" ? undefined : Math.min(Number(width), 1 << 10));
  });
}

function padded(part: Part, flags: string, width: number | undefined): string {
  const fillOf = (usual: string) =>
    Array.from(flags).reduce(
      (fill, flag) => flag === "_" ? " " : flag === "0" ? "0" : flag === "-" ? "" : fill,
      usual,
    );
  if (typeof part !== "string") {
    const fill = fillOf(part.fill);
    const text = String(part.number);
    return fill === "" ? text : text.padStart(width ?? part.width, fill);
  }
  const upper = flags.includes("^") || flags.includes("#");
  const isMark = part === "AM" || part === "PM";
  const text = flags.includes("#") && isMark
    ? part.toLowerCase()
    : upper
    ? part.toUpperCase()
    : part;
  return text.padStart(width ?? 0, fillOf(" ") || " ");
}

function partOf(letter: string, date: Date): Part | undefined {
  const year = date.getFullYear();
  const [hour, weekday] = [date.getHours(), date.getDay()];
  const day = dayOfYear(date);
  switch (letter) {
    case "a":
      return DAYS[weekday]!.slice(0, 3);
    case "A":
      return DAYS[weekday]!;
    case "b":
    case "h":
      return MONTHS[date.getMonth()]!.slice(0, 3);
    case "B":
      return MONTHS[date.getMonth()]!;
    case "C":
      return whole(Math.floor(year / 100));
    case "d":
      return whole(date.getDate());
    case "e":
      return whole(date.getDate(), 2, " ");
    case "f":
      return String(date.getMilliseconds()).padStart(3, "0") + "000";
    case "g":
      return whole(isoWeek(date).year % 100);
    case "G":
      return whole(isoWeek(date).year, 4);
    case "H":
      return whole(hour);
    case "I":
      return whole((hour + 11) % 12 + 1);
    case "j":
      return whole(day + 1, 3);
    case "k":
      return whole(hour, 2, " ");
    case "l":
      return whole((hour + 11) % 12 + 1, 2, " ");
    case "m":
      return whole(date.getMonth() + 1);
    case "M":
      return whole(date.getMinutes());
    case "n":
      return "\n";
    case "p":
      return hour < 12 ? "AM" : "PM";
    case "P":
      return hour < 12 ? "am" : "pm";
    case "s":
      return whole(Math.floor(date.getTime() / 1000), 1);
    case "S":
      return whole(date.getSeconds());
    case "t":
      return "\t";
    case "u":
      return whole((weekday + 6) % 7 + 1, 1);
    case "U":
      return whole(Math.floor((day + 7 - weekday) / 7));
    case "V":
      return whole(isoWeek(date).week);
    case "w":
      return whole(weekday, 1);
    case "W":
      return whole(Math.floor((day + 7 - (weekday + 6) % 7) / 7));
    case "y":
      return whole(year % 100);
    case "Y":
      return whole(year, 4);
    case "z":
    case "Z":
      return "";
    case "%":
      return "%";
    default:
      return undefined;
  }
}

/** Days since the first of January. */
function dayOfYear(date: Date): number {
  const first = Date.UTC(date.getFullYear(), 0, 1);
  return (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - first) / 86_400_000;
}

/** The week by ISO 8601, and the year that it belongs to: that of its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate());
  thursday.setDate(thursday.getDate() + 3 - (thursday.getDay() + 6) % 7);
  return { year: thursday.getFullYear(), week: 1 + Math.floor(dayOfYear(thursday) / 7) };
}
