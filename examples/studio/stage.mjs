/** The large picture: what is painted on it, what is selected and found, and pointers and keys on it. */

const colours = { label: [255, 140, 40], selection: [40, 130, 255], found: [60, 220, 130] };

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} hears
 * @param {(x: number, y: number, isBeside: boolean) => void} hears.onPoint
 * @param {(box: readonly number[]) => void} hears.onBox
 * @param {(from: readonly number[], to: readonly number[]) => void} hears.onStroke
 * @param {() => void} hears.onStrokeEnd
 */
export function createStage(canvas, hears) {
  const context = canvas.getContext("2d");
  const layer = document.createElement("canvas");
  /** What is shown: see `show`. */
  let shown;
  let cross;
  let drag;

  function draw() {
    if (!shown) return;
    const { picture, masks, brush } = shown;
    const { width, height } = picture.image;
    const scale = Math.max(1, Math.round(1024 / Math.max(width, height)));
    if (canvas.width !== width * scale || canvas.height !== height * scale)
      Object.assign(canvas, { width: width * scale, height: height * scale });
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.canvas, 0, 0, canvas.width, canvas.height);
    for (const { kind, mask, from = 0, to = 1 } of masks) drawMask(kind, mask, from, to);
    const unit = canvas.width / (canvas.clientWidth || canvas.width);
    if (shown.wipe !== undefined) drawWipe(shown.wipe, unit);
    for (const point of picture.points) drawPoint(point, scale, unit);
    const box = drag?.box ?? picture.box;
    if (box) drawBox(box, scale, unit);
    if (cross) drawCross(cross, scale, unit, brush);
  }

  /** A mask's tint and its edge, between two shares of the picture's width. */
  function drawMask(kind, mask, from, to) {
    const { width, height } = shown.picture.image;
    Object.assign(layer, { width, height });
    const pixels = new ImageData(width, height);
    const [r, g, b] = colours[kind];
    const [first, last] = [Math.floor(from * width), Math.ceil(to * width)];
    for (let y = 0; y < height; y++)
      for (let x = first; x < last; x++) {
        const at = y * width + x;
        if (!mask[at]) continue;
        const isEdge =
          x === 0 ||
          y === 0 ||
          x === width - 1 ||
          y === height - 1 ||
          !(mask[at - 1] && mask[at + 1] && mask[at - width] && mask[at + width]);
        pixels.data.set([r, g, b, isEdge ? 255 : 120], 4 * at);
      }
    layer.getContext("2d").putImageData(pixels, 0, 0);
    context.drawImage(layer, 0, 0, canvas.width, canvas.height);
  }

  function drawWipe(share, unit) {
    const x = share * canvas.width;
    context.fillStyle = "#fff";
    context.fillRect(x - unit, 0, 2 * unit, canvas.height);
  }

  function drawPoint({ x, y, label }, scale, unit) {
    context.beginPath();
    context.arc((x + 0.5) * scale, (y + 0.5) * scale, 6 * unit, 0, 7);
    context.fillStyle = label === 1 ? "#1f6fe0" : "#d6322c";
    context.fill();
    context.lineWidth = 2 * unit;
    context.strokeStyle = "#fff";
    context.stroke();
  }

  function drawBox([left, top, right, bottom], scale, unit) {
    context.lineWidth = 2 * unit;
    context.strokeStyle = "#fff";
    context.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
    context.setLineDash([6 * unit, 6 * unit]);
    context.strokeStyle = "#1f6fe0";
    context.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
    context.setLineDash([]);
  }

  function drawCross([x, y], scale, unit, brush) {
    context.lineWidth = 2 * unit;
    context.strokeStyle = "#fff";
    context.beginPath();
    if (brush) context.arc((x + 0.5) * scale, (y + 0.5) * scale, (brush / 2) * scale, 0, 7);
    else {
      const [u, v, arm] = [(x + 0.5) * scale, (y + 0.5) * scale, 12 * unit];
      context.moveTo(u - arm, v);
      context.lineTo(u + arm, v);
      context.moveTo(u, v - arm);
      context.lineTo(u, v + arm);
    }
    context.stroke();
  }

  /** Where a pointer is, in the picture's pixels: the canvas lies in its box with the picture's own proportions. */
  function placeOf(event) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const { image } = shown.picture;
    const by = Math.min(width / image.width, height / image.height);
    const x = (event.clientX - left - (width - by * image.width) / 2) / by;
    const y = (event.clientY - top - (height - by * image.height) / 2) / by;
    return [clamp(Math.floor(x), image.width - 1), clamp(Math.floor(y), image.height - 1)];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!shown || event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    const from = placeOf(event);
    drag = { from, last: from, isBeside: event.shiftKey };
    if (shown.brush) hears.onStroke(from, from);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!shown) return;
    const at = placeOf(event);
    cross = shown.brush && event.pointerType === "mouse" ? at : undefined;
    if (drag && shown.brush) {
      hears.onStroke(drag.last, at);
      drag.last = at;
    } else if (drag) {
      const [dx, dy] = [at[0] - drag.from[0], at[1] - drag.from[1]];
      const { width } = shown.picture.image;
      if (drag.box || Math.hypot(dx, dy) > width / 50)
        drag.box = [
          Math.min(at[0], drag.from[0]),
          Math.min(at[1], drag.from[1]),
          Math.max(at[0], drag.from[0]),
          Math.max(at[1], drag.from[1]),
        ];
    }
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    const done = drag;
    drag = undefined;
    if (!done) return;
    if (shown.brush) hears.onStrokeEnd();
    else if (done.box) hears.onBox(done.box);
    else hears.onPoint(done.from[0], done.from[1], done.isBeside);
  });
  canvas.addEventListener("pointercancel", () => {
    drag = undefined;
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    if (!drag) cross = undefined;
    draw();
  });

  canvas.addEventListener("keydown", (event) => {
    if (!shown) return;
    const { width, height } = shown.picture.image;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    const at = cross ?? [width >> 1, height >> 1];
    if (move) {
      const step = Math.max(1, Math.round(width / (event.shiftKey ? 200 : 50)));
      cross = [clamp(at[0] + move[0] * step, width - 1), clamp(at[1] + move[1] * step, height - 1)];
      draw();
    } else if (event.key === "Enter" || event.key === " ") {
      cross = at;
      if (shown.brush) {
        hears.onStroke(at, at);
        hears.onStrokeEnd();
      } else hears.onPoint(at[0], at[1], event.shiftKey);
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => {
    cross = undefined;
    draw();
  });
  new ResizeObserver(draw).observe(canvas);

  return {
    /**
     * Shows a picture, masks on it `{ kind, mask, from, to }`, and a brush of so many pixels or none; `wipe` is where a
     * line stands between two of them.
     */
    show(next) {
      if (next.picture !== shown?.picture) cross = undefined;
      shown = next;
      draw();
    },
  };
}

const clamp = (value, most) => Math.min(most, Math.max(0, value));

/** Paints a stroke of a brush into a mask. */
export function paintStroke(mask, { width, height }, from, to, size, value) {
  const radius = size / 2;
  const [ex, ey] = [to[0] - from[0], to[1] - from[1]];
  const length = ex * ex + ey * ey || 1;
  const [left, right] = [Math.min(from[0], to[0]) - radius, Math.max(from[0], to[0]) + radius];
  const [top, bottom] = [Math.min(from[1], to[1]) - radius, Math.max(from[1], to[1]) + radius];
  for (let y = clamp(Math.floor(top), height - 1); y <= clamp(Math.ceil(bottom), height - 1); y++)
    for (let x = clamp(Math.floor(left), width - 1); x <= clamp(Math.ceil(right), width - 1); x++) {
      const along = Math.min(1, Math.max(0, ((x - from[0]) * ex + (y - from[1]) * ey) / length));
      if (Math.hypot(x - from[0] - ex * along, y - from[1] - ey * along) <= radius)
        mask[y * width + x] = value;
    }
}
