// What the page carries, unpacked.
const NONE = 65535; // no class

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function unpackJson(text) {
  return JSON.parse(new TextDecoder().decode(await unpack(text)));
}

async function unpackArrays(part) {
  const types = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array };
  const buffer = await unpack(part.data);
  const arrays = {};
  let offset = 0;
  for (const { name, type, length } of part.fields) {
    arrays[name] = new types[type](buffer, offset, length);
    offset += arrays[name].byteLength;
  }
  return arrays;
}

function loadImage(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("a sheet of pictures cannot be decoded"));
    image.src = source;
  });
}

// The items of the map: rows are numbered as they are drawn, not as in the data set.
async function unpackItems(packed) {
  const points = await unpackArrays(packed.points);
  const ids = await unpackJson(packed.ids);
  const sample = packed.sample ? await unpackArrays(packed.sample) : { row: [] };
  const sampled = new Map(Array.from(sample.row, (row, at) => [row, at]));
  const each = sample.near ? sample.near.length / sample.row.length : 0;
  return {
    n: ids.length,
    ids,
    points,
    sample: sample.row,
    isSampled: (row) => sampled.has(row),
    at: (row) => sampled.get(row),
    sheets: packed.sheets ? await Promise.all(packed.sheets.map(loadImage)) : null,
    cards: packed.cards ? await unpackJson(packed.cards) : null,
    byHand: Array.from(ids.keys()).filter((row) => points.source[row] % 2 === 1),
    x: (row) => points.place[2 * row] / 65535,
    y: (row) => points.place[2 * row + 1] / 65535,
    confidence: (row) => points.confidence[row] / 65535,
    neighbours(row) {
      if (!each || !sampled.has(row)) return [];
      const at = sampled.get(row) * each;
      return Array.from(sample.near.subarray(at, at + each)).filter((other) => other >= 0);
    },
  };
}
