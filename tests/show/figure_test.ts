import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  barChart,
  type Figure,
  figure,
  heatmap,
  histogram,
  lineChart,
  lossCurve,
  type PlotlyTrace,
  scatter,
  topicLosses,
} from "../../lib/show/mod.ts";
import { jupyterDisplay } from "../../lib/show/view.ts";
import { plotlyMimeType } from "../../lib/show/figure.ts";
import { plainText, plotlyText } from "../../lib/show/plotly.ts";
import { palette, warning } from "../../lib/show/theme.ts";
import { hostile, hostileText } from "./hostile.ts";
import { assertSoundHtml, unescapeHtml } from "./markup.ts";

interface Drawn {
  data: PlotlyTrace[];
  layout: Record<string, any>;
}

const drawnFigure = (chart: Figure) => chart.bundle[plotlyMimeType] as unknown as Drawn;
const svgOf = (chart: Figure) => /<svg class="tb-chart"[\s\S]*?<\/svg><\/div>/.exec(chart.html)![0];
const notebookBytes = (chart: Figure) =>
  new TextEncoder().encode(JSON.stringify([[[[[[chart.bundle]]]]]], null, 1)).length;

const charts: Record<string, (text: string) => Figure> = {
  lineChart: (text) =>
    lineChart({ [text]: [1, 2, 3], other: [3, 2, 1] }, {
      title: text,
      subtitle: text,
      xLabel: text,
      yLabel: text,
    }),
  barChart: (text) => barChart([[text, 1], ["other", 2]], { title: text }),
  "barChart lying": (text) => barChart([[text, 1], ["other", 2]], { horizontal: true }),
  histogram: (text) =>
    histogram({ [text]: [1, 2, 3], b: [1] }, { title: text, marks: { [text]: 2 } }),
  scatter: (text) => scatter([1, 2], [3, 4], { labels: [text, text], title: text }),
  heatmap: (text) =>
    heatmap([[1, 2], [3, 4]], { columns: [text, "b"], rows: ["a", text], valueLabel: text }),
  lossCurve: (text) =>
    lossCurve([{ step: 1, loss: 3, evaluation: { validationLoss: 4 } }, { step: 2, loss: NaN }], {
      title: text,
    }),
  topicLosses: (text) =>
    topicLosses([{ step: 1, loss: 3, evaluation: { topicLosses: { [text]: 4, other: 3 } } }], {
      title: text,
    }),
};

for (const [name, make] of Object.entries(charts)) {
  Deno.test(`${name}() lets no text out of its place`, () => {
    for (const text of hostile) assertSoundHtml(make(text).html);
    fc.assert(fc.property(hostileText, (text) => void assertSoundHtml(make(text).html)), {
      numRuns: 60,
    });
  });

  Deno.test(`${name}() gives Plotly, HTML and text`, () => {
    const bundle = make("A title")[jupyterDisplay]();
    assertEquals(Object.keys(bundle), [plotlyMimeType, "text/html", "text/plain"]);
    assertMatch(bundle["text/plain"], /^[^\n]+\.$/);
    assert(Array.isArray((bundle[plotlyMimeType] as Drawn).data));
    JSON.stringify(bundle);
  });
}

Deno.test("figure() shows a text as it is, in the drawing and in Plotly", () => {
  const text = "<b>x</b> & <unk>";
  const chart = lineChart({ a: [1, 2] }, { title: text });
  assertStringIncludes(unescapeHtml(assertSoundHtml(svgOf(chart).slice(0, -6))), text);
  assertEquals(drawnFigure(chart).layout.title.text, "&lt;b&gt;x&lt;/b&gt; &amp; &lt;unk&gt;");
  assertStringIncludes(chart.text, text);
});

Deno.test("plainText() undoes plotlyText()", () => {
  fc.assert(fc.property(hostileText, (text) => assertEquals(plainText(plotlyText(text)), text)));
  assertEquals(plainText("a<br>b <b>c</b> <a href='x'>d</a>"), "a b c d");
});

Deno.test("figure() refuses traces that it cannot draw", () => {
  assertThrows(
    () => figure([{ type: "pie" } as unknown as PlotlyTrace]),
    TypeError,
    'Cannot draw a trace of type "pie": expected "scatter", "bar" or "heatmap"',
  );
});

