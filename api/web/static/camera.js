// A photo taken with the device's camera, added to the photos chosen.
//
//   in a <fieldset data-photos> with its input[type=file]:
//     <button type="button" data-camera hidden data-camera-denied data-camera-none
//       data-camera-busy data-camera-failed data-camera-taken>…</button>
//     <p data-camera-status role="status"></p>
//   anywhere, once:
//     <dialog data-camera-dialog aria-labelledby=…>
//       <video playsinline muted></video>
//       <button type="button" data-take>…</button> <button type="button" data-cancel>…</button>
//     </dialog>

import { available, cause, opened, release } from "./devices.js";
import { addFile, text } from "./files.js";

const LONGEST = 1600;
const QUALITY = 0.9;
const WANTED = {
  video: { facingMode: "user", width: { ideal: LONGEST }, height: { ideal: LONGEST } },
};

export function start() {
  const dialog = document.querySelector("dialog[data-camera-dialog]");
  if (!dialog?.showModal || !available()) return;
  const camera = new Camera(dialog);
  for (const button of document.querySelectorAll("[data-camera]")) {
    button.hidden = false;
    button.addEventListener("click", () => camera.open(button));
  }
}

class Camera {
  constructor(dialog) {
    this.dialog = dialog;
    this.video = dialog.querySelector("video");
    this.stream = null;
    this.button = null;
    dialog.querySelector("[data-take]").addEventListener("click", () => this.take());
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.closed()); // also by the Escape key
    window.addEventListener("pagehide", () => this.dialog.close());
    window.addEventListener("pagehide", () => this.stop()); // "close" comes too late for this
  }

  say(key) {
    const status = this.button.closest("fieldset").querySelector("[data-camera-status]");
    status.textContent = text(this.button, key);
  }

  async open(button) {
    if (this.button) return; // the browser still asks
    this.button = button;
    this.say("");
    try {
      this.stream = await opened(WANTED);
    } catch (error) {
      this.say(`camera-${cause(error)}`);
    }
    if (!this.stream) return this.forget();
    this.stream.getVideoTracks()[0].addEventListener("ended", () => this.lost());
    this.video.srcObject = this.stream;
    this.dialog.showModal();
    this.video.play().catch(() => this.lost());
  }

  async take() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return; // no picture has come yet
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    const photo = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (!this.dialog.open) return;
    if (photo) {
      const time = new Date();
      const name = `camera-${time.toISOString().slice(11, 19).replaceAll(":", "")}.jpg`;
      const file = new File([photo], name, { type: "image/jpeg", lastModified: time.getTime() });
      addFile(this.button.closest("fieldset").querySelector("input[type=file]"), file);
    }
    this.say(photo ? "camera-taken" : "camera-failed");
    this.dialog.close();
  }

  // Unplugged, or taken by another program.
  lost() {
    if (this.dialog.open) {
      this.say("camera-busy");
      this.dialog.close();
    }
  }

  closed() {
    this.stop();
    this.button?.focus(); // Safari gives no focus to a button that is clicked, so none returns
    this.forget();
  }

  stop() {
    release(this.stream);
    this.stream = null;
    this.video.srcObject = null;
  }

  forget() {
    this.stop();
    this.button = null;
  }
}
