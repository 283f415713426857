// The viewer: one to four panes with the mouse and keys of a reading station.

const TOOLS = {
  window: ["Window", "w", "Drag: left-right width, up-down level"],
  pan: ["Pan", "p", "Drag to move the image"],
  zoom: ["Zoom", "z", "Drag up to come closer"],
  loupe: ["Magnifier", "m", "A lens under the pointer"],
  length: ["Length", "d", "Drag from end to end"],
  ellipse: ["Ellipse", "e", "Drag over a region: mean, SD, area"],
  box: ["Box", "b", "Drag over a region: mean, SD, area"],
};
const PRESETS = "window presets";
const HELP = [
  ["drag", "window and level"], ["wheel", "slices, or zoom"], ["shift or middle drag", "pan"], ["right drag", "zoom"],
  ["1 - 5", PRESETS], ["space", "reset the view"], ["+  -", "zoom"], ["=", "fit"], ["r  l", "turn right, left"],
  ["h  v", "flip"], ["i", "invert"], ["↑ ↓", "previous, next slice"], ["home  end", "first, last slice"], ["c", "play the slices"],
  ["← →", "previous, next pane"], ["w  p  z  m", "window, pan, zoom, magnifier"], ["d  e  b", "length, ellipse, box"],
  ["x", "mark the middle; then arrows move it, with shift they size it"], ["backspace", "delete the last drawing"], ["ctrl z  ctrl y", "undo, redo"], ["o", "outlines"], ["k", "link the panes"],
  ["f", "full screen"], ["esc", "cancel"], ["?", "this help"],
];
const FRAME_MS = 1000 / 12; // of a played stack
const BOUNCE_MS = 80; // a key that comes back sooner was not let go by hand
const HELD_MS = 1000; // after which a key whose release was not heard counts as let go
const MOST_POINTS = 400; // of an outline
const PATIENCE_MS = 800; // after which a press that nothing came of is said again
const TIMES = 5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MARK_STEP = 1 / 64; // of the longer side: how far an arrow moves a mark
const MARK_RADIUS = 1 / 16; // of the longer side: a mark that was set by a key
const QUIET_MS = 250; // after the last arrow, before Python hears of the mark

const states = new Map(); // what the reader has set, by the caller's key: it outlives a page that is drawn again

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

class Viewer {
  constructor(root) {
    this.frame = element("div", { className: "viewer" });
    this.bar = element("div", { className: "bar", role: "toolbar", ariaLabel: "Viewer tools" });
    this.grid = element("div", { className: "panes" });
    this.help = element("div", { className: "help", hidden: true, role: "dialog", ariaLabel: "Keys of the viewer" });
    this.frame.append(this.bar, this.grid, this.help);
    root.append(this.frame);
    this.panes = [];
    this.touches = new Map();
    this.held = new Map();
    this.pressedAt = {};
    this.frame.addEventListener("keydown", (event) => this.keyed(event, true));
    this.frame.addEventListener("contextmenu", (event) => event.preventDefault());
    this.frame.addEventListener("fullscreenchange", () => this.later());
    this.elsewhere = (event) => this.keyed(event, false);
    this.released = (event) => this.held.delete(plain(event.key));
    this.arrived = () => this.later();
    document.addEventListener("keydown", this.elsewhere);
    window.addEventListener("keyup", this.released, true);
    films.waiting.add(this.arrived);
    this.sizes = new ResizeObserver(() => this.later());
    this.sizes.observe(this.grid);
  }

  close() {
    document.removeEventListener("keydown", this.elsewhere);
    window.removeEventListener("keyup", this.released, true);
    films.waiting.delete(this.arrived);
    this.sizes.disconnect();
    clearInterval(this.cine);
    clearInterval(this.insisting);
    cancelAnimationFrame(this.due);
    this.frame.remove();
  }

  // ---- what Python says ----

