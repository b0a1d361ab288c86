// Whether a photo is good enough to recognise a face by.
//
//   judged(file) -> "good" | "small" | "dark" | "blurred" | "unjudged"
//
// A hint only, of measures that any phone has at once; the server judges by the face itself.
// "dark" is also what is too bright or too pale: more or other light helps all of them.

import { decode, grey, readable } from "./phash.js";

const SHORTEST = 250;
const COPY = 384; // the longer side of the copy that is measured
const BRIGHTNESS = [40, 225];
const CONTRAST = 18; // standard deviation of the levels
const SHARPNESS = 30; // variance of the Laplacian

export async function judged(file) {
  const picture = await decode(file);
  if (!readable()) return "unjudged";
  try {
    const { width, height } = picture;
    if (Math.min(width, height) < SHORTEST) return "small";
    const scale = Math.min(1, COPY / Math.max(width, height));
    const columns = Math.max(3, Math.round(width * scale));
    const rows = Math.max(3, Math.round(height * scale));
    return verdict(grey(picture, 0, rows, columns, height), columns);
  } finally {
    picture.close();
  }
}

function verdict(levels, width) {
  const light = spread(levels);
  const [dark, bright] = BRIGHTNESS;
  if (light.mean < dark || light.mean > bright || light.variance < CONTRAST ** 2) return "dark";
  return spread(laplacian(levels, width)).variance < SHARPNESS ? "blurred" : "good";
}

function laplacian(levels, width) {
  const edges = [];
  for (let at = width + 1; at < levels.length - width - 1; at += 1) {
    const column = at % width;
    if (column === 0 || column === width - 1) continue;
    const around = levels[at - 1] + levels[at + 1] + levels[at - width] + levels[at + width];
    edges.push(around - 4 * levels[at]);
  }
  return edges;
}

function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}