Deno.test("figure() draws a line through its points", () => {
  const svg = svgOf(lineChart([{ name: "a", x: [0, 1, 2], y: [0, 10, 0] }]));
  const path = /<path d="(M[^"]+)" fill="none" stroke="#3b7dd8"/.exec(svg)![1];
  const points = path.slice(1).split("L").map((point) => point.split(" ").map(Number));
  assertEquals(points.length, 3);
  const [[x0, y0], [x1, y1], [x2, y2]] = points;
  assertEquals(y0, y2);
  assertLess(y1, y0);
  assertEquals(Math.round(x1 - x0), Math.round(x2 - x1));
});

Deno.test("figure() leaves gaps where a value is not a number", () => {
  const chart = lineChart([1, NaN, 2, 3, Infinity, 1]);
  const path = /<path d="(M[^"]+)" fill="none" stroke="#3b7dd8"/.exec(svgOf(chart))![1];
  assertEquals(path.match(/M/g)!.length, 3);
  assertEquals(drawnFigure(chart).data[0].y, [1, null, 2, 3, null, 1]);
});

Deno.test("figure() draws bars from zero, as long as their values", () => {
  const svg = svgOf(barChart({ a: 1, b: 2, c: -1 }));
  const path = /<path d="([^"]+)" fill="#3b7dd8"/.exec(svg)![1];
  const bars = [...path.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)/g)].map((m) =>
    m.slice(1).map(Number)
  );
  assertEquals(bars.length, 3);
  const [a, b, c] = bars;
  assertLess(Math.abs(b[3] - 2 * a[3]), 0.3);
  assertLess(Math.abs(c[3] - a[3]), 0.3);
  assertLess(Math.abs(a[1] + a[3] - c[1]), 0.3);
});

Deno.test("figure() stacks bars", () => {
  const chart = figure([
    { type: "bar", x: ["a"], y: [1] },
    { type: "bar", x: ["a"], y: [2] },
  ], { barmode: "stack" });
  const [low, high] = [...svgOf(chart).matchAll(/M[\d.]+ ([\d.]+)h[\d.]+v([\d.]+)h/g)]
    .map((m) => m.slice(1).map(Number));
  assertLess(Math.abs(high[0] + high[1] - low[0]), 0.2);
});

Deno.test("heatmap() draws each cell in its colour and leaves what is missing", () => {
  const svg = svgOf(heatmap([[0, 1], [NaN, 0.5]]));
  const marks = svg.slice(svg.indexOf("<g shape-rendering"));
  assertMatch(marks, /fill="#440154"/);
  assertMatch(marks, /fill="#fde725"/);
  const cells = marks.slice(0, marks.indexOf("</g>"));
  assertEquals([...cells.matchAll(/M/g)].length, 3);
});

Deno.test("histogram() counts every value once", () => {
  fc.assert(fc.property(
    fc.array(
      fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.integer({ min: -50, max: 50 })),
      {
        minLength: 1,
        maxLength: 200,
      },
    ),
    fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    (values, bins) => {
      const trace = histogram(values, bins === undefined ? {} : { bins }).data[0];
      const counts = trace.type === "bar" ? trace.y as number[] : [];
      assertEquals(counts.reduce((a, b) => a + b, 0), values.length);
    },
  ));
});

Deno.test("histogram() gives whole numbers bins of equal chance", () => {
  const trace = histogram(Array.from({ length: 1000 }, (_, i) => i % 20), { bins: 10 }).data[0];
  assertEquals(trace.type === "bar" && trace.y, new Array(10).fill(100));
});

Deno.test("histogram() says how many values it left out", () => {
  const chart = histogram([1, 2, NaN, Infinity]);
  assertStringIncludes(
    drawnFigure(chart).layout.title.subtitle.text,
    "2 values that are not finite numbers left out",
  );
  assertStringIncludes(histogram([]).text, "Bar chart");
  assertThrows(() => histogram([1], { bins: 0 }), RangeError, "bins must be from 1 to 1000, got 0");
});

