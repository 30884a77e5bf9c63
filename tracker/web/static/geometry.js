// Points of lines and zones, in pixels of the picture.

export const WAYS = { right: [1, 0], left: [-1, 0], down: [0, 1], up: [0, -1] };
const OPPOSITE = { right: "left", left: "right", up: "down", down: "up" };

// Where "in" leads without a word: to the right, or downwards where the line is flatter than 45 degrees.
export function heading(shape) {
  if (shape.towards) return shape.towards.toLowerCase();
  const [a, b] = [shape.points[0], shape.points[shape.points.length - 1]];
  return Math.abs(b[0] - a[0]) > Math.abs(b[1] - a[1]) ? "down" : "right";
}

export const turned = (shape) => OPPOSITE[heading(shape)];

// The middle of a line, and its normal on the side that "in" leads to.
export function arrow(shape) {
  const points = shape.points;
  const lengths = points.slice(1).map((point, n) => Math.hypot(point[0] - points[n][0], point[1] - points[n][1]));
  let left = lengths.reduce((sum, length) => sum + length, 0) / 2;
  let n = 0;
  while (n < lengths.length - 1 && left > lengths[n]) left -= lengths[n++];
  const [a, b] = [points[n], points[n + 1]];
  const part = lengths[n] ? left / lengths[n] : 0;
  const middle = [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
  let normal = [-(b[1] - a[1]) / (lengths[n] || 1), (b[0] - a[0]) / (lengths[n] || 1)];
  const way = WAYS[heading(shape)];
  const chord = [points[points.length - 1][0] - points[0][0], points[points.length - 1][1] - points[0][1]];
  const side = [-chord[1], chord[0]];
  if ((side[0] * way[0] + side[1] * way[1]) * (side[0] * normal[0] + side[1] * normal[1]) < 0) normal = normal.map((v) => -v);
  return { middle, normal };
}

// The point with Shift: on a line of 45 degrees from the one before.
export function snapped(from, to) {
  const angle = Math.round(Math.atan2(to[1] - from[1], to[0] - from[0]) / (Math.PI / 4)) * (Math.PI / 4);
  const length = (to[0] - from[0]) * Math.cos(angle) + (to[1] - from[1]) * Math.sin(angle);
  return [from[0] + length * Math.cos(angle), from[1] + length * Math.sin(angle)];
}

export const within = ([x, y], [width, height]) => [
  Math.round(Math.min(Math.max(x, 0), width) * 10) / 10,
  Math.round(Math.min(Math.max(y, 0), height) * 10) / 10,
];

// All points, as far as none leaves the picture.
export function moved(points, [dx, dy], [width, height]) {
  const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
  const x = Math.min(Math.max(dx, -Math.min(...xs)), width - Math.max(...xs));
  const y = Math.min(Math.max(dy, -Math.min(...ys)), height - Math.max(...ys));
  return points.map((point) => within([point[0] + x, point[1] + y], [width, height]));
}

export const least = (kind) => (kind === "line" ? 2 : 3);
