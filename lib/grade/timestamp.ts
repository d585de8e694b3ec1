/**
 * `timestamp.txt`, in which nbgrader keeps when a submission was handed in.
 *
 * @module
 */

/**
 * Reads a timestamp in nbgrader's form, such as `2015-02-02 14:58:23.948203 America/Los_Angeles`.
 *
 * @param text The file's text; without a zone the time is UTC.
 * @returns The time, to the millisecond.
 * @throws {SyntaxError} If it is none, or its zone is unknown.
 */
export function parseTimestamp(text: string): Date {
  const found =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?: ([A-Za-z0-9_+\-/]{1,64}))?$/
      .exec(text.trim());
  try {
    if (found === null) throw new SyntaxError("expected a date, a time and a zone");
    const [, date, time, zone = "UTC"] = found;
    const local = Temporal.PlainDateTime.from(`${date}T${time}`);
    return new Date(local.toZonedDateTime(zone).epochMilliseconds);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read the timestamp ${JSON.stringify(text.slice(0, 100))}: ${
        (error as Error).message
      }`,
      { cause: error },
    );
  }
}

/**
 * Writes a timestamp in nbgrader's form.
 *
 * @param time The time.
 * @returns The text, in UTC.
 */
export function formatTimestamp(time: Date): string {
  return `${time.toISOString().replace("T", " ").replace("Z", "000")} UTC`;
}
