/**
 * What a client is told when its request cannot be answered.
 *
 * @module
 */

/** A request that is not answered, and why. */
export class RequestError extends Error {
  override name = "RequestError";

  /**
   * @param status The HTTP status.
   * @param message One sentence.
   * @param more OpenAI's name of the kind of error, and the parameter that is wrong.
   */
  constructor(
    readonly status: number,
    message: string,
    readonly more: { readonly code?: string; readonly param?: string } = {},
  ) {
    super(message);
  }
}

/**
 * What is noted of a request whose client left before it was answered; nginx logs the same status.
 *
 * @returns The error, which nobody is told.
 */
export function clientLeft(): RequestError {
  return new RequestError(499, "The client left");
}
