// The report's own script, allowed in the page by its hash: theme, folding, charts, printing, and
// saving the notebook that the page carries. Everything can be read without it.
// @ts-check
"use strict";
(() => {
  const root = document.documentElement;
  const THEME = "tunebook-report-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Storage may be forbidden where a page is opened from a file.
  const stored = () => {
    try {
      return localStorage.getItem(THEME);
    } catch {
      return null;
    }
  };
  const chosen = stored();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  root.classList.add("nb-scripted");

  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  /** @param {string} name */
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  /** @type {{figure: Element, target: HTMLElement, source: any, still: Element | null}[]} */
  const charts = [];

  const canvas = document.createElement("canvas").getContext("2d");
  /**
   * The width of a label of Plotly's, whose tags and character references take no more room than
   * what they stand for.
   * @param {string} label
   * @param {number} size
   */
  const widthOf = (label, size) => {
    if (!canvas) return 0.55 * size * label.length;
    canvas.font = `${size}px ${color("--nb-sans")}`;
    return canvas.measureText(label.replace(/<[^>]*>/g, "").replace(/&[a-z]+;/g, "x")).width;
  };

  /**
   * Breaks a label into lines, between words: Plotly cuts off what is too wide.
   * @param {string} label
   * @param {number} size
   * @param {number} room
   */
  const wrap = (label, size, room) => {
    const lines = [""];
    for (const word of label.split(" ")) {
      const line = lines[lines.length - 1];
      const longer = line === "" ? word : `${line} ${word}`;
      if (line === "" || widthOf(longer, size) <= room) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.join("<br>");
  };

  const LINES = /<br\s*\/?>/i;
  /** Sizes of Plotly's fonts, and of the rows of a legend, in pixels. */
  const [TITLE, SUBTITLE, NAME, ROW] = [18.2, 15.6, 13, 19];
  /** The room that a name needs beside its line in a legend, and that a chart has beside its plot. */
  const [NAME_LINE, SIDES] = [52, 80];

  /**
   * The series, with names that are no wider than the chart.
   * @param {any} source
   * @param {number} width
   */
  const dataOf = (source, width) =>
    structuredClone(source.data).map((/** @type {any} */ trace) =>
      typeof trace.name === "string"
        ? { ...trace, name: wrap(trace.name, NAME, width - SIDES - NAME_LINE) }
        : trace
    );

  /**
   * The height of a legend that lies above a chart.
   * @param {any} source
   * @param {number} width
   */
  const legendHeight = (source, width) => {
    const names = dataOf(source, width).filter((/** @type {any} */ { name, showlegend }) =>
      name && showlegend !== false
    ).map((/** @type {any} */ { name }) => String(name).split(LINES));
    if (!(source.layout.showlegend ?? source.data.length > 1) || names.length === 0) return 0;
    const widths = names.map((/** @type {string[]} */ lines) =>
      NAME_LINE + Math.max(...lines.map((line) => widthOf(line, NAME)))
    );
    const rowHeight = ROW * Math.max(...names.map((/** @type {string[]} */ { length }) => length));
    const room = width - SIDES;
    const together = widths.reduce(
      (/** @type {number} */ sum, /** @type {number} */ one) => sum + one,
      0,
    );
    if (together <= room) return 12 + rowHeight;
    // Where names take more than one row, Plotly makes all columns as wide as the longest name.
    const columns = Math.max(1, Math.floor(room / Math.max(...widths)));
    return 12 + rowHeight * Math.ceil(names.length / columns);
  };

  /**
   * The page's colours, for what a figure leaves open, and room for its title and legend. A figure
   * with a background of its own keeps its own colours.
   * @param {any} source
   * @param {number} width
   */
  const layoutOf = (source, width) => {
    const layout = structuredClone(source.layout);
    const own = layout.paper_bgcolor;
    if (own && !/^rgba\(.*,\s*0(\.0*)?\)$|^transparent$/.test(own)) return layout;
    const line = color("--nb-grid");
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
    const ink = color("--nb-ink");
    layout.paper_bgcolor = "rgba(0,0,0,0)";
    if (!layout.plot_bgcolor) layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = { color: ink, family: color("--nb-sans"), size: 13, ...layout.font };
    for (const name of ["xaxis", "yaxis", ...Object.keys(layout)]) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      const given = layout[name] ?? {};
      const label = typeof given.title === "string" ? { text: given.title } : given.title;
      layout[name] = { ...axis, ...given };
      if (label?.text) layout[name].title = { standoff: 8, font: { size: 13 }, ...label };
    }
    // The legend stands where no axis does: above the chart, or under it where an axis is on top.
    const topAxis = Object.keys(layout).some((name) =>
      /^xaxis\d*$/.test(name) && layout[name].side === "top"
    );
    layout.legend = {
      orientation: "h",
      x: 0,
      ...(topAxis
        ? { y: 0, yref: "container", yanchor: "bottom" }
        : { y: 1.02, yanchor: "bottom" }),
      ...layout.legend,
    };
    layout.hoverlabel = {
      bgcolor: color("--nb-raised"),
      bordercolor: line,
      font: { color: ink },
      ...layout.hoverlabel,
    };
    // Without a background of its own the tool bar gets a grey block where pointers cannot hover.
    layout.modebar = {
      bgcolor: "rgba(0,0,0,0)",
      color: color("--nb-muted"),
      activecolor: ink,
      ...layout.modebar,
    };
    let top = topAxis ? 56 : legendHeight(source, width);
    const title = typeof layout.title === "string" ? { text: layout.title } : layout.title;
    if (title?.text) {
      const text = wrap(title.text, TITLE, width - 16);
      const lines = text.split(LINES).length;
      const below = title.subtitle?.text ? wrap(title.subtitle.text, SUBTITLE, width - 16) : "";
      top += 8 + 24 * lines + (below ? 10 + 20 * below.split(LINES).length : 0);
      // A long title begins at the left edge rather than above the axis.
      const long = widthOf(title.text, TITLE) > width - SIDES;
      layout.title = {
        ...(long ? { x: 0.01, xref: "container" } : { x: 0, xref: "paper" }),
        ...{ xanchor: "left", y: 1, yref: "container", yanchor: "top" },
        pad: { t: lines > 1 ? 19 : 6 }, // several lines begin higher than one
        ...title,
        text,
        ...(below ? { subtitle: { ...title.subtitle, text: below } } : {}),
      };
    }
    if (!layout.margin) {
      // Long titles and legends make a chart taller, not its plot smaller.
      layout.height += Math.max(0, top - 80);
      layout.margin = { l: 56, r: 16, t: Math.max(top, 24), b: topAxis ? 80 : 48 };
    }
    return layout;
  };

  /**
   * Shortens the names of an axis that would fill the chart; hovering shows them whole.
   * @param {any} source
   * @param {any} layout
   * @param {number} width
   */
  const shortenNames = (source, layout, width) => {
    for (const letter of ["x", "y"]) {
      const names = [
        ...new Set(source.data.flatMap((/** @type {any} */ trace) => trace[letter] ?? [])),
      ];
      const room = 0.3 * width;
      const tooLong = (/** @type {unknown} */ name) =>
        typeof name === "string" && widthOf(name, NAME) > room;
      if (layout[`${letter}axis`]?.ticktext || !names.some(tooLong)) continue;
      layout[`${letter}axis`] = {
        ...layout[`${letter}axis`],
        tickvals: names,
        ticktext: names.map((name) => {
          if (!tooLong(name)) return name;
          const letters = Math.floor(name.length * room / widthOf(name, NAME));
          return `${name.slice(0, Math.max(1, letters - 1)).trimEnd()}…`;
        }),
      };
    }
    return layout;
  };

  /**
   * What Plotly draws in a place of some width.
   * @param {any} source
   * @param {number} width
   */
  const drawnFor = (source, width) => [
    dataOf(source, width),
    shortenNames(source, layoutOf(source, width), width),
  ];

  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: "hover",
    showSendToCloud: false,
    showEditInChartStudio: false,
    scrollZoom: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  };

  const drawAll = async () => {
    const plotly = /** @type {any} */ (globalThis).Plotly;
    for (const figure of plotly ? document.querySelectorAll(".nb-chart") : []) {
      const text = figure.querySelector(":scope > .nb-figure-data")?.textContent;
      const still = figure.querySelector(":scope > .nb-still");
      const target = /** @type {HTMLElement | null} */ (
        still?.querySelector(".tb-live") ?? figure.querySelector(":scope > .nb-plot")
      );
      if (!text || !target) continue;
      try {
        const source = JSON.parse(text);
        await plotly.newPlot(
          target,
          ...drawnFor(source, target.clientWidth),
          config,
        );
        charts.push({ figure, target, source, still });
        showLive(charts[charts.length - 1], true);
      } catch (error) {
        // The static drawing stays.
        target.replaceChildren();
        console.warn("Cannot draw a chart:", error);
      }
    }
    root.classList.add("nb-drawn");
  };

  /**
   * Shows the live chart or its static drawing.
   * @param {typeof charts[number]} chart
   * @param {boolean} live
   */
  const showLive = ({ figure, still, target }, live) => {
    figure.classList.toggle("nb-live", live);
    const drawing = still?.querySelector(".tb-figure");
    drawing?.classList.toggle("tb-drawn", live);
    target.style.display = live || !still ? "" : "none";
  };

  const recolor = () => {
    const plotly = /** @type {any} */ (globalThis).Plotly;
    for (const { target, source } of charts) {
      plotly.react(
        target,
        ...drawnFor(source, target.clientWidth),
        config,
      );
    }
  };

  const saveNotebook = async () => {
    const data = document.getElementById("nb-notebook");
    if (!data?.textContent) return;
    const bytes = Uint8Array.from(atob(data.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const blob = new Blob([await new Response(stream).arrayBuffer()], {
      type: "application/x-ipynb+json",
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = data.dataset.name || "notebook.ipynb";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  const outputs =
    () => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".nb-confined"));

  // Paper does not scroll: what is wider is made smaller. It gets the static drawings, and all of how the report was made. Charts without one are
  // drawn anew for the width and the colours of paper.
  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  const PAPER_WIDTH = 620; // A4 without its margins and the gutter, in CSS pixels
  let printing = false;
  addEventListener("beforeprint", () => {
    printing = true;
    opened = [
      .../** @type {NodeListOf<HTMLDetailsElement>} */ (
        document.querySelectorAll("footer details:not([open])")
      ),
    ];
    for (const details of opened) details.open = true;
    for (const box of outputs()) {
      const wide = Math.max(
        ...[box, ...box.querySelectorAll("div")].map(({ scrollWidth }) => scrollWidth),
      );
      // The tokens of batches are printed smaller, by the view's own style.
      const printed = box.querySelector(".tb-grid") ? 0.65 * wide : wide;
      if (printed > PAPER_WIDTH) box.style.zoom = String(PAPER_WIDTH / printed);
    }
    const plotly = /** @type {any} */ (globalThis).Plotly;
    const theme = root.dataset.theme;
    root.dataset.theme = "light";
    for (const chart of charts) {
      if (chart.still) showLive(chart, false);
      else {
        plotly.react(chart.target, dataOf(chart.source, PAPER_WIDTH), {
          ...layoutOf(chart.source, PAPER_WIDTH),
          width: PAPER_WIDTH,
        }, { ...config, responsive: false });
      }
    }
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  });
  addEventListener("afterprint", () => {
    printing = false;
    for (const box of outputs()) box.style.zoom = "";
    for (const details of opened) details.open = false;
    for (const chart of charts) showLive(chart, true);
    recolor();
  });

  /** What is wider or longer than its box can be scrolled with the keyboard. */
  const letKeysScroll = () => {
    const boxes = /** @type {NodeListOf<HTMLElement>} */ (
      document.querySelectorAll("main pre, .table-scroll, .nb-confined, .math-display")
    );
    for (const box of boxes) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 ||
        box.scrollHeight > box.clientHeight + 1;
      if (scrolls) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", box.closest(".nb-code") ? "Code" : "Output, scrolls");
      } else box.removeAttribute("tabindex");
    }
  };

  const followHeadings = () => {
    const links = new Map();
    for (const link of document.querySelectorAll(".nb-toc a")) {
      links.set(decodeURIComponent(link.getAttribute("href") ?? "").slice(1), link);
    }
    const headings = [...links.keys()].map((id) => document.getElementById(id)).filter((h) => h);
    if (headings.length === 0) return;
    const update = () => {
      let current = headings[0];
      for (const heading of headings) {
        if (/** @type {HTMLElement} */ (heading).getBoundingClientRect().top > innerHeight / 4) {
          break;
        }
        current = heading;
      }
      for (const [id, link] of links) {
        if (id === current?.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        update();
      });
    }, { passive: true });
    update();
  };

  addEventListener("DOMContentLoaded", () => {
    const themeButton = document.getElementById("nb-theme");
    const sayTheme = () => themeButton?.setAttribute("aria-pressed", String(isDark()));
    sayTheme();
    themeButton?.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem(THEME, root.dataset.theme);
      } catch { /* The choice lasts as long as the page. */ }
      sayTheme();
      recolor();
    });
    dark.addEventListener("change", () => {
      if (root.dataset.theme) return;
      sayTheme();
      recolor();
    });

    const cells = /** @type {NodeListOf<HTMLDetailsElement>} */ (
      document.querySelectorAll("details.nb-code")
    );
    const foldButton = document.getElementById("nb-fold");
    const sayFold = () => {
      if (foldButton) {
        foldButton.textContent = [...cells].some((cell) => cell.open) ? "Hide code" : "Show code";
      }
    };
    sayFold();
    foldButton?.addEventListener("click", () => {
      const open = ![...cells].some((cell) => cell.open);
      for (const cell of cells) cell.open = open;
      sayFold();
    });
    for (const cell of cells) cell.addEventListener("toggle", sayFold);

    document.getElementById("nb-save")?.addEventListener("click", saveNotebook);
    followHeadings();
    drawAll();
    letKeysScroll();
    addEventListener("resize", () => {
      letKeysScroll();
      if (!printing) recolor(); // titles and legends need other lines
    });
  });
})();
