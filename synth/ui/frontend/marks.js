// Measures and marks: what they say, whether they count, and how they are drawn.

const MEASURE = "#e8c547";
const MARK = "#62c8ea";

const digits = (value) => (Math.abs(value) < 10 ? value.toFixed(2) : Math.abs(value) < 1000 ? value.toFixed(1) : value.toFixed(0));

/** Length in mm where the spacing is known, else in px. */
function lengthOf(pane, [x0, y0], [x1, y1]) {
  const [row, column] = pane.spacing ?? [1, 1];
  return Math.hypot((x1 - x0) * column, (y1 - y0) * row);
}

/** Mean and SD of the pixels whose centre is inside, and the area of the shape. */
function statistics(pane, values, item) {
  const [, height, width] = pane.shape;
  const [[x0, y0], [x1, y1]] = cornersOf(item.points);
  const centre = [(x0 + x1) / 2, (y0 + y1) / 2];
  const half = [Math.max((x1 - x0) / 2, 1e-9), Math.max((y1 - y0) / 2, 1e-9)];
  let count = 0, sum = 0, squares = 0;
  for (let y = Math.max(0, Math.floor(y0)); y < Math.min(height, Math.ceil(y1)); y++) {
    for (let x = Math.max(0, Math.floor(x0)); x < Math.min(width, Math.ceil(x1)); x++) {
      const dx = (x + 0.5 - centre[0]) / half[0], dy = (y + 0.5 - centre[1]) / half[1];
      if (item.tool === "ellipse" ? dx * dx + dy * dy > 1 : Math.abs(dx) > 1 || Math.abs(dy) > 1) continue;
      const value = values[(item.slice * height + y) * width + x];
      count += 1;
      sum += value;
      squares += value * value;
    }
  }
  const [row, column] = pane.spacing ?? [1, 1];
  const area = (x1 - x0) * column * (y1 - y0) * row * (item.tool === "ellipse" ? Math.PI / 4 : 1);
  const mean = count ? sum / count : NaN;
  return { count, mean, sd: count ? Math.sqrt(Math.max(0, squares / count - mean * mean)) : NaN, area };
}

/** The lines of text beside a measure. */
function wordsOf(pane, values, item) {
  const unit = pane.spacing ? "mm" : "px";
  if (item.tool === "length") return [`${digits(lengthOf(pane, ...item.points))} ${unit}`];
  if (item.tool !== "ellipse" && item.tool !== "box") return [];
  const { count, mean, sd, area } = statistics(pane, values, item);
  const values_ = count ? [`mean ${digits(mean)}${pane.unit ? ` ${pane.unit}` : ""}`, `SD ${digits(sd)}`] : ["no pixel"];
  return [...values_, `area ${digits(area)} ${unit}²`];
}

function cornersOf(points) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  return [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]];
}

/** Twice the area of a closed outline, without sign, in px. */
function areaOf(points) {
  return Math.abs(points.reduce((sum, [x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length];
    return sum + x * ny - nx * y;
  }, 0));
}

/** At most `most` of the points, the first and the last among them. */
function thinned(points, most) {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]);
}

/** Whether a finished drawing is one: a mere click is no box, and an outline off the image encloses nothing. */
function counts(item) {
  if (item.tool === "point") return true;
  if (item.tool === "outline") return item.points.length >= 3 && areaOf(item.points) >= 4;
  const [[x0, y0], [x1, y1]] = cornersOf(item.points);
  return item.tool === "length" ? Math.hypot(x1 - x0, y1 - y0) >= 1 : x1 - x0 >= 1 && y1 - y0 >= 1;
}

function stroked(context, path, colour, width = 1.6, dash = []) {
  context.setLineDash([]);
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = "rgba(0, 0, 0, 0.6)";
  context.lineWidth = width + 1.8;
  context.stroke(path);
  context.setLineDash(dash);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
  context.setLineDash([]);
}

function pathOf(points, closed) {
  const path = new Path2D();
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  if (closed) path.closePath();
  return path;
}

/** Four corners of a box, or 72 points of its ellipse, in image pixels. */
function rim(item) {
  const [[x0, y0], [x1, y1]] = cornersOf(item.points);
  if (item.tool !== "ellipse") return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  return Array.from({ length: 72 }, (_, i) => {
    const angle = (i * Math.PI) / 36;
    return [(x0 + x1) / 2 + ((x1 - x0) / 2) * Math.cos(angle), (y0 + y1) / 2 + ((y1 - y0) / 2) * Math.sin(angle)];
  });
}

function drawItem(context, matrix, item, lines, box) {
  const colour = item.answer ? MARK : MEASURE;
  const at = item.points.map((point) => toScreen(matrix, point));
  if (item.tool === "point") {
    const [[x, y]] = at;
    const path = new Path2D();
    path.arc(x, y, 9, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      path.moveTo(x + 5 * dx, y + 5 * dy);
      path.lineTo(x + 14 * dx, y + 14 * dy);
    }
    stroked(context, path, colour, 1.8);
  } else if (item.tool === "length") {
    stroked(context, pathOf(at, false), colour);
    const angle = Math.atan2(at[1][1] - at[0][1], at[1][0] - at[0][0]) + Math.PI / 2;
    const [dx, dy] = [5 * Math.cos(angle), 5 * Math.sin(angle)];
    for (const [x, y] of at) stroked(context, pathOf([[x - dx, y - dy], [x + dx, y + dy]], false), colour);
  } else {
    const outline = item.tool === "outline" ? at : rim(item).map((point) => toScreen(matrix, point));
    const path = pathOf(outline, item.tool !== "outline" || item.done);
    if (item.answer) {
      context.fillStyle = "rgba(98, 200, 234, 0.12)";
      context.fill(path);
    }
    stroked(context, path, colour, item.answer ? 2 : 1.6);
  }
  if (lines.length) drawWords(context, at, lines, box);
}

function drawWords(context, at, lines, box) {
  context.font = "12px system-ui, sans-serif";
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 12;
  const height = 16 * lines.length + 6;
  const [, [right, bottom]] = cornersOf(at);
  const x = clamp(right + 8, 2, Math.max(2, box.width - width - 2));
  const y = clamp(bottom - height / 2, 2, Math.max(2, box.height - height - 2));
  context.fillStyle = "rgba(8, 10, 12, 0.72)";
  context.beginPath();
  context.roundRect(x, y, width, height, 3);
  context.fill();
  context.fillStyle = "#f3e3a0";
  context.textBaseline = "middle";
  lines.forEach((line, i) => context.fillText(line, x + 6, y + 11 + 16 * i));
}

function drawOverlay(context, matrix, overlay, named) {
  for (const line of overlay.lines) {
    const at = line.map((point) => toScreen(matrix, point));
    stroked(context, pathOf(at, false), overlay.colour, 2, overlay.dashed ? [6, 5] : []);
  }
  if (!named || !overlay.name || !overlay.lines.length) return;
  const points = overlay.lines.flat().map((point) => toScreen(matrix, point));
  const [[left, upper]] = cornersOf(points);
  const top = Math.max(upper, 50); // below the title of the pane
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  const width = context.measureText(overlay.name).width;
  context.fillStyle = "rgba(8, 10, 12, 0.72)";
  context.beginPath();
  context.roundRect(left - 4, top - 23, width + 8, 18, 3);
  context.fill();
  context.fillStyle = overlay.colour;
  context.fillText(overlay.name, left, top - 9.5);
}