  update({ data, setStateValue, setTriggerValue }) {
    const before = this.data;
    Object.assign(this, { data, setStateValue, setTriggerValue });
    this.frame.style.height = `${data.height}px`;
    this.state = states.get(data.key);
    const fresh = this.state?.case !== data.case;
    if (fresh) {
      this.stop();
      this.gesture = null;
      const kept = this.state;
      this.state = {
        case: data.case, active: 0, views: [], items: [], past: [], future: [], outlines: true,
        linked: kept?.linked ?? true, tool: this.firstTool(), sent: kept?.sent ?? 0,
      };
      states.set(data.key, this.state);
    }
    data.panes.forEach((pane, i) => {
      const view = (this.state.views[i] ??= { ...start(pane), given: pane.window });
      if (String(view.given) !== String(pane.window)) Object.assign(view, { given: pane.window, window: [...pane.window] });
    });
    if (before ? before.mark !== data.mark : this.state.tool === "mark" && !data.mark) this.state.tool = this.firstTool();
    if (!before) this.remind();
    this.layOut();
    // A button that was pressed on the page, and may be about to go, must not take the Enter of the new images.
    if (fresh && data.keys.length && !isTyped(document.activeElement)) this.panes[0].canvas.focus({ preventScroll: true });
    this.tools();
    this.later();
  }

  firstTool() {
    return this.data.mark && this.data.mark !== "point" ? "mark" : "window";
  }

  /** A viewer that was put elsewhere on the page says again what is marked: its old place took the answer with it. */
  remind() {
    const answer = this.state.items.find((item) => item.answer);
    this.state.reminded = (this.state.reminded ?? 0) + 1;
    if (answer && this.data.mark && this.state.reminded < 5) this.tell(answer);
  }

  tell(answer) {
    this.unsaid = null;
    const { tool, pane, slice, points } = answer ?? {};
    this.setStateValue("mark", answer ? { case: this.data.case, kind: tool, pane, slice, points } : null);
  }

  layOut() {
    const { panes, label } = this.data;
    while (this.panes.length > panes.length) this.panes.pop().frame.remove();
    while (this.panes.length < panes.length) this.panes.push(this.newPane(this.panes.length));
    this.grid.dataset.count = panes.length;
    this.panes.forEach((shown, i) => {
      shown.canvas.ariaLabel = panes.length > 1 ? `${label}, pane ${i + 1} of ${panes.length}` : label;
      shown.nw.textContent = panes[i].title;
    });
  }

