// The perceptual hash of a picture, made on the device: encoder phash-256/1 of the registry, which
// is imagehash.phash(hash_size=16) on Pillow. Each step rounds where Pillow rounds.
//
//   phash(file) -> {hex, flat}   64 digits; flat: too plain to tell it from others
//
// Throws Unreadable for what this browser cannot decode, Blocked where it falsifies pixels.

const SIDE = 64;
const LOW = 16;
const NOISE = (3 * 2 * 64) / Math.sqrt(12); // as registry/encoders/image_hash.py explains it
const STRIP = 256; // rows at a time: phones refuse a canvas the size of their own photos
const LEVELS = 2 ** 22; // Pillow's fixed point for 8-bit pictures

export class Unreadable extends Error {}
export class Blocked extends Error {}

export async function phash(file) {
  const picture = await decode(file);
  try {
    const flat = Math.min(picture.width, picture.height) < LOW;
    const waves = lowest(await reduced(picture));
    const sizes = waves.map(Math.abs);
    return { hex: digits(waves), flat: flat || median(sizes) < NOISE };
  } finally {
    picture.close();
  }
}

// The picture as a viewer shows it, with the stored colours: Pillow ignores colour profiles, too.
export async function decode(file) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  try {
    return await createImageBitmap(file, options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw new Unreadable(file.name);
  }
  try {
    return await createImageBitmap(file); // a browser that knows not every option
  } catch {
    throw new Unreadable(file.name);
  }
}

// Grey levels (Pillow's "L") of some rows of the picture, on white.
export function grey(picture, top, rows, width = picture.width, from = rows) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, rows);
  context.drawImage(picture, 0, top, picture.width, from, 0, 0, width, rows);
  const { data } = context.getImageData(0, 0, width, rows);
  const levels = new Uint8ClampedArray(width * rows);
  for (let at = 0, byte = 0; at < levels.length; at += 1, byte += 4) {
    levels[at] =
      (data[byte] * 19595 + data[byte + 1] * 38470 + data[byte + 2] * 7471 + 0x8000) >> 16;
  }
  canvas.width = 0; // Safari frees its memory late otherwise
  return levels;
}

// Some browsers answer with noise against fingerprinting; a hash of noise would find nothing.
export function readable() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const level = (at) => (at * 37) % 256;
  for (let at = 0; at < SIDE; at += 1) {
    context.fillStyle = `rgb(${level(at)} ${level(at)} ${level(at)})`;
    context.fillRect(at, 0, 1, SIDE);
  }
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  let off = 0;
  for (let at = 0; at < SIDE * SIDE; at += 1) off += Math.abs(data[4 * at] - level(at % SIDE));
  return off / (SIDE * SIDE) < 2;
}

// 64 x 64 grey levels: across first, then down, each rounded to 8 bits.
async function reduced(picture) {
  if (!readable()) throw new Blocked();
  const { width, height } = picture;
  const across = weights(width);
  const narrow = new Uint8ClampedArray(SIDE * height);
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    const levels = grey(picture, top, rows);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < SIDE; column += 1) {
        const to = (top + row) * SIDE + column;
        narrow[to] = mixed(levels, row * width, 1, across[column]);
      }
    }
    await new Promise((next) => setTimeout(next)); // a large picture must not freeze the page
  }
  const down = weights(height);
  const small = new Uint8ClampedArray(SIDE * SIDE);
  for (let at = 0; at < small.length; at += 1) {
    small[at] = mixed(narrow, at % SIDE, SIDE, down[Math.floor(at / SIDE)]);
  }
  return small;
}

function mixed(levels, start, step, { first, parts }) {
  let sum = LEVELS / 2;
  let at = start + first * step;
  for (const part of parts) {
    sum += levels[at] * part;
    at += step;
  }
  return Math.floor(sum / LEVELS); // the array clamps it to 0..255
}

// Pillow's precompute_coeffs and normalize_coeffs_8bpc, for LANCZOS.
function weights(size) {
  const scale = size / SIDE;
  const stretch = Math.max(scale, 1);
  const support = 3 * stretch;
  return Array.from({ length: SIDE }, (_, at) => {
    const centre = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(size, Math.trunc(centre + support + 0.5));
    const raw = [];
    for (let x = first; x < end; x += 1) raw.push(lanczos((x - centre + 0.5) / stretch));
    const total = raw.reduce((sum, part) => sum + part, 0);
    const parts = raw.map((part) => {
      const scaled = (part / total) * LEVELS;
      return Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    });
    return { first, parts };
  });
}

function lanczos(x) {
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

// The 16 x 16 lowest frequencies of the DCT-II as scipy scales it, row by row.
function lowest(small) {
  const wave = (k, n) => 2 * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * SIDE));
  const table = Array.from({ length: LOW }, (_, k) =>
    Float64Array.from({ length: SIDE }, (_, n) => wave(k, n)),
  );
  const waves = [];
  for (let down = 0; down < LOW; down += 1) {
    const columns = new Float64Array(SIDE);
    for (let at = 0; at < small.length; at += 1) {
      columns[at % SIDE] += small[at] * table[down][Math.floor(at / SIDE)];
    }
    for (let across = 0; across < LOW; across += 1) {
      waves.push(columns.reduce((sum, level, n) => sum + level * table[across][n], 0));
    }
  }
  return waves;
}

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

function digits(waves) {
  const middle = median(waves);
  let hex = "";
  for (let at = 0; at < waves.length; at += 4) {
    const bits = waves.slice(at, at + 4).map((wave) => (wave > middle ? "1" : "0"));
    hex += parseInt(bits.join(""), 2).toString(16);
  }
  return hex;
}
