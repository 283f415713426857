// Keeps the pixels of one image for the viewer: 32 letters naming their content, then the values, low byte first.
// Each image is an element of its own, so that it travels once and stays when a page runs again.

const LIMIT = 256 * 2 ** 20; // bytes kept, the least recently used go first

const films = (globalThis[Symbol.for("synthread.films")] ??= { kept: new Map(), waiting: new Set() });

export default function ({ data }) {
  const name = new TextDecoder().decode(data.subarray(0, 32));
  if (!films.kept.has(name)) {
    films.kept.set(name, data.slice(32).buffer);
    let bytes = 0;
    for (const buffer of films.kept.values()) bytes += buffer.byteLength;
    for (const [old, buffer] of films.kept) {
      if (bytes <= LIMIT || old === name) break;
      films.kept.delete(old);
      bytes -= buffer.byteLength;
    }
  }
  for (const look of films.waiting) look(name);
}
