// Photos and recordings that a person chooses: a list with previews, hints and ways to remove.
//
//   <fieldset data-photos (or data-voice) data-max-files="5" data-max-bytes="10000000" (each file)
//       data-remove="Remove {name}" data-too-many="…{most}…" data-too-large="…{name}…"
//     of photos also:
//       data-hint-good data-hint-small data-hint-dark data-hint-blurred data-hint-unreadable
//       and those of hash-only.js>
//     <input type="file" name=…>
//     <ul data-chosen hidden></ul>
//     <p data-status role="status" aria-live="polite"></p>
//   </fieldset>

import { assign, same, text } from "./files.js";

// Done when all is shown that it shows: the page keeps room for that until then.
export function start() {
  const groups = [...document.querySelectorAll("[data-photos], [data-voice]")];
  return Promise.all(groups.map(begun));
}

async function begun(group) {
  const chosen = new Chosen(group);
  if (!group.querySelector("[data-hash-only]")) return;
  const { HashOnly } = await import("./hash-only.js");
  new HashOnly(chosen);
}

class Chosen {
  constructor(group) {
    this.group = group;
    this.input = group.querySelector("input[type=file]");
    this.list = group.querySelector("[data-chosen]");
    this.files = [];
    this.rows = [];
    // Choosing twice adds to what was chosen first.
    this.input.addEventListener("change", () => this.take([...this.files, ...this.input.files]));
    this.input.addEventListener("filesset", () => this.take([...this.input.files]));
    this.input.form?.addEventListener("reset", () => this.take([]));
    this.take([...this.input.files]); // a browser may restore what was chosen before a reload
  }

  say(key, values) {
    const status = this.group.querySelector("[data-status]");
    this.refused = false;
    status.classList.remove("heard");
    status.textContent = text(this.group, key, values);
    return status;
  }

  // It stays to be read; a hint about another photo does not replace it.
  refuse(key, values) {
    this.say(key, values);
    this.refused = true;
  }

  take(offered) {
    this.say("");
    this.files = this.within(offered.filter((one, at) => at === first(offered, one)));
    assign(this.input, this.files);
    this.show();
    this.input.dispatchEvent(new Event("kept", { bubbles: true }));
  }

  within(files) {
    const { maxFiles, maxBytes } = this.group.dataset;
    const large = files.find((one) => one.size > Number(maxBytes ?? Infinity));
    if (large) this.refuse("too-large", { name: large.name });
    const small = files.filter((one) => one.size <= Number(maxBytes ?? Infinity));
    if (!this.input.multiple) return small.slice(-1);
    const most = Number(maxFiles ?? Infinity);
    if (small.length > most) this.refuse("too-many", { most });
    return small.slice(0, most);
  }

  show() {
    const before = this.rows;
    this.rows = this.files.map((file) => before.find((row) => row.file === file) ?? this.row(file));
    for (const row of before) {
      if (!this.rows.includes(row)) URL.revokeObjectURL(row.url);
    }
    this.list.replaceChildren(...this.rows.map((row) => row.item));
    this.list.hidden = this.rows.length === 0;
  }

  row(file) {
    const item = document.createElement("li");
    const row = { file, item, url: "" };
    if ("photos" in this.group.dataset) {
      row.url = URL.createObjectURL(file);
      const preview = document.createElement("img");
      preview.alt = ""; // its name stands beside it
      preview.onerror = () => preview.remove();
      preview.src = row.url;
      item.append(preview);
    }
    const name = document.createElement("span");
    name.textContent = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "linked";
    remove.textContent = text(this.group, "remove", { name: file.name });
    remove.addEventListener("click", () => this.remove(row));
    item.append(name, remove);
    if ("photos" in this.group.dataset) this.judge(file, name);
    return row;
  }

  remove(row) {
    const at = this.rows.indexOf(row);
    this.take(this.files.filter((one) => one !== row.file));
    // The button with the focus is gone; the next one is where a person goes on.
    const next = this.rows[Math.min(at, this.rows.length - 1)];
    (next?.item.querySelector("button") ?? this.input).focus();
  }

  async judge(file, name) {
    const { judged } = await import("./quality.js");
    const verdict = await judged(file).catch(() => "unreadable");
    if (verdict === "unjudged") return;
    const hint = document.createElement("span");
    hint.className = `hint ${verdict}`;
    hint.textContent = text(this.group, `hint-${verdict}`);
    name.after(hint);
    // It stands beside the photo to be seen; here it is said to whoever listens.
    if (this.files.includes(file) && !this.refused) this.say(`hint-${verdict}`).classList.add("heard");
  }
}

function first(files, file) {
  return files.findIndex((one) => same(one, file));
}
