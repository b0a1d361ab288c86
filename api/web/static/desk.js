// Keys for the queue: j and k between rows, ? for help. Enter follows the focused link by itself.
const box = document.querySelector("[data-keys]");
const STORED = "desk-keys";

function stored() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null; // storage may be forbidden: the keys work, and are not remembered
  }
}

function remember(on) {
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // as above
  }
}

function inField(target) {
  return target instanceof Element && target.closest("input, select, textarea, [contenteditable]");
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
  rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
}

if (box) {
  const dialog = box.querySelector("[data-keys-dialog]");
  const on = box.querySelector("[data-keys-on]");
  const show = () => {
    if (!dialog.open) dialog.showModal();
  };
  on.checked = stored() !== "off";
  on.addEventListener("change", () => remember(on.checked));
  box.querySelector("[data-keys-open]").addEventListener("click", show);
  box.querySelector("[data-keys-close]").addEventListener("click", () => dialog.close());
  const keys = { j: () => move(1), k: () => move(-1), "?": show };
  document.addEventListener("keydown", (event) => {
    if (!on.checked || dialog.open || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.isComposing || inField(event.target) || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  box.hidden = false;
}
