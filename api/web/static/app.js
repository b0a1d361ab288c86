// The only script that a page names: <script type="module" src="/static/app.js"></script>.
// It loads what the page has a use for; a page without a camera loads no camera.

const FEATURES = {
  "[data-photos], [data-voice]": "./upload.js",
  "[data-camera]": "./camera.js",
  "[data-record]": "./microphone.js",
  "[data-save], [data-copy], [data-print], form[data-once]": "./save.js",
};

const begun = Object.entries(FEATURES)
  .filter(([selector]) => document.querySelector(selector))
  .map(([, module]) => import(module).then(({ start }) => start()));
// Until now the room of what scripts show was kept; what they did not show needs none.
Promise.allSettled(begun).then(() => document.documentElement.classList.add("ready"));