Deno.test("charts of any finite data have only finite pixels", () => {
  const number = fc.oneof(
    fc.double({ noNaN: false }),
    fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, NaN, Infinity),
  );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 30 }), fc.boolean(), (values, logY) => {
      for (
        const chart of [
          lineChart(values, { logY }),
          barChart(values.map((value, i): [string, number] => [`n${i}`, value])),
          scatter(values, values),
          heatmap([values, values]),
          histogram(values),
        ]
      ) {
        assertSoundHtml(chart.html);
        const pixels = svgOf(chart).matchAll(
          / (?:d|x|y|width|height|viewBox|transform)="([^"]*)"/g,
        );
        for (const [, value] of pixels) assert(!/NaN|Infinity|undefined|null/.test(value), value);
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("charts take at most 100 kB in a notebook, and say what was left out", () => {
  const long = Float32Array.from({ length: 200_000 }, (_, i) => Math.sin(i / 1e4) + (i % 7) / 10);
  const line = lineChart({ a: long, b: long, c: long }, { title: "Long" });
  const grid = heatmap(Array.from({ length: 300 }, (_, i) => long.slice(i, i + 300)));
  const points = scatter(long, long, { labels: Array.from(long, (_, i) => `point ${i}`) });
  for (const chart of [line, grid, points]) assertLess(notebookBytes(chart), 100_000);
  assertMatch(line.text, /\d+ of 200,000 points drawn/);
  assertMatch(line.html, /\d+ of 200,000 points drawn/);
  assertMatch(grid.text, /300 × 300 cells drawn as \d\d × \d\d averages/);
  // The caller's data stays whole.
  assertEquals(line.data[0].x!.length, 200_000);
});

Deno.test("figure() stays small for short data", () => {
  assertLess(notebookBytes(lineChart([3, 2, 1])), 16_000);
});

Deno.test("figure() is the same every time", () => {
  const make = () => JSON.stringify(lossCurve([{ step: 1, loss: 2 }, { step: 2, loss: 1 }]).bundle);
  assertEquals(make(), make());
});

Deno.test("lossCurve() marks losses that are not numbers", () => {
  const chart = lossCurve([
    { step: 1, loss: 3 },
    { step: 2, loss: NaN },
    { step: 3, loss: 2, evaluation: { validationLoss: Infinity } },
  ]);
  const cross = chart.data.find(({ name }) => name === "not a number")!;
  assertEquals([cross.x, cross.y], [[2, 3], [3, 3]]);
  assertStringIncludes(chart.text, "2 steps with a loss that is not a number");
});

Deno.test("lossCurve() smooths without lag and without spreading a NaN", () => {
  const history = Array.from(
    { length: 100 },
    (_, i) => ({ step: i + 1, loss: i === 50 ? NaN : 100 - i }),
  );
  const chart = lossCurve(history, { smoothing: 5 });
  const smoothed = chart.data.find(({ name }) => name === "training, mean of 5 steps")!;
  assertEquals((smoothed.y as number[])[20], 80);
  assertEquals((smoothed.y as number[]).filter((v) => !Number.isFinite(v)).length, 1);
  assertThrows(() => lossCurve([], { smoothing: 0 }), RangeError, "at least 1, got 0");
});

Deno.test("lossCurve() says along the top how many tokens were computed", () => {
  const history = Array.from({ length: 11 }, (_, i) => ({ step: i, loss: 1, tokensComputed: 100 }));
  const { xaxis2 } = lossCurve(history).layout;
  assertEquals(xaxis2!.ticktext, ["200", "400", "600", "800", "1000"]);
  assertEquals(xaxis2!.tickvals, [1, 3, 5, 7, 9]);
  assertEquals(lossCurve([{ step: 1, loss: 1 }]).layout.xaxis2, undefined);
});

Deno.test("lossCurve() takes an empty history", () => {
  assertEquals(lossCurve([]).text, "Loss curve without steps.");
  assertStringIncludes(lossCurve([]).html, "No data");
});

Deno.test("colours read on light and dark pages", () => {
  const luminance = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const c = parseInt(hex.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  for (const color of [...palette, warning, "#7d7d7d"]) {
    for (const page of ["#ffffff", "#111111"]) {
      assert(contrast(color, page) >= 3, `${color} on ${page}: ${contrast(color, page)}`);
    }
  }
});
