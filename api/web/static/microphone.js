// A recording made with the device's microphone, put into the voice's file field.
//
//   in a <fieldset data-voice> with its input[type=file]:
//     <button type="button" data-record hidden data-max-seconds="30" data-microphone-denied
//       data-microphone-none data-microphone-busy data-microphone-failed data-hint-good
//       data-hint-quiet data-hint-clipping data-hint-short>…</button>
//     <button type="button" data-stop hidden>…</button>
//     <meter data-level hidden min="0" max="1" aria-label=…></meter>
//     <span data-seconds hidden></span>           (the seconds so far; a word after it is the page's)
//     <audio data-playback controls hidden></audio>
//     <button type="button" data-discard hidden>…</button>
//     <p data-record-status role="status"></p>
//   The page's policy has media-src 'self' blob:.

import { available, cause, opened, release } from "./devices.js";
import { addFile, holds, removeFile, text } from "./files.js";
import { Level } from "./level.js";

const KINDS = ["audio/webm;codecs=opus", "audio/mp4"];
const ENDINGS = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg" };
// What makes a call pleasant changes a voice; loudness alone is helped.
const WANTED = {
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: true },
};

export function start() {
  if (!available() || !window.MediaRecorder || !window.AudioContext) return;
  for (const group of document.querySelectorAll("[data-voice]")) {
    if (group.querySelector("[data-record]")) new Microphone(group);
  }
}

class Microphone {
  constructor(group) {
    const part = (name) => group.querySelector(`[data-${name}]`);
    this.input = group.querySelector("input[type=file]");
    this.button = part("record");
    this.stopping = part("stop");
    this.meter = part("level");
    this.seconds = part("seconds");
    this.playback = part("playback");
    this.discarding = part("discard");
    this.status = part("record-status");
    this.recording = null;
    this.file = null;
    this.asking = false;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.start());
    this.stopping.addEventListener("click", () => this.recording?.recorder.stop());
    this.discarding.addEventListener("click", () => this.discard());
    this.input.addEventListener("kept", () => this.kept());
    window.addEventListener("pagehide", () => this.end());
  }

  say(key) {
    this.status.textContent = text(this.button, key);
  }

  async start() {
    if (this.asking) return;
    this.asking = true;
    this.say("");
    let stream = null;
    try {
      stream = await opened(WANTED);
      if (stream) this.record(stream);
    } catch (error) {
      release(stream);
      this.recording = null;
      this.say(`microphone-${cause(error)}`);
    }
    this.asking = false;
  }

  record(stream) {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
    const most = Number(this.button.dataset.maxSeconds ?? 30);
    const level = new Level(stream, (loudness, seconds) => {
      this.meter.value = loudness;
      this.seconds.textContent = Math.floor(seconds);
      if (seconds >= most && recorder.state === "recording") recorder.stop();
    });
    const parts = [];
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    recorder.addEventListener("stop", () => this.finish(parts)); // also when it is unplugged
    this.recording = { recorder, stream, level };
    recorder.start();
    this.show(true);
    this.stopping.focus();
  }

  finish(parts) {
    if (!this.recording) return; // the page was left
    const { level, recorder } = this.recording;
    const type = (recorder.mimeType || parts[0]?.type || "").split(";")[0];
    const verdict = level.verdict();
    this.end();
    const content = new Blob(parts, { type });
    if (content.size === 0) return this.say("microphone-failed");
    const time = new Date();
    const moment = time.toISOString().slice(11, 19).replaceAll(":", "");
    const name = `voice-${moment}.${ENDINGS[type] ?? "audio"}`;
    const file = new File([content], name, { type, lastModified: time.getTime() });
    this.forget();
    this.file = file;
    this.playback.src = URL.createObjectURL(file);
    this.playback.hidden = this.discarding.hidden = false;
    this.say(`hint-${verdict}`);
    addFile(this.input, file); // where it is refused, the list says why
    this.button.focus();
  }

  // Lets the microphone go; nothing listens a moment longer than it is seen to.
  end() {
    if (!this.recording) return;
    const { recorder, stream, level } = this.recording;
    this.recording = null;
    if (recorder.state !== "inactive") recorder.stop();
    level.stop();
    release(stream);
    this.show(false);
  }

  show(recording) {
    this.button.hidden = recording;
    this.stopping.hidden = this.meter.hidden = this.seconds.hidden = !recording;
  }

  discard() {
    if (!this.file) return;
    const file = this.file;
    this.forget();
    removeFile(this.input, file);
    this.say("");
    this.button.focus();
  }

  // The list of chosen files removes it, too, and so do other files where only one is sent.
  kept() {
    if (!this.file || holds(this.input, this.file)) return;
    this.forget();
    this.say("");
  }

  forget() {
    if (!this.file) return;
    URL.revokeObjectURL(this.playback.src);
    this.playback.removeAttribute("src");
    this.playback.load();
    this.playback.hidden = this.discarding.hidden = true;
    this.file = null;
  }
}