  newPane(index) {
    const canvas = element("canvas", { tabIndex: 0 });
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "image viewer, press question mark for its keys");
    const corner = (place) => element("div", { className: `corner ${place}` });
    const shown = { canvas, index, buffer: document.createElement("canvas"), nw: corner("nw"), ne: corner("ne"), sw: corner("sw"), se: corner("se") };
    shown.wait = element("div", { className: "wait", textContent: "Loading" });
    shown.frame = element("div", { className: "pane" }, canvas, shown.nw, shown.ne, shown.sw, shown.se, shown.wait);
    canvas.addEventListener("pointerdown", (event) => this.down(event, index));
    canvas.addEventListener("pointermove", (event) => this.move(event, index));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.up(event, index));
    canvas.addEventListener("mousedown", (event) => event.preventDefault()); // no scrolling by the middle button
    canvas.addEventListener("pointerleave", () => this.hover(index, null));
    canvas.addEventListener("wheel", (event) => this.wheel(event, index), { passive: false });
    canvas.addEventListener("focus", () => this.activate(index));
    this.grid.append(shown.frame);
    return shown;
  }

  activate(index) {
    if (this.state.active === index) return;
    this.state.active = index;
    this.tools();
    this.later();
  }

  // ---- the bar of buttons ----

  tools() {
    const { data, state } = this;
    const pane = data.panes[state.active];
    const taken = (key) => data.keys.some((other) => plain(other) === key);
    const button = (text, key, title, press, pressed) => {
      const made = element("button", { type: "button", title, textContent: text });
      if (key && !taken(key)) made.prepend(element("small", { textContent: key === " " ? "space" : key, ariaHidden: "true" }));
      if (pressed !== undefined) made.ariaPressed = String(pressed);
      made.dataset.name = text;
      made.addEventListener("click", press);
      return made;
    };
    const group = (...buttons) => element("div", { className: "group", role: "group" }, ...buttons.filter(Boolean));
    const tool = (name, [text, key, title]) => button(text, key, title, () => this.choose(name), state.tool === name);
    const what = { point: "Click on the image to mark a place", box: "Drag a box", outline: "Draw around it" }[data.mark];
    const act = (text, key, title, pressed) => button(text, key, title, () => this.act(key), pressed);
    const outlined = data.panes.some(({ overlays }) => overlays.length);
    const chosen = String(state.views[state.active].window);
    const focus = this.bar.getRootNode().activeElement;
    const again = this.bar.contains(focus) ? focus.dataset.name : null;
    this.bar.replaceChildren(
      group(data.mark && button("Mark", "", what, () => this.choose("mark"), state.tool === "mark" || (data.mark === "point" && state.tool === "window"))),
      group(...Object.entries(TOOLS).map(([name, words]) => tool(name, words))),
      group(
        act("Fit", "=", "The whole image"), act("Turn", "r", "A quarter turn to the right"), act("Flip", "h", "Left to right"),
        act("Invert", "i", "Black for white", state.views[state.active].inverted),
      ),
      group(...pane.presets.map(([name, width, level], i) =>
        button(name, String(i + 1), `Width ${width}, level ${level}`, () => this.preset(i), chosen === String([width, level])))),
      group(
        outlined && act("Outlines", "o", "Show or hide the outlines", state.outlines),
        data.panes.length > 1 && act("Linked", "k", "Panes move together", state.linked),
      ),
      group(act("Reset", " ", "The view as it was"), act("Full screen", "f", "Over the whole screen"), button("?", "", "The keys of this viewer", () => this.act("?"))),
    );
    this.bar.lastChild.classList.add("end");
    if (again) [...this.bar.querySelectorAll("button")].find((made) => made.dataset.name === again)?.focus();
    for (const { frame } of this.panes) frame.dataset.tool = state.tool;
  }

  choose(tool) {
    this.gesture = null;
    this.state.tool = tool === "mark" && this.data.mark === "point" ? "window" : tool;
    this.tools();
    this.later();
  }

  preset(number) {
    const preset = this.data.panes[this.state.active].presets[number];
    if (preset) this.change(this.state.active, { window: [preset[1], preset[2]] });
  }

  // ---- keys ----

  keyed(event, own) {
    if (!this.data || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    const key = plain(event.key);
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (own && (event.ctrlKey || event.metaKey) && ["z", "y"].includes(key)) {
        this.travel(key === "y" || event.shiftKey);
        swallow(event);
      }
      return;
    }
    if (isTyped(target) || (isPressed(target) && [" ", "Enter"].includes(key))) return;
    if (!own && event.composedPath().some((node) => node.getAttribute?.("role") === "dialog")) return;
    const extra = this.data.keys.find((other) => plain(other) === key);
    if (extra !== undefined) {
      this.answer(extra, event.repeat);
      swallow(event);
    } else if (this.data.mark && this.markByKey(key, event.shiftKey)) swallow(event);
    else if (own && this.act(key)) swallow(event);
  }

  /** Marks without a mouse: x sets the mark in the middle, arrows move it or, with shift, size it. False: no such key. */
  markByKey(key, sized) {
    const { state, data } = this;
    const pane = data.panes[state.active];
    const [, height, width] = pane.shape;
    const long = Math.max(height, width);
    if (key === "x") {
      const [middle, radius] = [[width / 2, height / 2], long * MARK_RADIUS];
      const corners = [-1, 1].map((sign) => middle.map((part) => part + sign * radius));
      const points = { point: [middle], box: corners, outline: rim({ tool: "ellipse", points: corners }) }[data.mark];
      this.finish({ tool: data.mark, answer: true, pane: state.active, slice: state.views[state.active].slice, points });
      return true;
    }
    const mark = state.items.find((item) => item.answer);
    if (!(key in ARROWS) || !mark || mark.pane !== state.active) return false;
    const [dx, dy] = ARROWS[key].map((part) => part * long * MARK_STEP);
    const [low, high] = cornersOf(mark.points);
    const moved = sized
      ? mark.points.map((point) => point.map((part, i) => {
        const half = (high[i] - low[i]) / 2, grown = Math.max(2, half + (i ? -dy : dx));
        return half ? (low[i] + high[i]) / 2 + (part - (low[i] + high[i]) / 2) * (grown / half) : part;
      }))
      : mark.points.map(([x, y]) => [x + clamp(dx, -low[0], width - high[0]), y + clamp(dy, -low[1], height - high[1])]);
    this.replace([...state.items.filter((item) => item !== mark), { ...mark, points: moved.map((at) => inside(at, pane.shape)) }], true);
    return true;
  }

  /** Tells Python once of each press: neither the repeats of a held key nor a bouncing one. */
  answer(key, repeated) {
    const now = performance.now();
    const bounced = now - (this.pressedAt[key] ?? -Infinity) < BOUNCE_MS;
    const held = now - (this.held.get(plain(key)) ?? -Infinity) < HELD_MS;
    this.held.set(plain(key), now);
    if (repeated || bounced || held) return;
    this.pressedAt[key] = now;
    this.settle();
    const number = (this.state.sent = Math.max(Date.now(), this.state.sent + 1));
    this.state.presses = [...(this.state.presses ?? []), { key, number }].slice(-16);
    this.press();
    this.insist();
  }

  press() {
    this.setTriggerValue("pressed", { case: this.data.case, presses: this.state.presses });
  }

  /** Says it again until the page has run: a press that meets the end of another run gets lost. Its number counts once. */
  insist() {
    const { run } = this.data;
    let times = 0;
    clearInterval(this.insisting);
    this.insisting = setInterval(() => {
      if (this.data.run !== run || (times += 1) > TIMES) clearInterval(this.insisting);
      else this.press();
    }, PATIENCE_MS);
  }

  /** Does what a key stands for; false when it stands for nothing. */
  act(key) {
    const { state, data } = this;
    const i = state.active;
    const view = state.views[i];
    const slices = data.panes[i].shape[0];
    const named = Object.entries(TOOLS).find(([, [, letter]]) => letter === key);
    if (named) this.choose(named[0]);
    else if (key in TURNS) this.change(i, { turn: turned(view.turn, TURNS[key]), x: 0, y: 0 });
    else if (key === "+") this.change(i, { zoom: clamp(view.zoom * 1.25, 0.1, 60), x: view.x * 1.25, y: view.y * 1.25 });
    else if (key === "-") this.change(i, { zoom: clamp(view.zoom / 1.25, 0.1, 60), x: view.x / 1.25, y: view.y / 1.25 });
    else if (key === "=") this.change(i, { zoom: 1, x: 0, y: 0 });
    else if (key === "i") this.change(i, { inverted: !view.inverted });
    else if (key === " ") this.reset(i);
    else if (key === "ArrowUp") this.change(i, { slice: Math.max(0, view.slice - 1) });
    else if (key === "ArrowDown") this.change(i, { slice: Math.min(slices - 1, view.slice + 1) });
    else if (key === "Home") this.change(i, { slice: 0 });
    else if (key === "End") this.change(i, { slice: slices - 1 });
    else if (key === "ArrowLeft" || key === "ArrowRight") {
      const step = key === "ArrowLeft" ? -1 : 1;
      this.panes[(i + step + this.panes.length) % this.panes.length].canvas.focus();
    } else if (key === "c") this.play();
    else if (/^[1-5]$/.test(key)) this.preset(Number(key) - 1);
    else if (key === "Backspace" || key === "Delete") this.remove();
    else if (key === "o") this.toggle("outlines");
    else if (key === "k") this.toggle("linked");
    else if (key === "f") this.fullScreen();
    else if (key === "?") this.showHelp();
    else if (key === "Escape") this.cancel();
    else return false;
    return true;
  }

  toggle(name) {
    this.state[name] = !this.state[name];
    this.tools();
    this.later();
  }

  cancel() {
    if (!this.help.hidden) this.help.hidden = true;
    else if (this.gesture) this.gesture = null;
    else if (this.frame.classList.contains("wide")) this.frame.classList.remove("wide");
    else this.choose(this.firstTool());
    this.later();
  }

  showHelp() {
    const { keys } = this.data;
    const lines = HELP.filter(([, words]) => words !== PRESETS || !keys.some((key) => /^[1-5]$/.test(key)));
    if (keys.length) lines.push([keys.join("  ").replaceAll("Arrow", ""), "the answers of this page"]);
    const list = element("dl");
    for (const [names, words] of lines) list.append(element("dt", { textContent: names }), element("dd", { textContent: words }));
    const close = element("button", { type: "button", textContent: "Close" });
    close.addEventListener("click", () => this.cancel());
    this.help.replaceChildren(element("h2", { textContent: "Mouse and keys" }), list, close);
    this.help.hidden = !this.help.hidden;
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.frame.requestFullscreen) this.frame.requestFullscreen().catch(() => this.frame.classList.add("wide"));
    else this.frame.classList.toggle("wide");
    this.later();
  }

  stop() {
    clearInterval(this.cine);
    this.cine = null;
  }

  play() {
    if (this.cine) return this.stop();
    this.cine = setInterval(() => {
      const i = this.state.active;
      const slices = this.data.panes[i].shape[0];
      if (slices > 1) this.change(i, { slice: (this.state.views[i].slice + 1) % slices });
    }, FRAME_MS);
  }

  // ---- views ----

  /** Changes one view, and those linked to it as far as they have the same. */
  change(index, changes) {
    const { panes } = this.data;
    const own = panes[index];
    panes.forEach((pane, i) => {
      if (i !== index && !this.state.linked) return;
      const mine = { ...changes };
      if ("slice" in mine) mine.slice = clamp(mine.slice, 0, pane.shape[0] - 1);
      if (i !== index && (pane.unit !== own.unit || pane.kind !== own.kind)) delete mine.window;
      if (mine.window) mine.window = [...mine.window];
      Object.assign(this.state.views[i], mine);
    });
    if ("window" in changes || "inverted" in changes) this.tools();
    this.later();
  }

  reset(index) {
    this.data.panes.forEach((pane, i) => {
      if (i === index || this.state.linked) Object.assign(this.state.views[i], start(pane));
    });
    this.tools();
    this.later();
  }

  boxOf(index) {
    const { clientWidth, clientHeight } = this.panes[index].canvas;
    return { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
  }

  matrix(index) {
    return placement(this.data.panes[index], this.state.views[index], this.boxOf(index));
  }

  /** Zooms by a factor so that the place under the pointer stays there. */
  zoomAt(index, [x, y], factor) {
    const view = this.state.views[index];
    const box = this.boxOf(index);
    const reach = Math.min(box.width, box.height);
    const zoom = clamp(view.zoom * factor, 0.1, 60);
    const real = zoom / view.zoom;
    const [px, py] = [(x - box.width / 2) / reach, (y - box.height / 2) / reach];
    this.change(index, { zoom, x: px + (view.x - px) * real, y: py + (view.y - py) * real });
  }

  // ---- the pointer ----

  placeOf(event, index) {
    const frame = this.panes[index].canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  down(event, index) {
    const at = this.placeOf(event, index);
    const { canvas } = this.panes[index];
    canvas.focus({ preventScroll: true });
    this.activate(index);
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    if (event.pointerType === "touch") {
      this.touches.set(event.pointerId, at);
      if (this.touches.size === 2) return this.pinch(index);
      if (this.touches.size > 2) return;
    }
    const tool = event.button === 1 || event.shiftKey ? "pan" : event.button === 2 ? "zoom" : this.state.tool;
    const view = this.state.views[index];
    this.gesture = { tool, index, from: at, at, moved: false, window: [...view.window], view: { ...view }, button: event.button };
    if (["mark", "length", "ellipse", "box"].includes(tool)) this.begin(index, at, tool);
    this.hover(index, at);
  }

  begin(index, at, tool) {
    const pane = this.data.panes[index];
    const answer = tool === "mark";
    const point = toImage(this.matrix(index), at);
    const place = inside(point, pane.shape);
    const kind = answer ? this.data.mark : tool;
    const points = kind === "outline" ? [place] : [place, place];
    this.gesture.item = { tool: kind, answer, pane: index, slice: this.state.views[index].slice, points };
  }

  move(event, index) {
    const at = this.placeOf(event, index);
    if (event.pointerType === "touch" && this.touches.has(event.pointerId)) this.touches.set(event.pointerId, at);
    if (this.touches.size === 2 && this.gesture?.tool === "pinch") return this.pinched(index);
    this.hover(index, at);
    const gesture = this.gesture;
    if (!gesture || gesture.index !== index || gesture.tool === "pinch") return;
    const [dx, dy] = [at[0] - gesture.from[0], at[1] - gesture.from[1]];
    if (Math.hypot(dx, dy) > 3) gesture.moved = true;
    if (!gesture.moved) return;
    if (gesture.item) this.extend(gesture.item, index, at);
    else if (gesture.tool === "window") this.windowed(gesture, dx, dy);
    else if (gesture.tool === "pan") {
      const box = this.boxOf(index);
      const reach = Math.min(box.width, box.height);
      this.change(index, { x: gesture.view.x + dx / reach, y: gesture.view.y + dy / reach });
    } else if (gesture.tool === "zoom") {
      this.zoomAt(index, gesture.from, Math.exp((gesture.at[1] - at[1]) / 160));
    }
    gesture.at = at;
  }

  windowed(gesture, dx, dy) {
    const [width, level] = gesture.window;
    const rate = Math.max(width / 300, 0.25);
    this.change(gesture.index, { window: [Math.max(1, Math.round(width + dx * rate)), Math.round(level + dy * rate)] });
  }

  extend(item, index, at) {
    const place = inside(toImage(this.matrix(index), at), this.data.panes[index].shape);
    if (item.tool === "outline") {
      const [x, y] = item.points.at(-1);
      if (Math.hypot(place[0] - x, place[1] - y) >= 0.5) item.points.push(place);
    } else item.points = [item.points[0], place];
    this.later();
  }

  up(event, index) {
    this.touches.delete(event.pointerId);
    const gesture = this.gesture;
    if (gesture?.tool === "pinch" && this.touches.size) return;
    this.gesture = null;
    if (!gesture || gesture.index !== index || event.type === "pointercancel") return this.later();
    const click = !gesture.moved && gesture.button === 0 && !event.shiftKey;
    if (gesture.item) this.finish(gesture.item);
    else if (click && gesture.tool === "window" && this.data.mark === "point") this.point(index, gesture.from);
    this.later();
  }

  point(index, at) {
    const pane = this.data.panes[index];
    const place = toImage(this.matrix(index), at);
    if (!within(place, pane.shape) || !this.film(index)) return;
    this.finish({ tool: "point", answer: true, pane: index, slice: this.state.views[index].slice, points: [place] });
  }

  finish(item) {
    item.done = true;
    if (item.tool === "outline") item.points = thinned(item.points, MOST_POINTS);
    if (!counts(item)) return;
    this.keep([...this.state.items.filter((other) => !(item.answer && other.answer)), item]);
  }

  pinch(index) {
    const [a, b] = [...this.touches.values()];
    this.gesture = { tool: "pinch", index, middle: midpoint(a, b), distance: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  }

  pinched(index) {
    const [a, b] = [...this.touches.values()];
    const middle = midpoint(a, b);
    const distance = Math.max(8, Math.hypot(a[0] - b[0], a[1] - b[1]));
    const { gesture } = this;
    const box = this.boxOf(index);
    const reach = Math.min(box.width, box.height);
    const view = this.state.views[index];
    this.change(index, { x: view.x + (middle[0] - gesture.middle[0]) / reach, y: view.y + (middle[1] - gesture.middle[1]) / reach });
    this.zoomAt(index, middle, distance / Math.max(8, gesture.distance));
    Object.assign(gesture, { middle, distance });
  }

  wheel(event, index) {
    event.preventDefault();
    this.activate(index);
    const step = event.deltaMode === 1 ? event.deltaY * 40 : event.deltaY;
    if (this.data.panes[index].shape[0] > 1 && !event.ctrlKey) {
      this.rolled = (Math.sign(this.rolled ?? 0) === Math.sign(step) ? this.rolled : 0) + step;
      const slices = Math.abs(step) >= 60 ? Math.sign(step) : Math.trunc(this.rolled / 40);
      if (slices) {
        this.rolled = 0;
        this.change(index, { slice: clamp(this.state.views[index].slice + slices, 0, this.data.panes[index].shape[0] - 1) });
      }
    } else this.zoomAt(index, this.placeOf(event, index), Math.exp(-clamp(step, -240, 240) / 500));
  }

  hover(index, at) {
    this.panes[index].pointer = at;
    this.later();
  }

  // ---- drawings ----

  keep(items) {
    const { state } = this;
    state.past = [...state.past, state.items].slice(-100);
    state.future = [];
    this.replace(items);
  }

  replace(items, soon = false) {
    const before = this.state.items.find((item) => item.answer);
    const given = !this.data.mark && before; // an answer that is closed stays on the image
    this.state.items = given ? [given, ...items.filter((item) => !item.answer)] : items;
    const now = this.state.items.find((item) => item.answer);
    if (before !== now) soon ? this.tellSoon(now) : this.tell(now);
    this.later();
  }

  /** A mark under way by arrows: Python hears of it when they rest, or before the next answer key. */
  tellSoon(answer) {
    clearTimeout(this.resting);
    this.unsaid = answer;
    this.resting = setTimeout(() => this.settle(), QUIET_MS);
  }

  settle() {
    clearTimeout(this.resting);
    if (this.unsaid && this.state.items.includes(this.unsaid)) this.tell(this.unsaid);
    this.unsaid = null;
  }

  travel(forward) {
    const [from, to] = forward ? ["future", "past"] : ["past", "future"];
    const { state } = this;
    if (!state[from].length) return;
    const items = state[from].at(-1);
    state[from] = state[from].slice(0, -1);
    state[to] = [...state[to], state.items];
    this.replace(items);
  }

  remove() {
    const { items } = this.state;
    const last = items.findLastIndex((item) => !item.answer || this.data.mark);
    if (last >= 0) this.keep(items.filter((_, i) => i !== last));
  }

  // ---- drawing on the screen ----

  film(index) {
    const shown = this.panes[index];
    const pane = this.data.panes[index];
    if (shown.film?.name !== pane.film) {
      const found = fetched(pane);
      shown.film = found && { ...found, name: pane.film };
    }
    return shown.film;
  }

  later() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (this.data) this.panes.forEach((_, index) => this.draw(index));
    });
  }

  draw(index) {
    const shown = this.panes[index];
    const pane = this.data.panes[index];
    const view = this.state.views[index];
    const film = this.film(index);
    const box = this.boxOf(index);
    const ratio = window.devicePixelRatio || 1;
    const { canvas } = shown;
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    shown.wait.hidden = Boolean(film);
    shown.frame.classList.toggle("active", index === this.state.active);
    if (film) {
      this.developed(shown, pane, view, film);
      const matrix = placement(pane, view, box);
      this.picture(context, shown, matrix, ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.drawings(context, index, matrix, film, box);
      if (this.state.tool === "loupe" && shown.pointer) this.loupe(context, shown, matrix, ratio);
    }
    this.words(index, film, box);
  }

  developed(shown, pane, view, film) {
    const look = `${pane.film} ${view.slice} ${view.window} ${view.inverted}`;
    if (shown.look === look) return;
    develop(shown.buffer, film.codes, pane.shape, view.slice, lookup(pane.kind, view.window, view.inverted));
    shown.look = look;
  }

  picture(context, shown, matrix, ratio) {
    context.setTransform(...matrix.map((part) => part * ratio));
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(shown.buffer, 0, 0);
  }

  drawings(context, index, matrix, film, box) {
    const pane = this.data.panes[index];
    const { slice } = this.state.views[index];
    if (this.state.outlines) {
      for (const overlay of pane.overlays) {
        if (overlay.slice === null || overlay.slice === slice) drawOverlay(context, matrix, overlay, true);
      }
    }
    const drawn = this.gesture?.item && this.gesture.moved ? [...this.state.items, this.gesture.item] : this.state.items;
    for (const item of drawn) {
      if (item.pane !== index || item.slice !== slice) continue;
      drawItem(context, matrix, item, item.answer ? [] : wordsOf(pane, film.values, item), box);
    }
  }

  loupe(context, shown, matrix, ratio) {
    const [x, y] = shown.pointer;
    const radius = 90;
    const power = 2.5;
    context.save();
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.clip();
    context.fillStyle = "#000";
    context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    const [a, b, c, d, e, f] = matrix;
    this.picture(context, shown, [...[a, b, c, d].map((part) => part * power), (e - x) * power + x, (f - y) * power + y], ratio);
    context.restore();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = "#5aa9c4";
    context.lineWidth = 1.5;
    context.stroke();
  }

  words(index, film, box) {
    const shown = this.panes[index];
    const pane = this.data.panes[index];
    const view = this.state.views[index];
    const [slices, height, width] = pane.shape;
    const [windowWidth, level] = view.window;
    const zoom = fitting(pane, view, box) * view.zoom;
    let value = "";
    if (film && shown.pointer) {
      const place = toImage(this.matrix(index), shown.pointer);
      if (within(place, pane.shape)) {
        const [x, y] = place.map(Math.floor);
        value = `x ${x}  y ${y}   ${film.values[(view.slice * height + y) * width + x]}${pane.unit ? ` ${pane.unit}` : ""}`;
      }
    }
    shown.ne.textContent = slices > 1 ? `Slice ${view.slice + 1}/${slices}` : "";
    shown.se.textContent = `W ${windowWidth}  L ${level}${view.inverted ? "  inverted" : ""}\nZoom ${zoom.toFixed(2)}x`;
    shown.sw.textContent = value;
  }
}

const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);
const midpoint = ([ax, ay], [bx, by]) => [(ax + bx) / 2, (ay + by) / 2];
const start = (pane) => ({ zoom: 1, x: 0, y: 0, turn: UPRIGHT, inverted: false, slice: pane.first, window: [...pane.window] });

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

/** Fields in which a key is a letter. */
function isTyped(node) {
  const free = ["radio", "checkbox", "button", "submit", "range"];
  return node?.isContentEditable || ["TEXTAREA", "SELECT"].includes(node?.tagName) || (node?.tagName === "INPUT" && !free.includes(node.type));
}

const isPressed = (node) => ["BUTTON", "A", "SUMMARY"].includes(node?.tagName) || node?.getAttribute?.("role") === "button";

export default function (component) {
  const root = component.parentElement;
  root.viewer ??= new Viewer(root);
  root.viewer.update(component);
  return () => {
    root.viewer?.close();
    delete root.viewer;
  };
}
