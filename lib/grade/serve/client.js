// The marking page's own script. A change is kept in this browser first and sent at once; it is
// forgotten here only when the server has it. A mark names the version that its marker saw, so that
// another marker's is never overwritten unread.
"use strict";
(() => {
  const DRAFTS = "tunebook-marking-draft:";
  const MARKER = "tunebook-marking-marker";
  const POLL = 3000;
  const RETRY = 2000;
  /** Between two saves of one answer, so that a comment is not saved once per letter. */
  const PAUSE = 250;
  const byId = (id) => document.getElementById(id);

  /** Drafts that are begun on this page; a draft keeps its session when the page is loaded again. */
  const pageSession = crypto.randomUUID();

  /** Everything that is known; `marks` is what the server has, `drafts` what it does not have yet. */
  const state = {
    start: undefined,
    queue: undefined,
    current: undefined,
    marks: new Map(),
    drafts: new Map(),
    conflicts: new Map(),
    report: true,
  };
  const sending = new Set();
  const pages = new Map();
  let offline = false;
  let notice = "";

  // Small helpers

  /** Makes an element; children that are strings become text. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  /** Points as people write them. */
  const number = (value) => String(Math.round(value * 100) / 100).replace("-", "−");

  const request = async (path, body) => {
    let response;
    try {
      response = await fetch(
        path,
        body === undefined ? {} : {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
          keepalive: JSON.stringify(body).length < 60_000,
        },
      );
    } catch (cause) {
      throw Object.assign(new Error("The server cannot be reached", { cause }), {
        isOffline: true,
      });
    }
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    const value = isJson ? await response.json() : { message: await response.text() };
    if (response.ok || response.status === 409) return { status: response.status, value };
    const { status } = response;
    throw Object.assign(new Error(value.message), { status, isOffline: status >= 500 });
  };

  /** HTML from the server's sanitiser; its links open beside this page. */
  const fill = (element, html) => {
    element.innerHTML = html;
    for (const link of element.querySelectorAll("a[href]")) {
      if (link.getAttribute("href").startsWith("#")) continue;
      link.target = "_blank";
      link.rel = "noopener noreferrer nofollow";
    }
  };

  // Marks

  const EMPTY = { points: null, rubric: [], comment: "" };
  /** Whether a person has yet to mark an answer, or to look at it once more. */
  const isOpen = (answer) => markOf(answer).points === null || markOf(answer).outdated === true;
  const markOf = (answer) => state.drafts.get(answer) ?? state.marks.get(answer) ?? EMPTY;
  const versionOf = (answer) => state.marks.get(answer)?.version ?? 0;
  /** How often this page has changed an answer's mark, as far as the server knows. */
  const editOf = (answer) => {
    const mark = state.marks.get(answer);
    return mark?.session === pageSession ? mark.edit : 0;
  };

  const rubricPoints = (ids) => {
    if (ids.length === 0) return null;
    const given = state.queue.rubric.filter(({ id }) => ids.includes(id));
    const sum = given.reduce((total, { points }) => total + points, 0);
    return Math.min(state.queue.maxPoints, Math.max(0, sum));
  };

  /** Keeps a change here, then sends it. */
  const change = (more) => {
    const answer = state.current;
    if (answer === undefined) return;
    const begun = { base: versionOf(answer), session: pageSession, edit: editOf(answer) };
    const { base, session, edit } = state.drafts.get(answer) ?? begun;
    const { points, rubric, comment } = { ...markOf(answer), ...more };
    const draft = { base, session, edit: edit + 1, points, rubric, comment };
    state.drafts.set(answer, draft);
    localStorage.setItem(DRAFTS + answer, JSON.stringify(draft));
    notice = "";
    showMark();
    send(answer);
  };

  const forget = (answer) => {
    state.drafts.delete(answer);
    localStorage.removeItem(DRAFTS + answer);
  };

  const marker = () => byId("mk-marker").value.trim();

  const post = (answer, draft) => request("/api/mark", { answer, ...draft, marker: marker() });

  /** Sends what the server does not have, one send at a time for an answer. */
  const send = async (answer) => {
    if (sending.has(answer) || state.conflicts.has(answer) || marker() === "") {
      showStatus();
      return;
    }
    sending.add(answer);
    showStatus();
    try {
      for (let draft; (draft = state.drafts.get(answer)) !== undefined;) {
        const { status, value } = await post(answer, draft);
        offline = false;
        const latest = state.drafts.get(answer);
        if (status === 409) {
          state.conflicts.set(answer, value.current);
          break;
        }
        state.marks.set(answer, value.mark);
        if (latest === undefined || latest === draft || latest.edit === draft.edit) forget(answer);
        else {
          rebase(answer, latest, value.mark.version);
          await new Promise((resolve) => setTimeout(resolve, PAUSE));
        }
      }
    } catch (error) {
      offline = error.isOffline === true;
      // Of another course at this address: it stays in the browser until that one is served again.
      if (error.status === 404) state.drafts.delete(answer);
      else if (!offline) notice = error.message;
    } finally {
      sending.delete(answer);
    }
    showQueue();
    showConflict();
    showStatus();
  };

  const rebase = (answer, draft, base) => {
    const moved = { ...draft, base };
    state.drafts.set(answer, moved);
    localStorage.setItem(DRAFTS + answer, JSON.stringify(moved));
  };

  const sendAll = () => {
    for (const answer of state.drafts.keys()) send(answer);
  };

  /** What an earlier page, or one that was closed, could not send. */
  const readDrafts = () => {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(DRAFTS)) continue;
      try {
        state.drafts.set(key.slice(DRAFTS.length), JSON.parse(localStorage.getItem(key)));
      } catch {
        localStorage.removeItem(key);
      }
    }
  };

  const keepMine = () => {
    const answer = state.current;
    const theirs = state.conflicts.get(answer);
    if (theirs === undefined) return;
    state.conflicts.delete(answer);
    state.marks.set(answer, theirs);
    rebase(answer, state.drafts.get(answer) ?? theirs, theirs.version);
    showMark();
    send(answer);
  };

  const takeTheirs = async () => {
    const answer = state.current;
    const theirs = state.conflicts.get(answer);
    if (theirs === undefined) return;
    const mine = state.drafts.get(answer);
    // Refused once more with all that was typed since: the store sets it aside.
    if (mine !== undefined) await post(answer, mine);
    state.conflicts.delete(answer);
    state.marks.set(answer, theirs);
    forget(answer);
    showMark();
  };

  // What is seen

  const showStatus = () => {
    const waiting = state.drafts.size;
    const status = byId("mk-status");
    let text = "All saved";
    let tone = "";
    if (marker() === "") {
      text = "Enter your name, so that marks can be saved";
      tone = "warn";
    } else if (notice !== "") {
      text = notice;
      tone = "warn";
    } else if (state.conflicts.size > 0) {
      text = "Two marks differ";
      tone = "warn";
    } else if (offline) {
      text = `No connection: ${waiting} ${
        waiting === 1 ? "mark waits" : "marks wait"
      } in this browser`;
      tone = "warn";
    } else if (waiting > 0) text = "Saving …";
    if (status.textContent !== text) status.textContent = text;
    status.dataset.tone = tone;
  };

  /** What each row of the queue shows. */
  let rowShown = [];
  const showQueue = () => {
    const { queue, current } = state;
    if (queue === undefined) return;
    const marked = queue.answers.filter(({ id }) => !isOpen(id)).length;
    byId("mk-progress").textContent = `${marked} of ${queue.answers.length} marked`;
    const rows = byId("mk-queue").children;
    for (const [i, { id }] of queue.answers.entries()) {
      const { points, marker: by } = markOf(id);
      const who = by === undefined || by === marker() ? "" : by;
      const tone = state.conflicts.has(id) ? "conflict" : isOpen(id) ? "open" : "done";
      const shown = `${tone} ${points} ${id === current} ${who}`;
      if (rowShown[i] === shown) continue; // a course may have a thousand rows
      rowShown[i] = shown;
      const button = rows[i].firstElementChild;
      const [, mark, name] = button.children;
      mark.textContent = points === null ? "–" : number(points);
      name.textContent = who;
      button.dataset.state = tone;
      if (id === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  };

  const buildQueue = () => {
    rowShown = [];
    byId("mk-queue").replaceChildren(...state.queue.answers.map(({ id, name }) =>
      make(
        "li",
        {},
        make(
          "button",
          { type: "button", onclick: () => openAnswer(id) },
          make("span", {}, name),
          make("span", {}),
          make("small", {}),
        ),
      )
    ));
    const { rubric, maxPoints } = state.queue;
    byId("mk-rubric").replaceChildren(...rubric.map(({ id, label, points }, i) =>
      make(
        "button",
        { type: "button", "aria-pressed": "false", "data-item": id, onclick: () => toggle(i) },
        make("kbd", {}, i < 9 ? String(i + 1) : "·"),
        make("span", {}, label),
        make("strong", {}, points > 0 ? `+${number(points)}` : number(points)),
      )
    ));
    byId("mk-max").textContent = `of ${number(maxPoints)}`;
    for (const [name, html] of [["prompt", state.queue.prompt], ["scheme", state.queue.scheme]]) {
      byId(`mk-${name}`).hidden = html === "";
      fill(byId(`mk-${name}-text`), html);
    }
    byId("mk-prompt").open = innerWidth >= 900;
  };

  const showMark = () => {
    const { points, rubric, comment, outdated = false } = markOf(state.current);
    byId("mk-outdated").hidden = !outdated;
    for (const button of byId("mk-rubric").children) {
      button.setAttribute("aria-pressed", String(rubric.includes(button.dataset.item)));
    }
    const field = byId("mk-points");
    if (document.activeElement !== field) {
      field.value = points === null ? "" : String(points);
      field.removeAttribute("aria-invalid");
    }
    const text = byId("mk-comment");
    if (text.value !== comment) text.value = comment;
    showConflict();
    showQueue();
    showStatus();
  };

  const showConflict = () => {
    const box = byId("mk-conflict");
    const theirs = state.conflicts.get(state.current);
    box.hidden = theirs === undefined;
    if (theirs === undefined) {
      box.replaceChildren();
      return;
    }
    const side = (title, { points, comment, rubric }, key, action, onclick) => {
      const labels = state.queue.rubric.filter(({ id }) => rubric.includes(id));
      return make(
        "div",
        {},
        make("h3", {}, title),
        make("p", {}, points === null ? "No points" : `${number(points)} points`),
        ...(labels.length === 0
          ? []
          : [make("p", {}, labels.map(({ label }) => label).join(", "))]),
        ...(comment === "" ? [] : [make("p", { class: "mk-quote" }, comment)]),
        make(
          "button",
          { type: "button", class: "nb-button", onclick },
          `${action} `,
          make("kbd", {}, key),
        ),
      );
    };
    box.replaceChildren(
      make(
        "p",
        {},
        `${theirs.marker} marked this answer while you did. Both marks are kept; say which counts.`,
      ),
      make(
        "div",
        { class: "mk-both" },
        side(theirs.marker, theirs, "t", "Take theirs", KEYS.t),
        side("You", markOf(state.current), "m", "Keep mine", keepMine),
      ),
    );
  };

  // Moving

  const load = (id) => {
    if (!pages.has(id)) {
      const page = request(`/api/answer?answer=${encodeURIComponent(id)}`).then(({ value }) =>
        value
      );
      page.catch(() => pages.delete(id));
      pages.set(id, page);
    }
    return pages.get(id);
  };

  const placeOf = (id) => state.queue.answers.findIndex((answer) => answer.id === id);

  const openAnswer = async (id) => {
    const place = placeOf(id);
    if (place < 0) return;
    state.current = id;
    location.replace(`#${encodeURIComponent(state.queue.id)}/${id}`);
    byId("mk-name").textContent = state.queue.answers[place].name;
    byId("mk-suggestion").replaceChildren();
    byId("mk-before").disabled = place === 0;
    byId("mk-next").disabled = place === state.queue.answers.length - 1;
    if (/^(?:INPUT|TEXTAREA)$/.test(document.activeElement?.tagName)) document.activeElement.blur();
    showMark();
    showReport();
    byId("mk-queue").children[place].scrollIntoView({ block: "nearest" });
    const box = byId("mk-answer");
    box.setAttribute("aria-busy", "true");
    try {
      const { html, isCut, isEmpty, file, findings } = await load(id);
      if (state.current !== id) return;
      fill(box, html);
      if (isEmpty) box.replaceChildren(make("p", { class: "nb-note" }, "Nothing was answered."));
      if (isCut) {
        box.append(make("p", { class: "nb-note" }, "Cut here; the report has the whole answer."));
      }
      if (findings.length > 0) {
        box.append(
          make(
            "aside",
            { class: "mk-findings", "aria-label": "What grading found" },
            make("h3", {}, "What grading found in this submission"),
            make("ul", {}, ...findings.map((text) => make("li", {}, text))),
          ),
        );
      }
      if (file !== null) {
        const kind = file === "application/pdf" ? "PDF" : "Markdown file";
        const href = `/file?answer=${encodeURIComponent(id)}`;
        box.prepend(
          make(
            "p",
            { class: "nb-note" },
            make("a", { href, download: true }, `Download the ${kind}`),
          ),
        );
      }
    } catch (error) {
      if (state.current === id) box.replaceChildren(make("p", { class: "nb-note" }, error.message));
    }
    box.removeAttribute("aria-busy");
    box.scrollTop = 0;
    for (const next of [place + 1, place + 2]) {
      const answer = state.queue.answers[next];
      if (answer !== undefined) load(answer.id).catch(() => {});
    }
  };

  const showReport = () => {
    const box = byId("mk-report");
    document.body.classList.toggle("mk-with-report", state.report);
    byId("mk-show-report").setAttribute("aria-pressed", String(state.report));
    if (!state.report || state.current === undefined) {
      box.replaceChildren();
      return;
    }
    const src = `/report?answer=${encodeURIComponent(state.current)}`;
    if (box.firstElementChild?.getAttribute("src") === src) return;
    const title = `Report of ${byId("mk-name").textContent}`;
    box.replaceChildren(make("iframe", { sandbox: "", src, title, loading: "lazy" }));
  };

  const step = (by) => {
    const answer = state.queue.answers[placeOf(state.current) + by];
    if (answer !== undefined) openAnswer(answer.id);
  };

  const nextOpen = () => {
    const { answers } = state.queue;
    const place = placeOf(state.current);
    const order = [...answers.slice(place + 1), ...answers.slice(0, place)];
    const open = order.find(({ id }) => isOpen(id));
    if (open !== undefined) openAnswer(open.id);
    else {
      notice = isOpen(state.current)
        ? "This answer waits for you"
        : "Every answer to this question has points";
      showStatus();
    }
  };

  const openQuestion = async (id, answer) => {
    const { value } = await request(`/api/queue?question=${encodeURIComponent(id)}`);
    state.queue = value;
    state.current = undefined;
    for (const { id, mark } of value.answers) if (mark !== null) state.marks.set(id, mark);
    byId("mk-questions").value = id;
    buildQueue();
    const first = value.answers.find((one) => one.id === answer) ??
      value.answers.find((one) => isOpen(one.id)) ?? value.answers[0];
    byId("mk-main").hidden = first === undefined;
    if (first === undefined) byId("mk-progress").textContent = "No answers to this question";
    else await openAnswer(first.id);
  };

  const stepQuestion = (by) => {
    const { questions } = state.start;
    const next = questions[questions.findIndex(({ id }) => id === state.queue.id) + by];
    if (next !== undefined) openQuestion(next.id).catch(fail);
  };

  // Marking

  const toggle = (i) => {
    const item = state.queue.rubric[i];
    if (item === undefined) return;
    const { rubric } = markOf(state.current);
    const chosen = state.queue.rubric.map(({ id }) => id).filter((id) =>
      id === item.id ? !rubric.includes(id) : rubric.includes(id)
    );
    change({ rubric: chosen, points: rubricPoints(chosen) });
  };

  const readPoints = () => {
    const field = byId("mk-points");
    const text = field.value.trim().replace(",", ".");
    const points = text === "" ? null : Number(text);
    const isRight = points === null || points >= 0 && points <= state.queue.maxPoints;
    field.setAttribute("aria-invalid", String(!isRight));
    if (isRight) change({ points });
    else {
      notice = `Not saved: expected points from 0 to ${number(state.queue.maxPoints)}`;
      showStatus();
    }
  };

  /** Says that the mark holds for what was handed in since. */
  const confirmMark = () => {
    if (markOf(state.current).outdated === true) change({});
  };

  const keepComment = async () => {
    const text = byId("mk-comment").value.trim();
    if (text === "") return;
    const { value } = await request("/api/comment", { question: state.queue.id, text });
    state.queue.comments = value.comments;
    notice = "Comment kept for other answers";
    showStatus();
  };

  let chosen = 0;
  const showComments = () => {
    const filter = byId("mk-filter").value.trim().toLowerCase();
    const found = state.queue.comments.filter((text) => text.toLowerCase().includes(filter));
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    byId("mk-options").replaceChildren(...found.map((text, i) =>
      make(
        "li",
        {
          role: "option",
          id: `mk-option-${i}`,
          "aria-selected": String(i === chosen),
          onclick: () => insert(text),
        },
        text,
      )
    ));
    if (found.length > 0) {
      byId("mk-filter").setAttribute("aria-activedescendant", `mk-option-${chosen}`);
    } else byId("mk-filter").removeAttribute("aria-activedescendant");
    return found;
  };

  const chooseComment = () => {
    if (state.queue.comments.length === 0) {
      notice = "No comment was kept yet: write one and press a";
      showStatus();
      return;
    }
    byId("mk-filter").value = "";
    chosen = 0;
    showComments();
    byId("mk-comments").showModal();
  };

  const insert = (text) => {
    byId("mk-comments").close();
    const { comment } = markOf(state.current);
    change({ comment: comment.trim() === "" ? text : `${comment.trimEnd()}\n\n${text}` });
  };

  const suggest = async () => {
    if (!state.start.suggests) return;
    const answer = state.current;
    const box = byId("mk-suggestion");
    box.textContent = "The judge reads …";
    try {
      const { value } = await request("/api/suggest", { answer });
      if (state.current !== answer) return;
      box.replaceChildren(
        make(
          "p",
          {},
          make(
            "strong",
            {},
            `Suggestion: ${number(value.points)} of ${number(state.queue.maxPoints)}`,
          ),
        ),
        make("p", {}, value.reason),
        make("p", {}, "A model wrote this. It is not a score: yours counts."),
      );
    } catch (error) {
      if (state.current === answer) box.textContent = error.message;
    }
  };

  const fail = (error) => {
    notice = error.message;
    showStatus();
  };

  const focus = (id) => {
    byId(id).focus();
    if (id === "mk-points") byId(id).select();
  };

  const toggleReport = () => {
    state.report = !state.report;
    showReport();
  };

  const KEYS = {
    f: () => change({ points: state.queue.maxPoints }),
    z: () => change({ points: 0 }),
    p: () => focus("mk-points"),
    c: () => focus("mk-comment"),
    "/": chooseComment,
    a: () => keepComment().catch(fail),
    Enter: nextOpen,
    j: () => step(1),
    ArrowRight: () => step(1),
    k: () => step(-1),
    ArrowLeft: () => step(-1),
    "[": () => stepQuestion(-1),
    "]": () => stepQuestion(1),
    r: toggleReport,
    s: suggest,
    y: confirmMark,
    m: keepMine,
    t: () => takeTheirs().catch(fail),
    "?": () => byId("mk-help").showModal(),
  };

  addEventListener("keydown", (event) => {
    if (event.isComposing || state.queue === undefined) return;
    const { key, target } = event;
    if (document.querySelector("dialog[open]") !== null) return;
    const isField = /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    if (isField) {
      const leaves = key === "Escape" || key === "Enter" && target.id === "mk-marker";
      const goesOn = key === "Enter" &&
        (event.ctrlKey || event.metaKey || target.id === "mk-points");
      if (leaves || goesOn) {
        event.preventDefault();
        target.blur();
        showMark();
        if (goesOn) nextOpen();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // Enter and arrows keep their meaning on what has the focus.
    if (key === "Enter" && /^(?:BUTTON|A|SUMMARY)$/.test(target.tagName)) return;
    if (/^[1-9]$/.test(key) && state.current !== undefined) {
      event.preventDefault();
      const digit = Number(key);
      if (state.queue.rubric.length > 0) toggle(digit - 1);
      else if (digit <= state.queue.maxPoints) change({ points: digit });
    } else if (Object.hasOwn(KEYS, key) && (state.current !== undefined || /[[\]?]/.test(key))) {
      event.preventDefault();
      KEYS[key]();
    }
  });

  const poll = async () => {
    try {
      if (document.visibilityState === "visible" && state.queue !== undefined) {
        const question = state.queue.id;
        const { value } = await request(`/api/marks?question=${encodeURIComponent(question)}`);
        if (state.queue.id === question) takeIn(value.marks);
        if (offline) {
          offline = false;
          sendAll();
        }
      }
    } catch (error) {
      offline = error.isOffline === true;
    }
    showStatus();
    setTimeout(poll, POLL);
  };

  /** Other markers' work appears here, unless this marker is at the same answer. */
  const takeIn = (marks) => {
    let changed = false;
    for (const { answer, mark } of marks) {
      const known = state.marks.get(answer);
      const isNew = mark.version > versionOf(answer) || mark.outdated && !known.outdated;
      if (!isNew || state.drafts.has(answer)) continue;
      if (mark.outdated) pages.delete(answer);
      state.marks.set(answer, mark);
      changed = true;
    }
    if (changed) showMark();
  };

  const click = (id, action) => byId(id).addEventListener("click", action);

  const listen = () => {
    click("mk-before", () => step(-1));
    click("mk-next", () => step(1));
    click("mk-full", KEYS.f);
    click("mk-none", KEYS.z);
    click("mk-insert", chooseComment);
    click("mk-keep", KEYS.a);
    click("mk-suggest", suggest);
    click("mk-confirm", confirmMark);
    click("mk-done", nextOpen);
    click("mk-show-report", toggleReport);
    click("mk-show-help", KEYS["?"]);
    click("mk-close-help", () => byId("mk-help").close());
    byId("mk-questions").addEventListener(
      "change",
      (event) => openQuestion(event.target.value).catch(fail),
    );
    byId("mk-points").addEventListener("input", readPoints);
    byId("mk-comment").addEventListener(
      "input",
      (event) => change({ comment: event.target.value }),
    );
    byId("mk-marker").addEventListener("input", () => {
      localStorage.setItem(MARKER, marker());
      showStatus();
    });
    byId("mk-marker").addEventListener("change", sendAll);
    byId("mk-filter").addEventListener("input", () => {
      chosen = 0;
      showComments();
    });
    byId("mk-filter").addEventListener("keydown", (event) => {
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move !== undefined) {
        event.preventDefault();
        chosen += move;
        showComments();
      } else if (event.key === "Enter") {
        event.preventDefault();
        const found = showComments();
        if (found.length > 0) insert(found[chosen]);
      }
    });
    addEventListener("online", sendAll);
    addEventListener("pagehide", () => {
      // What comes back from here is heard by nobody; the drafts stay until a next page has heard.
      for (const [answer, draft] of state.drafts) {
        if (!state.conflicts.has(answer)) post(answer, draft).catch(() => {});
      }
    });
    addEventListener("beforeunload", (event) => {
      // Nothing is lost without this warning, but a mark that only this browser has is not done.
      if (offline && state.drafts.size > 0) event.preventDefault();
    });
    setInterval(() => {
      if (state.drafts.size > 0) sendAll();
    }, RETRY);
  };

  const begin = async () => {
    readDrafts();
    listen();
    const { value } = await request("/api/start");
    state.start = value;
    byId("mk-marker").value = localStorage.getItem(MARKER) ?? value.marker;
    byId("mk-suggest").hidden = !value.suggests;
    byId("mk-questions").replaceChildren(
      ...value.questions.map(({ id, title }) => make("option", { value: id }, title)),
    );
    state.report = innerWidth >= 1100;
    showReport();
    const [question, answer] = location.hash.slice(1).split("/").map(decodeURIComponent);
    const first = value.questions.find(({ id }) => id === question) ?? value.questions[0];
    if (first === undefined) {
      byId("mk-main").hidden = true;
      byId("mk-progress").textContent = "Nothing to mark";
      return;
    }
    await openQuestion(first.id, answer);
    if (marker() === "") focus("mk-marker");
    sendAll();
    poll();
  };

  begin().catch(fail);
})();
