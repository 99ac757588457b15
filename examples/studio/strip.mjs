/** The strip of pictures below the large one. */

/** A button for each picture, and one that opens more. */
export function renderStrip(pictures, current, { choose, openFiles }) {
  const strip = document.getElementById("strip");
  const items = pictures.map((picture, i) => {
    const button = document.createElement("button");
    button.type = "button";
    const words = picture.painted ? ", painted" : "";
    button.setAttribute("aria-label", `Picture ${i + 1}, ${picture.name}${words}`);
    if (picture === current) button.setAttribute("aria-current", "true");
    button.append(thumbnailOf(picture));
    if (picture.painted) {
      const badge = document.createElement("span");
      badge.className = "badge";
      badge.textContent = "painted";
      button.append(badge);
    }
    button.addEventListener("click", () => choose(picture));
    return button;
  });
  const opener = document.createElement("label");
  opener.className = "file";
  opener.innerHTML = 'Open<input type="file" accept="image/*" multiple aria-label="Open pictures">';
  opener.firstElementChild.addEventListener("change", ({ target }) => openFiles(target.files));
  const focused = [...strip.children].findIndex((item) => item.contains(document.activeElement));
  strip.replaceChildren(
    ...[...items, opener].map((child) => {
      const item = document.createElement("li");
      item.append(child);
      return item;
    }),
  );
  strip.children[focused]?.querySelector("button, input")?.focus();
}

function thumbnailOf({ canvas }) {
  const small = document.createElement("canvas");
  Object.assign(small, { width: 96, height: 96 });
  const side = Math.min(canvas.width, canvas.height);
  const [left, top] = [(canvas.width - side) / 2, (canvas.height - side) / 2];
  small.getContext("2d").drawImage(canvas, left, top, side, side, 0, 0, 96, 96);
  return small;
}
