// The only script that a page names: <script type="module" src="/static/app.js"></script>.
// It loads what the page has a use for; a page without a camera loads no camera.

const FEATURES = {
  "[data-photos], [data-voice]": "./upload.js",
  "[data-camera]": "./camera.js",
  "[data-record]": "./microphone.js",
  "[data-save], [data-copy], [data-print], form[data-once]": "./save.js",
};

for (const [selector, module] of Object.entries(FEATURES)) {
  if (document.querySelector(selector)) import(module).then(({ start }) => start());
}
