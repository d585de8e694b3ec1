/** Nothing: what Deno itself takes. */

export {};
