/** The loss by step, as it comes. */
export function createCurve(figure) {
  const svg = figure.querySelector("svg");
  const caption = figure.querySelector("figcaption");
  let losses = [];

  const line = (values, top, steps, name) => {
    const points = values.map(
      (loss, i) =>
        `${(8 + (284 * i) / Math.max(1, steps - 1)).toFixed(1)},${(102 - (94 * loss) / top).toFixed(1)}`,
    );
    const made = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    made.setAttribute("points", points.join(" "));
    if (name) made.setAttribute("class", name);
    return made;
  };
  const smooth = (values) =>
    values.map((_, i) => {
      const last = values.slice(Math.max(0, i - 4), i + 1);
      return last.reduce((sum, value) => sum + value, 0) / last.length;
    });

  return {
    begin(words) {
      losses = [];
      svg.replaceChildren();
      figure.hidden = false;
      caption.textContent = words;
    },
    say(words) {
      caption.textContent = words;
    },
    add(loss, steps) {
      losses.push(loss);
      const top = Math.max(...losses) * 1.05;
      svg.replaceChildren(line(losses, top, steps, "faint"), line(smooth(losses), top, steps));
      caption.textContent = `step ${losses.length} of ${steps}, loss ${smooth(losses).at(-1).toFixed(3)}`;
    },
  };
}
