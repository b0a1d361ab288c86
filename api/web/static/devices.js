// A camera or a microphone, asked for when a person presses its button and let go in any case.

// Why there is none: the end of data-camera-denied, data-microphone-none and so on.
export function cause(error) {
  const causes = {
    NotAllowedError: "denied",
    SecurityError: "denied",
    NotFoundError: "none",
    OverconstrainedError: "none",
    NotReadableError: "busy",
    AbortError: "busy",
  };
  return causes[error.name] ?? "failed";
}

export function available() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

// Null where the page was left while the browser still asked.
export async function opened(wanted) {
  let left = false;
  const leave = () => (left = true);
  window.addEventListener("pagehide", leave);
  try {
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    if (!left) return stream;
    release(stream);
    return null;
  } finally {
    window.removeEventListener("pagehide", leave);
  }
}

export function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
