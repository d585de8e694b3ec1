/** How a sum is formed; apart from `sum.ts`, since gradients of broadcast tensors are sums too. */
export const sumFormulas = { name: "sum", combine: "a + b", identity: "0.0" } as const;
