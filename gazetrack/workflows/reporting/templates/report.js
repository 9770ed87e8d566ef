"use strict";
// Text from data becomes text nodes, never markup. What is packed is unpacked when it is shown.
(() => {
  const MISSING = -32768;
  const id = (name) => document.getElementById(name);
  const root = document.documentElement;
  root.classList.add("scripted");

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const isolated = (text) => element("bdi", text);
  const shown = (value, digits) =>
    value === null || value === undefined ? "–" : value.toFixed(digits);
  const markCurrent = (row, isCurrent) =>
    isCurrent ? row.setAttribute("aria-current", "true") : row.removeAttribute("aria-current");
  const seconds = (ms) => (ms / 1000).toFixed(2);

  // ---- what the page holds ----
  let held = null;
  const pictures = () => (held ??= JSON.parse(id("pictures").textContent));
  const trialsOf = new Map();
  const trials = (recording) => {
    if (!trialsOf.has(recording)) {
      const data = id(`${recording}-data`);
      trialsOf.set(recording, data ? JSON.parse(data.textContent) : []);
    }
    return trialsOf.get(recording);
  };
  const loaded = new Map();
  const picture = (uri) => {
    if (!loaded.has(uri)) {
      const image = new Image();
      image.src = uri;
      loaded.set(uri, image.decode().then(() => image, () => null));
    }
    return loaded.get(uri);
  };

  // Bytes of a trial: int32 of fixations (onsets, durations, x, y), then for x and y of gaze the
  // low and the high bytes of int16 differences.
  const unpack = async (trial) => {
    if (trial.unpacked) return trial.unpacked;
    const [text, nPoints, nFixations, stepMs, scale] = trial.packed;
    const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    const numbers = new Int32Array(bytes, 0, 4 * nFixations);
    const column = (place, factor) =>
      Array.from(numbers.subarray(place * nFixations, (place + 1) * nFixations), (n) => n * factor);
    const axis = (place) => {
      const low = new Uint8Array(bytes, 16 * nFixations + 2 * place * nPoints, nPoints);
      const high = new Uint8Array(bytes, 16 * nFixations + (2 * place + 1) * nPoints, nPoints);
      const values = new Float32Array(nPoints);
      let last = 0;
      for (let point = 0; point < nPoints; point += 1) {
        last = ((last + low[point] + 256 * high[point]) << 16) >> 16;
        values[point] = last === MISSING ? NaN : last * scale;
      }
      return values;
    };
    trial.unpacked = {
      stepMs,
      x: axis(0),
      y: axis(1),
      fixations: { onset: column(0, 1), duration: column(1, 1), x: column(2, scale), y: column(3, scale) },
    };
    return trial.unpacked;
  };

  // Gray levels of a map become a tint that lets the image through.
  const tint = async (place, level) => {
    const [uri, levels] = pictures().maps[place];
    const image = await picture(uri);
    if (!image) return null;
    const height = image.naturalHeight / levels;
    const canvas = element("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, -level * height);
    const pixels = context.getImageData(0, 0, canvas.width, height);
    for (let at = 0; at < pixels.data.length; at += 4) {
      const value = pixels.data[at];
      pixels.data.set([255, 96, 32, 0.55 * value], at);
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  };

  // ---- drawing ----
  const colour = (name) => getComputedStyle(probe[name] ?? root).color;
  const probe = {};
  for (const name of ["gaze", "look", "muted", "card", "line"]) {
    // The value of a custom property is text; only a colour that is used is worked out.
    probe[name] = element("span", "", `probe`);
    probe[name].style.color = `var(--${name})`;
    probe[name].hidden = true;
    document.body.append(probe[name]);
  }

  const draw = (canvas, trial, view) => {
    const [width, height] = trial.plane;
    const context = canvas.getContext("2d");
    const k = canvas.width / width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const place = trial.placed ?? [0, 0, width, height];
    if (view.image) context.drawImage(view.image, place[0] * k, place[1] * k, place[2] * k, place[3] * k);
    if (view.image && view.dim) {
      context.fillStyle = "rgba(0, 0, 0, .28)";
      context.fillRect(place[0] * k, place[1] * k, place[2] * k, place[3] * k);
    }
    if (view.map) context.drawImage(view.map, place[0] * k, place[1] * k, place[2] * k, place[3] * k);
    const over = view.image || view.map;
    const unit = view.small ? 1 : Math.max(canvas.width / 900, 0.8);
    if (view.gaze) drawGaze(context, view, k, unit, over);
    if (view.fixations) drawFixations(context, view, k, unit, over);
  };

  const drawGaze = (context, view, k, unit, over) => {
    const { x, y, stepMs } = view.unpacked;
    const last = Math.min(Math.floor(view.time / stepMs), x.length - 1);
    context.beginPath();
    let isOn = false;
    for (let point = 0; point <= last; point += 1) {
      if (Number.isNaN(x[point])) { isOn = false; continue; }
      if (isOn) context.lineTo(x[point] * k, y[point] * k);
      else context.moveTo(x[point] * k, y[point] * k);
      isOn = true;
    }
    context.lineJoin = "round";
    context.lineWidth = 1.2 * unit;
    context.strokeStyle = over ? "rgba(190, 222, 255, .85)" : colour("gaze");
    context.stroke();
    const now = gazeAt(view);
    if (!now || view.small) return;
    context.beginPath();
    context.arc(now[0] * k, now[1] * k, 6 * unit, 0, 2 * Math.PI);
    context.fillStyle = "#fff";
    context.fill();
    context.lineWidth = 2.5 * unit;
    context.strokeStyle = "#10161d";
    context.stroke();
  };

  const drawFixations = (context, view, k, unit, over) => {
    const { onset, duration, x, y } = view.unpacked.fixations;
    let n = onset.findIndex((start) => start > view.time);
    if (n < 0) n = onset.length;
    context.beginPath();
    for (let one = 0; one < n; one += 1) context.lineTo(x[one] * k, y[one] * k);
    context.lineWidth = (view.small ? 0.8 : 1.6) * unit;
    context.strokeStyle = over ? "rgba(255, 190, 110, .9)" : colour("look");
    context.stroke();
    for (let one = 0; one < n; one += 1) {
      const stayed = Math.min(duration[one], view.time - onset[one]);
      const radius = (view.small ? 0.28 : 1) * unit * Math.max(3, 0.62 * Math.sqrt(Math.max(stayed, 0)));
      context.beginPath();
      context.arc(x[one] * k, y[one] * k, radius, 0, 2 * Math.PI);
      context.fillStyle = over ? "rgba(255, 178, 87, .5)" : "rgba(226, 109, 30, .42)";
      context.fill();
      if (view.small) continue;
      context.lineWidth = 1.3 * unit;
      context.strokeStyle = over ? "#fff3e2" : colour("look");
      context.stroke();
      if (!view.numbers) continue;
      context.font = `600 ${12 * unit}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = 3 * unit;
      context.strokeStyle = "#10161d";
      context.strokeText(one + 1, x[one] * k, y[one] * k);
      context.fillStyle = "#fff";
      context.fillText(one + 1, x[one] * k, y[one] * k);
    }
  };

  const gazeAt = (view) => {
    const { x, y, stepMs } = view.unpacked;
    const point = Math.min(Math.floor(view.time / stepMs), x.length - 1);
    return point < 0 || Number.isNaN(x[point]) ? null : [x[point], y[point]];
  };
  const fixationAt = (view) => {
    const { onset, duration } = view.unpacked.fixations;
    return onset.findIndex((start, one) => start <= view.time && view.time < start + duration[one]);
  };

  // ---- the replay ----
  const viewer = id("viewer");
  const canvas = id("canvas");
  const slider = id("slider");
  const play = id("play");
  const view = { time: 0 };
  let current = null; // { recording, number, trial }
  let playing = 0;
  let before = 0;

  const redraw = () => {
    if (!current) return;
    draw(canvas, current.trial, {
      ...view,
      image: id("show-image").checked ? view.picture : null,
      dim: true,
      gaze: id("show-gaze").checked,
      fixations: id("show-fixations").checked,
      numbers: id("show-numbers").checked,
    });
    const now = gazeAt(view);
    const fixation = fixationAt(view);
    const text = `${seconds(view.time)} of ${seconds(current.trial.ms)} s`;
    id("now-time").textContent = text;
    id("now-gaze").textContent = now ? `${now[0].toFixed(0)}, ${now[1].toFixed(0)} px` : "–";
    id("now-fixation").textContent = fixation < 0 ? "–" : `${fixation + 1} of ${current.trial.fixations}`;
    slider.setAttribute("aria-valuetext", text);
  };
  const moveTo = (time) => {
    view.time = Math.min(Math.max(time, 0), current.trial.ms);
    slider.value = view.time;
    redraw();
  };
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = "Play";
  };
  const step = (at) => {
    moveTo(view.time + (at - before) * Number(id("speed").value));
    before = at;
    if (view.time >= current.trial.ms) stop();
    else playing = requestAnimationFrame(step);
  };
  play.addEventListener("click", () => {
    if (playing) { stop(); return; }
    if (view.time >= current.trial.ms) moveTo(0);
    play.textContent = "Pause";
    before = performance.now();
    playing = requestAnimationFrame(step);
  });
  slider.addEventListener("input", () => { stop(); moveTo(Number(slider.value)); });
  for (const name of ["image", "gaze", "fixations", "numbers"]) {
    id(`show-${name}`).addEventListener("change", redraw);
  }
  const chooseMap = async () => {
    const level = id("show-map").value;
    const asked = current;
    const found = level === "" ? null : await tint(current.trial.map, Number(level));
    if (asked !== current) return;
    view.map = found;
    redraw();
  };
  id("show-map").addEventListener("change", chooseMap);
  id("previous").addEventListener("click", () => open(current.recording, current.number - 1));
  id("next").addEventListener("click", () => open(current.recording, current.number + 1));

  const named = (trial, number) =>
    [trial.trial ? `trial ${trial.trial}` : `trial ${number + 1}`, trial.stimulus].filter(Boolean).join(" · ");

  const fit = (trial) => {
    const [width, height] = trial.plane;
    const wide = 1200;
    canvas.width = wide;
    canvas.height = Math.max(Math.round((wide * height) / width), 1);
  };

  const open = async (recording, number) => {
    stop();
    const all = trials(recording);
    const trial = all[number];
    if (!trial) return;
    current = { recording, number, trial };
    const opened = current;
    const article = id(recording);
    article.querySelector(".stage").append(viewer);
    viewer.hidden = false;
    const [unpacked, image] = await Promise.all([
      unpack(trial),
      trial.image === null ? null : picture(pictures().images[trial.image]),
    ]);
    if (opened !== current) return;
    Object.assign(view, { unpacked, picture: image, map: null });
    fit(trial);
    id("viewer-title").replaceChildren("Scanpath: ", isolated(named(trial, number)));
    canvas.setAttribute(
      "aria-label",
      `Scanpath of ${named(trial, number)}: ${trial.fixations} fixations in ${seconds(trial.ms)} s`,
    );
    id("said").textContent = [
      `${trial.fixations} fixations`,
      trial.loss === null ? "" : `${shown(trial.loss, 1)} % lost`,
      `${trial.status[0]} ${[trial.status[1], ...trial.status[2]].join(": ")}`,
    ].filter(Boolean).join(" · ");
    const levels = trial.map === null ? 0 : pictures().maps[trial.map][1];
    id("map-choice").hidden = !levels;
    const names = Array.from({ length: levels }, (_, level) =>
      levels === 1 ? "shown" : level === 0 ? "core" : level === levels - 1 ? "full track" : `level ${level + 1}`);
    id("show-map").replaceChildren(new Option("none", ""), ...names.map((name, level) => new Option(name, level)));
    id("show-image").disabled = !image;
    for (const name of ["gaze"]) id(`show-${name}`).disabled = !unpacked.x.length;
    id("previous").disabled = number === 0;
    id("next").disabled = number === all.length - 1;
    const box = id("messages");
    box.hidden = !trial.messages.length;
    const more = trial.n_messages > trial.messages.length ? ` (the first ${trial.messages.length})` : "";
    box.querySelector("summary").textContent = `${trial.n_messages} messages${more}`;
    box.querySelector("ul").replaceChildren(...trial.messages.map(([at, text]) => {
      const item = element("li", `${seconds(at)} s `);
      item.append(isolated(text));
      return item;
    }));
    slider.max = Math.max(trial.ms, 1);
    slider.step = Math.max(Math.round(trial.ms / 500), 1);
    // At rest the whole scanpath is to be seen.
    moveTo(trial.ms);
    for (const row of article.querySelectorAll(".trials tbody tr")) {
      markCurrent(row, Number(row.dataset.number) === number);
    }
    viewer.dataset.ready = `${recording}:${number}`;
  };

  // ---- tables ----
  const valueOf = (cell) => {
    if (!cell) return null;
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    return text === "–" || text === "" ? null : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : String(a).localeCompare(String(b), undefined, { numeric: true });
  const sortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = element("button", head.textContent.trim());
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const isUp = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
        // What is not known stays at the end, whichever way it is sorted.
        rows.sort(([a], [b]) =>
          a === null || b === null ? (a === null) - (b === null) : (isUp ? 1 : -1) * compare(a, b));
        body.append(...rows.map(([, row]) => row));
      });
    });
  };

  const thumbnails = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      thumbnails.unobserve(target);
      thumbnail(target);
    }
  });
  const thumbnail = async (small) => {
    const trial = trials(small.dataset.of)[Number(small.dataset.number)];
    const [unpacked, image] = await Promise.all([
      unpack(trial),
      trial.image === null ? null : picture(pictures().images[trial.image]),
    ]);
    const [width, height] = trial.plane;
    const k = Math.min(192 / width, 120 / height);
    small.width = Math.max(width * k, 1);
    small.height = Math.max(height * k, 1);
    small.style.width = `${small.width / 2}px`;
    small.style.height = `${small.height / 2}px`;
    draw(small, trial, { unpacked, image, time: trial.ms, fixations: true, small: true, dim: true });
  };

  const fill = (box) => {
    const recording = box.dataset.of;
    const all = trials(recording);
    const table = element("table", null, "sortable");
    const { each } = document.getElementById("overview").dataset;
    const names = ["", "Trial", "Stimulus", "Start, s", "Length, s", "Lost, %", "RMS‑S2S, deg", `Fixations${each}`, "Median, ms", `Saccades${each}`, "Blinks", "Status", ""];
    const head = table.createTHead().insertRow();
    names.forEach((name, column) => {
      const isText = column < 3 || column === 11;
      const cell = element(name ? "th" : "td", name, isText ? "" : "number");
      if (name) cell.scope = "col";
      head.append(cell);
    });
    const body = table.createTBody();
    all.forEach((trial, number) => {
      const row = body.insertRow();
      row.dataset.number = number;
      const small = element("canvas");
      small.dataset.of = recording;
      small.dataset.number = number;
      small.setAttribute("aria-hidden", "true");
      row.insertCell().append(small);
      const title = element("th");
      title.scope = "row";
      title.append(isolated(trial.trial || String(number + 1)));
      row.append(title);
      row.insertCell().append(isolated(trial.stimulus || "–"));
      const numbers = [
        [trial.start / 1000, 2], [trial.ms / 1000, 2], [trial.loss, 1], [trial.rms, 3],
        [trial.fixations, 0], [trial.median, 0], [trial.saccades, 0], [trial.blinks, 0],
      ];
      for (const [value, digits] of numbers) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = shown(value, digits);
        if (value !== null && value !== undefined) cell.dataset.value = value;
      }
      const [mark, word, reasons] = trial.status;
      const status = element("span", null, `status ${STATUS_CLASS[word] ?? ""}`);
      const sign = element("span", mark);
      sign.setAttribute("aria-hidden", "true");
      status.append(sign, ` ${word}`);
      const cell = row.insertCell();
      cell.append(status);
      if (reasons.length) cell.append(element("br"), element("small", reasons.join("; "), "muted"));
      const button = element("button", "Replay");
      button.type = "button";
      button.setAttribute("aria-label", `Replay ${named(trial, number)}`);
      button.addEventListener("click", async () => {
        await open(recording, number);
        viewer.scrollIntoView({ block: "nearest" });
        play.focus({ preventScroll: true });
      });
      row.insertCell().append(button);
      thumbnails.observe(small);
    });
    box.replaceChildren(table);
    sortable(table);
  };
  const STATUS_CLASS = { within: "within", beyond: "beyond", "not known": "unknown", read: "not-asked" };

  // ---- which recording ----
  const overview = id("overview");
  const choose = (recording, byUser) => {
    const article = id(recording);
    if (!article || !article.classList.contains("recording")) return;
    for (const other of document.querySelectorAll(".recording.chosen")) other.classList.remove("chosen");
    article.classList.add("chosen");
    for (const row of overview.tBodies[0].rows) {
      markCurrent(row, row.dataset.id === recording);
    }
    const box = article.querySelector(".trials");
    if (box) {
      if (!box.firstChild) fill(box);
      open(recording, 0);
    } else {
      stop();
      viewer.hidden = true;
    }
    if (byUser) {
      article.scrollIntoView({ block: "start" });
      id(`${recording}-title`).focus({ preventScroll: true });
    }
  };
  const byAddress = (byUser) => choose(location.hash.slice(1), byUser);
  window.addEventListener("hashchange", () => byAddress(true));

  // ---- filters ----
  const filters = ["filter-text", "filter-status", "filter-format"].map(id).filter(Boolean);
  const rows = [...overview.tBodies[0].rows];
  const words = rows.map((row) =>
    [row.querySelector("th").textContent, id(row.dataset.id).dataset.participant].join(" ").toLocaleLowerCase());
  const filter = () => {
    const [text, status, format] = ["filter-text", "filter-status", "filter-format"].map((name) => id(name)?.value ?? "");
    const wanted = text.trim().toLocaleLowerCase();
    let n = 0;
    rows.forEach((row, place) => {
      const isIn = words[place].includes(wanted)
        && (!status || row.dataset.status === status)
        && (!format || row.dataset.format === format);
      row.hidden = !isIn;
      n += isIn;
    });
    id("count").textContent = `${n} of ${rows.length}`;
    id("none").hidden = n > 0;
  };
  for (const one of filters) {
    one.addEventListener("input", filter);
    one.addEventListener("change", filter);
  }

  // ---- light and dark, and paper ----
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const theme = id("theme");
  const told = () => {
    theme.setAttribute("aria-pressed", String(isDark()));
    redraw();
  };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    told();
  });
  dark.addEventListener("change", told);
  id("print").addEventListener("click", () => window.print());

  sortable(overview);
  told();
  if (id(location.hash.slice(1))?.classList.contains("recording")) byAddress(false);
  else {
    const first = rows.find((row) => id(`${row.dataset.id}-data`));
    if (first) choose(first.dataset.id, false);
  }
  root.dataset.ready = "yes";
})();
