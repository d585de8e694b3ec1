// The marking page itself: markup without data, whose only script is allowed by its hash. Data comes
// from the server as JSON; answers come sanitised.

import reportStyle from "../../runtime/report/report.css" with { type: "text" };
import { paletteCss } from "../../runtime/report/theme.ts";
import clientScript from "./client.js" with { type: "text" };
import markingStyle from "./marking.css" with { type: "text" };

/** The page and the content policy that it is sent with. */
export interface MarkingPage {
  readonly html: string;
  readonly policy: string;
}

/** The keys of the page, as its help lists them. */
export const MARKING_KEYS: readonly (readonly [string, string])[] = [
  ["1 … 9", "apply or lift an item of the rubric; without a rubric, give that number of points"],
  ["f", "full points"],
  ["z", "no points"],
  ["p", "type the points"],
  ["c", "write a comment"],
  ["/", "insert a comment that was kept; arrows and Enter choose"],
  ["a", "keep this comment for other answers"],
  ["Enter", "go to the next answer without points"],
  ["j or →", "next answer"],
  ["k or ←", "answer before"],
  ["[ and ]", "question before, next question"],
  ["r", "show or hide the report"],
  ["y", "where a student has handed in again: keep the mark"],
  ["s", "ask the judge for a suggestion"],
  ["m", "where two marks differ: keep mine"],
  ["t", "where two marks differ: take theirs"],
  ["Esc", "leave a field"],
  ["Ctrl+Enter", "from a field to the next answer without points"],
  ["?", "this help"],
];

/**
 * Puts the marking page together.
 *
 * @returns The page and its policy.
 */
export async function renderMarkingPage(): Promise<MarkingPage> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(clientScript));
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${new Uint8Array(digest).toBase64()}'`,
    "style-src 'unsafe-inline'", // what answers draw
    "img-src data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  const keys = MARKING_KEYS.map(([key, what]) => `<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`);
  const html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Marking</title>
<link rel="icon" href="data:,">
<style>
${paletteCss()}${reportStyle}${markingStyle}</style>
</head>
<body class="mk-body">
<a class="nb-skip" href="#mk-answer">Skip to the answer</a>
<header class="mk-bar">
<h1>Marking</h1>
<label class="mk-question"><span class="nb-unseen">Question</span><select id="mk-questions"></select></label>
<p id="mk-progress" class="mk-progress"></p>
<p id="mk-status" class="mk-status" role="status"></p>
<label class="mk-marker">Marker <input id="mk-marker" autocomplete="off" maxlength="100"></label>
<button type="button" class="nb-button" id="mk-show-report" aria-pressed="true">Report</button>
<button type="button" class="nb-button" id="mk-show-help">Keys <kbd>?</kbd></button>
</header>
<div class="mk-desk">
<nav class="mk-queue" aria-label="Answers"><ol id="mk-queue"></ol></nav>
<main class="mk-main" id="mk-main">
<div class="mk-walk"><button type="button" class="nb-button" id="mk-before" aria-label="Answer before">←</button>
<h2 id="mk-name" tabindex="-1"></h2>
<button type="button" class="nb-button" id="mk-next" aria-label="Next answer">→</button></div>
<details class="mk-prompt" id="mk-prompt"><summary>What was asked</summary><div class="nb-prose nb-confined" id="mk-prompt-text" role="group" aria-label="What was asked" tabindex="0"></div></details>
<details class="mk-prompt" id="mk-scheme"><summary>Mark scheme</summary><div class="nb-prose nb-confined" id="mk-scheme-text" role="group" aria-label="Mark scheme" tabindex="0"></div></details>
<div class="mk-answer nb-confined" id="mk-answer" tabindex="0" role="group" aria-label="Answer"></div>
</main>
<section class="mk-mark" aria-label="Mark">
<div id="mk-conflict" class="mk-conflict" role="alert" hidden></div>
<div id="mk-outdated" class="mk-conflict" role="status" hidden><p>Handed in again since it was marked.</p><button type="button" class="nb-button" id="mk-confirm">Keep the mark <kbd>y</kbd></button></div>
<div id="mk-rubric" class="mk-rubric" role="group" aria-label="Rubric"></div>
<div class="mk-points"><label for="mk-points">Points</label><input id="mk-points" inputmode="decimal" autocomplete="off"><span id="mk-max"></span>
<button type="button" class="nb-button" id="mk-full">Full <kbd>f</kbd></button><button type="button" class="nb-button" id="mk-none">None <kbd>z</kbd></button></div>
<label class="mk-label" for="mk-comment">Comment for the student</label>
<textarea id="mk-comment" rows="5" maxlength="200000"></textarea>
<div class="mk-buttons"><button type="button" class="nb-button" id="mk-insert">Insert <kbd>/</kbd></button><button type="button" class="nb-button" id="mk-keep">Keep <kbd>a</kbd></button><button type="button" class="nb-button" id="mk-suggest" hidden>Suggest <kbd>s</kbd></button></div>
<div id="mk-suggestion" class="mk-suggestion" role="status"></div>
<p class="mk-done"><button type="button" class="mk-primary" id="mk-done">Next without points <kbd>Enter</kbd></button></p>
</section>
<section class="mk-report" id="mk-report" aria-label="Report"></section>
</div>
<dialog id="mk-help" aria-labelledby="mk-help-title"><h2 id="mk-help-title">Keys</h2><dl>${
    keys.join("")
  }</dl><p>Every change is saved at once. Without a connection it waits in this browser and is sent again.</p><button type="button" class="nb-button" id="mk-close-help">Close <kbd>Esc</kbd></button></dialog>
<dialog id="mk-comments" aria-labelledby="mk-comments-title"><h2 id="mk-comments-title">Insert a comment</h2><input id="mk-filter" role="combobox" aria-expanded="true" aria-controls="mk-options" aria-label="Find a comment" autocomplete="off"><ul id="mk-options" role="listbox" aria-label="Comments"></ul></dialog>
<script>${clientScript}</script>
</body>
</html>
`;
  return { html, policy };
}
