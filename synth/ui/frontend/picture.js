// From values to grey levels, and from image pixels to places on the screen.
// Image coordinates (x, y) are in pixels from the corner of the first pixel; its centre is (0.5, 0.5).

const films = (globalThis[Symbol.for("synthread.films")] ??= { kept: new Map(), waiting: new Set() });
const KINDS = { u8: Uint8Array, u16: Uint16Array, i16: Int16Array };
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** The values of a pane's image, or null while they are on their way. */
function fetched(pane) {
  const buffer = films.kept.get(pane.film);
  if (!buffer) return null;
  films.kept.delete(pane.film);
  films.kept.set(pane.film, buffer); // now the most recently used
  return { values: new KINDS[pane.kind](buffer), codes: pane.kind === "u8" ? new Uint8Array(buffer) : new Uint16Array(buffer) };
}

/** RGBA words by stored code: the linear window of DICOM PS3.3 C.11.2.1.2. */
function lookup(kind, [width, level], inverted) {
  const table = new Uint32Array(kind === "u8" ? 256 : 65536);
  for (let code = 0; code < table.length; code++) {
    const value = kind === "i16" ? (code << 16) >> 16 : code;
    const share = width <= 1 ? +(value > level - 0.5) : clamp((value - (level - 0.5)) / (width - 1) + 0.5, 0, 1);
    const grey = Math.round(255 * (inverted ? 1 - share : share));
    table[code] = (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
  }
  return table;
}

/** Draws one slice through the table into a canvas of the image's own size. */
function develop(canvas, codes, [, height, width], slice, table) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const words = new Uint32Array(picture.data.buffer);
  const from = slice * width * height;
  for (let i = 0; i < words.length; i++) words[i] = table[codes[from + i]];
  context.putImageData(picture, 0, 0);
}

const UPRIGHT = [1, 0, 0, 1];
const TURNS = { r: [0, 1, -1, 0], l: [0, -1, 1, 0], h: [-1, 0, 0, 1], v: [1, 0, 0, -1] };

/** The orientation after another turn or flip, seen on the screen. */
function turned([a, b, c, d], [p, q, r, s]) {
  return [p * a + r * b, q * a + s * b, p * c + r * d, q * c + s * d];
}

const aspectOf = (pane) => (pane.spacing ? pane.spacing[0] / pane.spacing[1] : 1);

/** CSS pixels per image column when the whole image is in sight. */
function fitting(pane, view, box) {
  const [, height, width] = pane.shape;
  const upright = view.turn[0] !== 0;
  const [across, down] = upright ? [width, height * aspectOf(pane)] : [height * aspectOf(pane), width];
  return Math.min(box.width / across, box.height / down);
}

/** [a, b, c, d, e, f] from image to CSS pixels of the pane. */
function placement(pane, view, box) {
  const [, height, width] = pane.shape;
  const scale = fitting(pane, view, box) * view.zoom;
  const across = view.turn.slice(0, 2).map((part) => part * scale);
  const down = view.turn.slice(2).map((part) => part * scale * aspectOf(pane));
  const reach = Math.min(box.width, box.height);
  const e = box.width / 2 + view.x * reach - (across[0] * width + down[0] * height) / 2;
  const f = box.height / 2 + view.y * reach - (across[1] * width + down[1] * height) / 2;
  return [...across, ...down, e, f];
}

const toScreen = ([a, b, c, d, e, f], [x, y]) => [a * x + c * y + e, b * x + d * y + f];

function toImage([a, b, c, d, e, f], [x, y]) {
  const size = a * d - b * c;
  return [(d * (x - e) - c * (y - f)) / size, (a * (y - f) - b * (x - e)) / size];
}

const within = ([x, y], [, height, width]) => x >= 0 && y >= 0 && x < width && y < height;
const inside = ([x, y], [, height, width]) => [clamp(x, 0, width), clamp(y, 0, height)];
