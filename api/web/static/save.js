// What a person takes home: the number, the PIN and the address of a case.
//
//   <dd data-save-line="Case number">…</dd>       a line "Case number: …" of the text
//   <button type="button" data-save="case.txt" hidden>…</button>      shares it or downloads it
//   <button type="button" data-copy hidden data-copied data-copy-failed>…</button>
//   <button type="button" data-print hidden>…</button>
//   <p data-save-status role="status"></p>
//   <form data-once data-busy="…"> … <p data-busy-status role="status"></p>   sends once

import { text } from "./files.js";

export function start() {
  offer("[data-save]", true, save);
  offer("[data-copy]", Boolean(navigator.clipboard?.writeText), copy);
  offer("[data-print]", Boolean(window.print), () => window.print());
  for (const form of document.querySelectorAll("form[data-once]")) once(form);
}

function offer(selector, works, act) {
  for (const button of works ? document.querySelectorAll(selector) : []) {
    button.hidden = false;
    button.addEventListener("click", () => act(button));
  }
}

function lines() {
  const said = (element) => element.textContent.trim().replace(/\s+/g, " ");
  return [...document.querySelectorAll("[data-save-line]")]
    .map((element) => [element.dataset.saveLine, said(element)].filter(Boolean).join(": "))
    .join("\n");
}

async function save(button) {
  const name = button.dataset.save || "case.txt";
  const file = new File([`${lines()}\n`], name, { type: "text/plain" });
  // A phone's own sheet saves to its files and notes; a computer's only sends to others.
  if (matchMedia("(pointer: coarse)").matches && navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file] });
      return;
    } catch (error) {
      if (error.name === "AbortError") return; // the person closed it
    }
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // Safari asks before it reads
}

async function copy(button) {
  const status = document.querySelector("[data-save-status]");
  const copied = await navigator.clipboard.writeText(lines()).then(
    () => true,
    () => false,
  );
  status.textContent = text(button, copied ? "copied" : "copy-failed");
}

function once(form) {
  const status = form.querySelector("[data-busy-status]");
  const buttons = () => [...form.elements].filter((one) => one.type === "submit");
  let sent = false;
  // On the document, so that it sees whether another script holds the form back.
  document.addEventListener("submit", (event) => {
    if (event.target !== form || event.defaultPrevented) return;
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    if (status) status.textContent = text(form, "busy");
    // After this event: a disabled button's own name and value would not be sent.
    setTimeout(() => buttons().forEach((button) => (button.disabled = true)));
  });
  // Back on the page; Firefox keeps buttons disabled over a reload, too.
  window.addEventListener("pageshow", () => {
    sent = false;
    if (status) status.textContent = "";
    buttons().forEach((button) => (button.disabled = false));
  });
}
