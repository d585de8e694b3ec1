/** Accessibility of a page in a real browser, by axe-core. */

import type { Page } from "playwright-core";

/**
 * Runs axe-core in a page, whose context must bypass its content policy.
 *
 * @param page The page.
 * @returns Each rule that is violated, with the first element that violates it.
 */
export async function axeViolations(page: Page): Promise<string[]> {
  const { default: axe } = await import("axe-core");
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run({ iframes: false })") as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`);
}
