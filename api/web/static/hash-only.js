// Hash only: the photos stay on the device, and the form sends their hashes.
//
//   in a <fieldset data-photos data-hashing="…{number} of {count}…" data-hint-flat="…{name}…"
//       data-hint-unhashable="…{name}…" data-hint-blocked data-hash-name="imageHash">:
//     <label data-hash-only-offer hidden>
//       <input type="checkbox" data-hash-only autocomplete="off"> …</label>
//     <p data-when-hash-only hidden>what a hash cannot find</p>
//
// The form then has one hidden field a photo, named imageHash, of 64 hexadecimal digits.

import { Blocked, phash } from "./phash.js";

export class HashOnly {
  constructor(chosen) {
    this.chosen = chosen;
    this.group = chosen.group;
    this.input = chosen.input;
    this.name = this.input.name;
    this.box = this.group.querySelector("[data-hash-only]");
    this.state = "waiting"; // or "hashing", or "sending"
    this.box.addEventListener("change", () => this.switch());
    // On the way back a browser restores the box without telling, and the fields of last time.
    window.addEventListener("pageshow", () => this.again());
    this.input.form.addEventListener("submit", (event) => this.submit(event));
    this.again();
    for (const offer of this.group.querySelectorAll("[data-hash-only-offer]")) offer.hidden = false;
  }

  switch() {
    // A field without a name is never sent, whatever sends the form and whatever fails on the way.
    if (this.box.checked) this.input.removeAttribute("name");
    else this.input.name = this.name;
    for (const word of this.group.querySelectorAll("[data-when-hash-only]")) {
      word.hidden = !this.box.checked;
    }
  }

  again() {
    this.state = "waiting";
    this.forget();
    this.switch();
  }

  forget() {
    for (const field of this.group.querySelectorAll("input[data-hashed]")) field.remove();
  }

  submit(event) {
    if (this.state === "sending") return;
    this.forget();
    if (!this.box.checked) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (this.state === "waiting") this.send(event.submitter);
  }

  async send(submitter) {
    this.state = "hashing";
    const files = this.chosen.files;
    const hashes = await this.hashes(files);
    this.state = "waiting";
    if (hashes === null || !this.box.checked) return;
    if (files !== this.chosen.files) {
      await this.send(submitter); // others were chosen meanwhile
      return;
    }
    this.group.append(...hashes.map((hex) => this.field(hex)));
    this.state = "sending";
    this.input.form.requestSubmit(submitter);
    this.state = "waiting"; // where another field was found invalid, the form is still here
  }

  // Null, and the reason said, unless every photo has a hash that tells it from others.
  async hashes(files) {
    const hashes = [];
    for (const file of files) {
      const { name } = file;
      this.chosen.say("hashing", { name, number: hashes.length + 1, count: files.length });
      const made = await phash(file).catch((error) => error);
      if (made.hex && !made.flat) {
        hashes.push(made.hex);
        continue;
      }
      const reason = made.flat ? "flat" : made instanceof Blocked ? "blocked" : "unhashable";
      this.chosen.refuse(`hint-${reason}`, { name });
      return null;
    }
    this.chosen.say("");
    return hashes;
  }

  field(hex) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = this.group.dataset.hashName ?? "imageHash";
    field.value = hex;
    field.dataset.hashed = "";
    return field;
  }
}
