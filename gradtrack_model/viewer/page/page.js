"use strict";
(() => {
  const id = (name) => document.getElementById(name);
  const SVG = "http://www.w3.org/2000/svg";
  const LETTERS = { f: "fixations", g: "level", m: "mask", p: "probability", u: "uncertainty", r: "reference", b: "computed" };
  const PICTURES = ["mask", "probability", "uncertainty", "reference"];
  const root = document.documentElement;
  let images = [];
  let shown = -1;
  let facts = null;
  let inBrowser = null; // width and height of the network's images, px
  let session = null;
  let level = 0; // 0: the last one there is

  const ask = async (path) => {
    const answer = await fetch(path, { cache: "no-store" });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  };
  const tell = (text) => {
    id("trouble").textContent = text;
    id("trouble").hidden = !text;
  };
  const box = (layer) => document.querySelector(`input[data-layer="${layer}"]`);
  const wanted = (layer) => box(layer).checked && !box(layer).closest("fieldset").hidden;

  // A picture of an image that is no longer shown must not come late and lie on another one.
  const put = (element, path) => {
    if (element.dataset.path === path) return;
    element.dataset.path = path;
    element.dataset.drawn = "";
    element.removeAttribute("src");
    element.src = path;
  };

  const draw = () => {
    if (!facts) return;
    const number = shown;
    const strength = Number(id("strength").value) / 100;
    for (const layer of ["level", ...PICTURES]) id(layer).hidden = !wanted(layer);
    for (const layer of PICTURES) if (wanted(layer)) put(id(layer), `/pictures/${number}/${layer}.png`);
    if (facts.levels.length) {
      const which = Number(id("which").value);
      if (wanted("level")) put(id("level"), `/pictures/${number}/level-${which}.png`);
      id("level-title").textContent = `${which} of ${facts.levels.length}: ${facts.levels[which - 1]}`;
    }
    id("computed").hidden = !wanted("computed");
    compute();
    for (const layer of ["level", "probability", "uncertainty", "computed"]) id(layer).style.opacity = strength;
    drawFixations();
  };

  const drawFixations = () => {
    const svg = id("fixations");
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${facts.width} ${facts.height}`);
    if (!wanted("fixations")) return;
    const side = Math.sqrt(facts.width * facts.height);
    const chosen = id("track").value;
    let drawn = 0;
    facts.tracks.forEach((track, place) => {
      if (chosen !== "" && Number(chosen) !== place) return;
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("points", track.fixations.map(([x, y]) => `${x},${y}`).join(" "));
      line.setAttribute("stroke-width", side / 400);
      svg.append(line);
      for (const [x, y, ms] of track.fixations) {
        const circle = document.createElementNS(SVG, "circle");
        circle.setAttribute("cx", x);
        circle.setAttribute("cy", y);
        // Its area is the duration: a fixation of 300 ms has a radius of a hundredth of the side.
        circle.setAttribute("r", (side / 100) * Math.sqrt(ms / 300));
        circle.setAttribute("stroke-width", side / 700);
        svg.append(circle);
        drawn += 1;
      }
    });
    svg.setAttribute("aria-label", `${drawn} fixations`);
  };

  // The network itself, computed here: the runtime and the weights come from this machine, too.
  const open = async () => {
    const ort = await import("/onnx/ort.wasm.min.mjs");
    ort.env.wasm.wasmPaths = "/onnx/";
    ort.env.wasm.numThreads = 1;
    const weights = await (await fetch("/onnx/model.onnx", { cache: "no-store" })).arrayBuffer();
    return { ort, network: await ort.InferenceSession.create(new Uint8Array(weights)) };
  };
  const compute = async () => {
    const number = shown;
    const canvas = id("computed");
    if (!inBrowser || !wanted("computed") || canvas.dataset.number === String(number)) return;
    canvas.dataset.number = String(number);
    canvas.dataset.drawn = "";
    id("computed-said").textContent = "computing …";
    try {
      await id("image").decode();
      session ||= open();
      const { ort, network } = await session;
      const small = new OffscreenCanvas(inBrowser, inBrowser).getContext("2d");
      small.imageSmoothingQuality = "high";
      small.drawImage(id("image"), 0, 0, inBrowser, inBrowser);
      const rgba = small.getImageData(0, 0, inBrowser, inBrowser).data;
      const n = inBrowser * inBrowser;
      const values = new Float32Array(3 * n);
      for (let i = 0; i < n; i += 1) for (let c = 0; c < 3; c += 1) values[c * n + i] = rgba[4 * i + c] / 255;
      const began = performance.now();
      const found = await network.run({ image: new ort.Tensor("float32", values, [1, 3, inBrowser, inBrowser]) });
      const took = performance.now() - began;
      if (shown !== number) return;
      const probability = found.probability.data;
      const layer = new ImageData(inBrowser, inBrowser);
      let foreground = 0;
      for (let i = 0; i < n; i += 1) {
        layer.data.set([86, 180, 233, Math.round(255 * probability[i])], 4 * i);
        foreground += probability[i] > 0.5;
      }
      canvas.width = inBrowser;
      canvas.height = inBrowser;
      canvas.getContext("2d").putImageData(layer, 0, 0);
      id("computed-said").textContent = `above .5: ${((100 * foreground) / n).toFixed(1)} % of the image, in ${Math.round(took)} ms`;
      canvas.dataset.drawn = String(number);
    } catch (error) {
      canvas.dataset.number = "";
      if (shown === number) tell(`in this browser: ${error.message}`);
    }
  };

  const fillTracks = () => {
    const select = id("track");
    select.replaceChildren(new Option(facts.tracks.length === 1 ? facts.tracks[0].who : "everybody", ""));
    if (facts.tracks.length > 1) {
      facts.tracks.forEach((track, place) => select.add(new Option(`${track.who} (${track.n})`, place)));
    }
  };

  const say = (seen) => {
    const rows = [
      ["foreground", `${(100 * seen.share).toFixed(1)} % of the image`],
      ["threshold", String(seen.threshold)],
      ["uncertainty", `${seen.uncertainty.toFixed(3)} (0 to 1)`],
    ];
    id("said").replaceChildren(
      ...rows.flatMap(([name, value]) => {
        const term = document.createElement("dt");
        const text = document.createElement("dd");
        term.textContent = name;
        text.textContent = value;
        return [term, text];
      }),
    );
  };

  const show = async (number) => {
    if (number < 0 || number >= images.length) return;
    shown = number;
    facts = null;
    root.dataset.ready = "";
    id("said").replaceChildren();
    tell("");
    for (const item of id("images").querySelectorAll("button")) {
      const own = Number(item.dataset.number) === number;
      item.setAttribute("aria-current", String(own));
      if (own) item.scrollIntoView({ block: "nearest" });
    }
    id("name").textContent = images[number].name;
    id("image").alt = images[number].name;
    id("previous").disabled = number === 0;
    id("next").disabled = number === images.length - 1;
    for (const layer of ["level", ...PICTURES]) {
      id(layer).hidden = true;
      id(layer).removeAttribute("src");
      id(layer).dataset.path = "";
    }
    id("fixations").replaceChildren();
    id("computed").hidden = true;
    id("computed").dataset.number = "";
    id("computed-said").textContent = "";
    put(id("image"), `/pictures/${number}/image.png`);
    try {
      const found = await ask(`/api/images/${number}`);
      if (shown !== number) return;
      facts = found;
    } catch (error) {
      if (shown === number) tell(error.message);
      return;
    }
    const n = facts.levels.length;
    id("stage").style.setProperty("--ratio", facts.width / facts.height);
    id("gaze-controls").hidden = !n && !facts.tracks.length;
    id("network-controls").hidden = !facts.network;
    id("reference-controls").hidden = !facts.reference;
    id("which").max = Math.max(1, n);
    id("which").value = level && level <= n ? level : n;
    id("which").disabled = n < 2;
    box("level").disabled = !n;
    box("fixations").disabled = !facts.tracks.length;
    id("level-title").textContent = n ? "" : "no maps of this image";
    id("source").textContent = facts.source;
    fillTracks();
    draw();
    if (facts.network) {
      try {
        const seen = await ask(`/api/images/${number}/prediction`);
        if (shown !== number) return;
        say(seen);
      } catch (error) {
        if (shown === number) tell(error.message);
      }
    }
    if (shown === number) root.dataset.ready = String(number);
  };

  const list = () => {
    const text = id("search").value.trim().toLowerCase();
    const items = [];
    images.forEach((image, number) => {
      if (text && !image.name.toLowerCase().includes(text)) return;
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.number = number;
      button.textContent = image.name;
      button.setAttribute("aria-current", String(number === shown));
      button.addEventListener("click", () => show(number));
      item.append(button);
      items.push(item);
    });
    id("images").replaceChildren(...items);
    id("count").textContent = `${items.length} of ${images.length} images`;
  };

  // The keys go through what is listed.
  const step = (by) => {
    const listed = [...id("images").querySelectorAll("button")].map((one) => Number(one.dataset.number));
    const place = listed.indexOf(shown);
    const next = place < 0 ? listed[0] : listed[place + by];
    if (next !== undefined) show(next);
  };
  const choose = (number) => {
    if (!facts || !facts.levels.length) return;
    level = Math.min(Math.max(number, 1), facts.levels.length);
    id("which").value = level;
    draw();
  };

  for (const layer of ["image", "level", ...PICTURES]) {
    id(layer).addEventListener("load", () => { id(layer).dataset.drawn = id(layer).dataset.path; });
    id(layer).addEventListener("error", async () => {
      const path = id(layer).dataset.path;
      if (!path || !id(layer).hasAttribute("src")) return;
      id(layer).hidden = layer !== "image";
      try { await ask(path); } catch (error) { if (id(layer).dataset.path === path) tell(error.message); }
    });
  }
  for (const input of document.querySelectorAll("input[data-layer]")) input.addEventListener("change", draw);
  id("strength").addEventListener("input", draw);
  id("track").addEventListener("change", draw);
  id("which").addEventListener("input", () => choose(Number(id("which").value)));
  id("search").addEventListener("input", list);
  id("previous").addEventListener("click", () => step(-1));
  id("next").addEventListener("click", () => step(1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target.closest("input, select");
    // A box that is ticked by hand leaves the letters free; what takes text or arrows does not.
    if (inside && inside.type !== "checkbox") return;
    const layer = LETTERS[event.key];
    if (layer) {
      if (!box(layer).disabled) box(layer).click();
    } else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else if (event.key === "[") choose(Number(id("which").value) - 1);
    else if (event.key === "]") choose(Number(id("which").value) + 1);
    else return;
    event.preventDefault();
  });

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const mark = () => id("theme").setAttribute("aria-pressed", String(isDark()));
  id("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    mark();
  });
  dark.addEventListener("change", mark);
  mark();

  ask("/api/images").then((found) => {
    images = found.images;
    inBrowser = found.in_browser;
    id("browser-controls").hidden = !inBrowser;
    id("network").textContent = found.network ? `network: ${found.network}` : "without a network";
    id("notes").replaceChildren(
      ...found.notes.map((note) => {
        const item = document.createElement("li");
        item.textContent = note;
        return item;
      }),
    );
    list();
    return show(0);
  }).catch((error) => tell(error.message));
})();
