// Which part of the map is seen: from places in [0, 1] to pixels of the page and back.
function makeCamera(items) {
  const margin = 28;
  const [lowX, highX] = extent(items.n, items.x);
  const [lowY, highY] = extent(items.n, items.y);
  const camera = {
    width: 0,
    height: 0,
    ratio: 1, // pixels of the screen in one of the page
    scale: 1, // how much larger than when all is seen
    middleX: 0.5,
    middleY: 0.5,
    unit() {
      const { width, height, scale } = camera;
      return scale * Math.min((width - 2 * margin) / (highX - lowX), (height - 2 * margin) / (highY - lowY));
    },
    toX: (place) => (place - camera.middleX) * camera.unit() + camera.width / 2,
    toY: (place) => (place - camera.middleY) * camera.unit() + camera.height / 2,
    x: (row) => camera.toX(items.x(row)),
    y: (row) => camera.toY(items.y(row)),
    sees: (x, y, margin = 0) => x >= -margin && y >= -margin && x <= camera.width + margin && y <= camera.height + margin,
    fit() {
      Object.assign(camera, { scale: 1, middleX: (lowX + highX) / 2, middleY: (lowY + highY) / 2 });
    },
    zoom(factor, x = camera.width / 2, y = camera.height / 2) {
      const scale = Math.min(200, Math.max(0.5, camera.scale * factor));
      const still = 1 - camera.scale / scale; // what is under (x, y) stays there
      camera.middleX += ((x - camera.width / 2) / camera.unit()) * still;
      camera.middleY += ((y - camera.height / 2) / camera.unit()) * still;
      camera.scale = scale;
    },
    pan(x, y) {
      camera.middleX = Math.min(highX, Math.max(lowX, camera.middleX - x / camera.unit()));
      camera.middleY = Math.min(highY, Math.max(lowY, camera.middleY - y / camera.unit()));
    },
    follow(row) {
      Object.assign(camera, { scale: Math.max(camera.scale, 4), middleX: items.x(row), middleY: items.y(row) });
    },
  };
  return camera;
}

function extent(n, place) {
  let low = 1;
  let high = 0;
  for (let row = 0; row < n; row++) {
    low = Math.min(low, place(row));
    high = Math.max(high, place(row));
  }
  return [low, Math.max(high, low + 1e-4)];
}
